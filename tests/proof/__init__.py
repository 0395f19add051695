"""The proof that no point is lost, invented or counted twice. docs/proof.md says what is proved and how."""

# Its programs run outside pytest as well, and need the same environment before anything of the engine is imported.
import tests.conftest  # noqa: F401
