"""How right the models are: published fits, holdouts beside lifetimes, churn in 91 days."""

from __future__ import annotations

from benchmarks import scratch


def main() -> None:
    """Print the tables."""
    scratch.run("benchmarks.beside_lifetimes", "accuracy")
