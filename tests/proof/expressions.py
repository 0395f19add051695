"""DynamoDB's expressions, as far as the engine writes them; anything else is refused loudly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

Value: TypeAlias = Mapping[str, Any]
Item: TypeAlias = Mapping[str, Value]

_TOKEN = re.compile(r"\s*(<=|>=|<>|[()=<>,+-]|[#:]?[A-Za-z0-9_]+(?:\.#?[A-Za-z0-9_]+)*)")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def plain(value: Value) -> Any:
    """An attribute value as something that compares as DynamoDB compares it."""
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content


class _Reader:
    """Reads one expression from left to right."""

    def __init__(self, text: str, request: Mapping[str, Any]) -> None:
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s+", "", text):
            raise NotImplementedError(f"cannot read {text!r}")
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})

    def peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def take(self, expected: str | None = None) -> str:
        token = self._tokens.pop(0)
        if expected is not None and token != expected:
            raise NotImplementedError(f"expected {expected!r} and found {token!r}")
        return str(token)

    def path(self) -> tuple[str, ...]:
        """Where an attribute lies: its name, or the names that lead to it through maps."""
        parts = self.take().split(".")
        return tuple(str(self._names[part]) if part.startswith("#") else part for part in parts)

    def operand(self, item: Item) -> Value | None:
        """A value given with the request, or that of an attribute; None where the item lacks it."""
        if self.peek().startswith(":"):
            found: Value = self._values[self.take()]
            return found
        if self.peek() == "if_not_exists":
            self.take()
            self.take("(")
            present = _found(item, self.path())
            self.take(",")
            fallback = self.operand(item)
            self.take(")")
            return present or fallback
        return _found(item, self.path())


def _found(item: Item, path: tuple[str, ...]) -> Value | None:
    """What lies at a path, None where nothing does."""
    value = item.get(path[0])
    for name in path[1:]:
        value = value["M"].get(name) if value is not None and "M" in value else None
    return value


def _put(item: dict[str, Value], path: tuple[str, ...], value: Value | None) -> None:
    """Put a value at a path, or take away (None) what lies there. The maps on the way are there."""
    if len(path) == 1:
        item.pop(path[0], None)
        if value is not None:
            item[path[0]] = value
        return
    inner = dict(item[path[0]]["M"])
    _put(inner, path[1:], value)
    item[path[0]] = {"M": inner}


def holds(text: str, request: Mapping[str, Any], item: Item) -> bool:
    """Whether a condition holds for an item (empty where there is none)."""
    reader = _Reader(text, request)
    result = _either(reader, item)
    if reader.peek():
        raise NotImplementedError(f"cannot read {text!r} to its end")
    return result


def _either(reader: _Reader, item: Item) -> bool:
    result = _both(reader, item)
    while reader.peek() == "OR":
        reader.take()
        # Both sides are read in any case, for reading is what moves on.
        other = _both(reader, item)
        result = result or other
    return result


def _both(reader: _Reader, item: Item) -> bool:
    result = _term(reader, item)
    while reader.peek() == "AND":
        reader.take()
        other = _term(reader, item)
        result = result and other
    return result


def _term(reader: _Reader, item: Item) -> bool:
    token = reader.peek()
    if token == "NOT":
        reader.take()
        return not _term(reader, item)
    if token == "(":
        reader.take()
        result = _either(reader, item)
        reader.take(")")
        return result
    if token in ("attribute_exists", "attribute_not_exists"):
        reader.take()
        reader.take("(")
        exists = _found(item, reader.path()) is not None
        reader.take(")")
        return exists == (token == "attribute_exists")
    if token == "begins_with":
        reader.take()
        reader.take("(")
        whole = reader.operand(item)
        reader.take(",")
        beginning = reader.operand(item)
        reader.take(")")
        if whole is None or beginning is None:
            return False
        return str(plain(whole)).startswith(str(plain(beginning)))
    left = reader.operand(item)
    operator = reader.take()
    right = reader.operand(item)
    if operator == "BETWEEN":
        reader.take("AND")
        upper = reader.operand(item)
        return _compared(">=", left, right) and _compared("<=", left, upper)
    return _compared(operator, left, right)


def _compared(operator: str, left: Value | None, right: Value | None) -> bool:
    """Whether two operands compare so; what is not there, or of another type, only differs."""
    if operator not in _COMPARISONS:
        raise NotImplementedError(f"the comparison {operator!r}")
    if left is None or right is None or left.keys() != right.keys():
        return operator == "<>" and left is not right
    return _COMPARISONS[operator](plain(left), plain(right))


def updated(text: str, request: Mapping[str, Any], item: Item) -> dict[str, Value]:
    """An item after an update expression of SET, REMOVE and ADD clauses, all reckoned from the item before."""
    reader = _Reader(text, request)
    after = dict(item)
    clause = ""
    while reader.peek():
        if reader.peek() in ("SET", "REMOVE", "ADD"):
            clause = reader.take()
        elif clause and reader.peek() == ",":
            reader.take()
        path = reader.path()
        match clause:
            case "SET":
                reader.take("=")
                _put(after, path, _assigned(reader, item))
            case "REMOVE":
                _put(after, path, None)
            case "ADD":
                _put(after, path, _sum(_found(item, path) or {"N": "0"}, reader.operand(item), 1))
            case _:
                raise NotImplementedError(f"the clause {clause!r}")
    return after


def _assigned(reader: _Reader, item: Item) -> Value:
    value = reader.operand(item)
    if reader.peek() in ("+", "-"):
        sign = 1 if reader.take() == "+" else -1
        return _sum(value, reader.operand(item), sign)
    if value is None:
        raise NotImplementedError("setting an attribute from one that is not there")
    return value


def _sum(left: Value | None, right: Value | None, sign: int) -> Value:
    if left is None or right is None:
        raise NotImplementedError("adding to an attribute that is not there")
    return {"N": str(int(left["N"]) + sign * int(right["N"]))}
