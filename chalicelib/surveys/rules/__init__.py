"""What a survey asks, what may be answered, and what answers say: pure."""
