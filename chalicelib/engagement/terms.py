"""Challenges by the programme's version and their code."""

from __future__ import annotations

from chalicelib.engagement.rules.progress import Terms
from chalicelib.program import service as programs


def find(version: int, code: str) -> Terms | None:
    """A challenge as a version has it; None where it has none of this code. Raises VersionNotFound."""
    program = programs.version(version).program
    challenge = next((challenge for challenge in program.challenges if challenge.code == code), None)
    return Terms(challenge, program.zone) if challenge else None
