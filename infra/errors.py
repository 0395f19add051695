"""Failures that a person can act on: the commands print the sentence and end, without a traceback."""


class InfraError(Exception):
    """Says what is wrong and what to do about it."""
