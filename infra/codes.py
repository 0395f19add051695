"""The stable codes of refusals and the HTTP status of each, found where the code raises them."""

import ast
from collections.abc import Iterator
from pathlib import Path

from chalicelib.base.errors import Refusal
from chalicelib.web.problems import status_of
from infra.errors import InfraError
from infra.gateway import PROBLEMS

_ENGINE = Path(__file__).parent.parent / "chalicelib"


def status_of_codes() -> dict[str, int]:
    """Every code that the engine or the gateway answers with, and its status.

    A code is the class attribute of a refusal, or given where one is raised (`Invalid(…, code="phone_invalid")`), which
    is read from the source. The engine must have been imported. Raises InfraError for a code with two statuses.
    """
    found: dict[str, int] = {problem.code: problem.status for problem in PROBLEMS.values()}
    classes = {cls.__name__: cls for cls in _subclasses(Refusal)}
    pairs = [(cls.code, cls) for cls in classes.values()]
    for path in sorted(_ENGINE.rglob("*.py")):
        pairs += [(code, classes[name]) for code, name in _codes_in(path) if name in classes]
    for code, cls in pairs:
        status = status_of(cls.__new__(cls))
        if found.setdefault(code, status) != status:
            raise InfraError(f"The error {code} is answered with {found[code]} here and with {status} there.")
    return found


def _codes_in(path: Path) -> Iterator[tuple[str, str]]:
    """The codes that a module gives to refusals, with the name of each one's class."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for keyword in node.keywords:
                if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value), node.func.id


def _subclasses(cls: type[Refusal]) -> Iterator[type[Refusal]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
