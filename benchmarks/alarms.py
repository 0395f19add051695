"""How soon alerts tell of a member who stops, and how often of one who does not."""

from __future__ import annotations

from benchmarks import scratch


def main() -> None:
    """Print the tables."""
    scratch.run("benchmarks.stopped")
