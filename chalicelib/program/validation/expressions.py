"""Whether a JMESPath condition is small, names only what there is, and can be true or false."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, TypeAlias

from chalicelib.program.rules.expressions import ANYTHING, BOOLEAN, NUMBER, SCHEMA, STRING
from chalicelib.program.validation.problem import Problem

Kind: TypeAlias = Any
"""A kind of value as `SCHEMA` writes it: a word, an object of kinds, or a list with one kind of elements."""

_NODES_MAX: Final = 100
_TOKENS_MAX: Final = 250
_NESTING_MAX: Final = 32
# The parser goes one level deeper for each of these.
_NESTING: Final = frozenset({"lparen", "lbracket", "filter", "lbrace", "flatten", "star", "not", "expref"})

FUNCTIONS: Final[Mapping[str, Kind]] = {
    "abs": NUMBER,
    "avg": NUMBER,
    "ceil": NUMBER,
    "contains": BOOLEAN,
    "ends_with": BOOLEAN,
    "floor": NUMBER,
    "length": NUMBER,
    "max": ANYTHING,
    "max_by": ANYTHING,
    "min": ANYTHING,
    "min_by": ANYTHING,
    "not_null": ANYTHING,
    "starts_with": BOOLEAN,
    "sum": NUMBER,
    "to_number": NUMBER,
    "type": STRING,
}
"""The functions that a condition may call, and what they give."""


def condition_problems(expression: str, path: str, roots: frozenset[str]) -> list[Problem]:
    """What is wrong with an expression over `member` and the `roots`, `order` or `event`: the first thing found."""
    try:
        tree = _parsed(expression)
        _check_size(tree)
        kind = _kind(tree, {name: fields for name, fields in SCHEMA.items() if name in {"member", *roots}})
    except _Wrong as wrong:
        return [Problem(path, str(wrong))]
    if kind == NUMBER:
        return [Problem(path, "In JMESPath every number is true, 0 as well; compare it with something.")]
    return []


class _Wrong(Exception):
    """What is wrong with an expression."""


def _parsed(expression: str) -> Any:
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415 -- only for programmes that have conditions
    from jmespath.lexer import Lexer  # noqa: PLC0415
    from jmespath.parser import Parser  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            # Literals that are not JSON, which the library only warns of.
            warnings.simplefilter("error", PendingDeprecationWarning)
            tokens = [token["type"] for token in islice(Lexer().tokenize(expression), _TOKENS_MAX + 1)]
        if len(tokens) > _TOKENS_MAX or sum(token in _NESTING for token in tokens) > _NESTING_MAX:
            raise _Wrong("The condition is too long, or too deeply nested.")
        return Parser().parse(expression).parsed
    except (JMESPathError, PendingDeprecationWarning, LookupError) as error:
        raise _Wrong(f"This is no JMESPath expression: {' '.join(str(error).split())}") from error


def _check_size(tree: Any) -> None:
    nodes, waiting = 0, [tree]
    while waiting:
        nodes += 1
        if nodes > _NODES_MAX:
            raise _Wrong(f"A condition has {_NODES_MAX} nodes at the most.")
        waiting += [child for child in waiting.pop().get("children", ()) if isinstance(child, dict)]


def _kind(node: Any, here: Kind) -> Kind:
    """The kind of value that a part of an expression gives where it stands on `here`."""
    kind_of = _KINDS.get(node["type"])
    if kind_of is None:
        raise _Wrong("A condition makes no lists or objects of its own, and takes no `*` of an object.")
    return kind_of(node, here)


def _chain_kind(node: Any, here: Kind) -> Kind:
    for child in node["children"]:
        here = _kind(child, here)
    return here


def _slice_kind(node: Any, here: Kind) -> Kind:
    if node["children"][2] == 0:
        raise _Wrong("A slice cannot go in steps of 0.")
    return [_element(here)]


def _flattened_kind(node: Any, here: Kind) -> Kind:
    inner = _element(_kind(node["children"][0], here))
    return inner if isinstance(inner, list) else [inner]


def _projection_kind(node: Any, here: Kind) -> Kind:
    source, each, *condition = node["children"]
    element = _element(_kind(source, here))
    for child in condition:
        _kind(child, element)
    return [_kind(each, element)]


def _either_kind(node: Any, here: Kind) -> Kind:
    first, second = (_kind(child, here) for child in node["children"])
    return first if first == second else ANYTHING


def _negation_kind(node: Any, here: Kind) -> Kind:
    _kind(node["children"][0], here)
    return BOOLEAN


def _comparison_kind(node: Any, here: Kind) -> Kind:
    first, second = (_kind(child, here) for child in node["children"])
    if ANYTHING not in (first, second) and _type(first) != _type(second):
        raise _Wrong(f"This compares a {_type(first)} with a {_type(second)}.")
    return BOOLEAN


def _literal_kind(node: Any, _here: Kind) -> Kind:
    value = node["value"]
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, list):
        return [ANYTHING]
    return STRING if isinstance(value, str) else ANYTHING


def _field_kind(node: Any, here: Kind) -> Kind:
    name = node["value"]
    if here == ANYTHING:
        return ANYTHING
    if isinstance(here, list):
        raise _Wrong(f"{name} stands on a list; write [] before it to look at every element.")
    if not isinstance(here, Mapping):
        raise _Wrong(f"{name} stands on a {here}, which has no parts.")
    if name not in here:
        raise _Wrong(f"There is no {name} here; there are {', '.join(sorted(here))}.")
    return here[name]


def _element(here: Kind) -> Kind:
    if isinstance(here, list):
        return here[0]
    if here == ANYTHING:
        return ANYTHING
    raise _Wrong("Brackets stand on something that is no list.")


def _call_kind(node: Any, here: Kind) -> Kind:
    from jmespath.functions import Functions  # noqa: PLC0415 -- as above

    name, arguments = node["value"], node["children"]
    if name not in FUNCTIONS:
        raise _Wrong(f"There is no function {name}; there are {', '.join(FUNCTIONS)}.")
    signature = Functions.FUNCTION_TABLE[name]["signature"]
    is_variadic = bool(signature[-1].get("variadic"))
    if len(arguments) < len(signature) or (len(arguments) > len(signature) and not is_variadic):
        raise _Wrong(f"{name} takes {len(signature)} arguments.")
    kinds: list[Kind] = []
    for argument, wanted in zip(arguments, [*signature, *[signature[-1]] * len(arguments)], strict=False):
        if (argument["type"] == "expref") != (wanted["types"] == ["expref"]):
            raise _Wrong(f"{name} takes an expression such as &quantity in one place, and only there.")
        if argument["type"] == "expref":
            _kind(argument["children"][0], _element(kinds[0]))
            continue
        kinds.append(_kind(argument, here))
        allowed = {text.partition("-")[0] for text in wanted["types"]}
        if allowed and kinds[-1] != ANYTHING and _type(kinds[-1]) not in allowed:
            raise _Wrong(f"{name} takes no {_type(kinds[-1])}.")
    return _element(kinds[0]) if name in {"max", "max_by", "min", "min_by"} else FUNCTIONS[name]


def _type(kind: Kind) -> str:
    """What JMESPath calls a kind of value."""
    if isinstance(kind, list):
        return "array"
    return "object" if isinstance(kind, Mapping) else str(kind)


_KINDS: Final[Mapping[str, Callable[[Any, Kind], Kind]]] = {
    "identity": lambda _node, here: here,
    "current": lambda _node, here: here,
    "literal": _literal_kind,
    "field": _field_kind,
    "subexpression": _chain_kind,
    "index_expression": _chain_kind,
    "pipe": _chain_kind,
    "index": lambda _node, here: _element(here),
    "slice": _slice_kind,
    "flatten": _flattened_kind,
    "projection": _projection_kind,
    "filter_projection": _projection_kind,
    "comparator": _comparison_kind,
    "and_expression": _either_kind,
    "or_expression": _either_kind,
    "not_expression": _negation_kind,
    "function_expression": _call_kind,
}
"""What each kind of node gives; what is not here is not allowed in a condition."""
