"""What a case is, how it moves, when it is late, and what may be given for it: pure."""
