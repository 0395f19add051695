"""Challenges as pure functions: no clock, no store, only the programme's versions and what a member did."""
