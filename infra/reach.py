"""What a function can do to the tables, read from its code: an upper bound that its policy must stay within.

From a function's entrance every name is followed that the code mentions: functions, classes with all their methods, and
what a module does when it is imported. On the way it is noted which models are mentioned, and which of PynamoDB's and
botocore's calls are made on them. Where it does not show on which model a call is made, it counts for every model that
is reached; a call on botocore's client, which takes tables by name, counts for every table. So the bound may be too
wide, and never too narrow, unless code is reached by text alone.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ALL_TABLES = "*"

_ON_MODELS = {
    "batch_get": {"BatchGetItem"},
    "batch_write": {"BatchWriteItem"},
    "count": {"Query", "Scan"},
    "delete": {"DeleteItem"},
    "get": {"GetItem"},
    "query": {"Query"},
    "refresh": {"GetItem"},
    "save": {"PutItem"},
    "scan": {"Scan"},
    "update": {"UpdateItem"},
}
# Dictionaries and hashes have these as well; on a model they carry one of the words beside them.
_TELLING = {"count": set[str](), "get": {"consistent_read"}, "update": {"actions"}, "refresh": {"consistent_read"}}
_ON_CLIENTS = {
    "batch_get_item": {"BatchGetItem"},
    "batch_write_item": {"BatchWriteItem"},
    "delete_item": {"DeleteItem"},
    "get_item": {"GetItem"},
    "put_item": {"PutItem"},
    "transact_get_items": {"GetItem"},
    "transact_write_items": {"ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"},
    "update_item": {"UpdateItem"},
}
# The ledger's writes name what they do; the one place that carries them out does what it is told.
_ACTS = {"CHECK": "ConditionCheckItem", "DELETE": "DeleteItem", "PUT": "PutItem", "UPDATE": "UpdateItem"}
_CARRIES_OUT = "transaction"

Name = tuple[str, str]
"""A module, and what stands in it by this name."""


@dataclass
class _Module:
    """A module: what it defines, what its names mean elsewhere, and what it does when it is imported."""

    defined: dict[str, list[ast.AST]] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)
    loads: set[str] = field(default_factory=set)
    loose: list[ast.AST] = field(default_factory=list)


class Code:
    """The sources of a package, read but not run."""

    def __init__(self, folder: Path) -> None:
        self._modules = {
            ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__"): _read(path)
            for path in sorted(folder.rglob("*.py"))
        }
        # Functions share most of what they reach, so that each piece of code is asked about many times.
        self._mentions: dict[ast.AST, list[Name]] = {}
        self._calls: dict[ast.AST, list[ast.Call]] = {}
        self._tables = {name: table for name in self._classes() if (table := self._table_of(name))}

    def actions(self, entrances: list[Name]) -> dict[str, set[str]]:
        """What can be done from these entrances, by the table's name without prefix; `ALL_TABLES` is every one."""
        found: dict[str, set[str]] = {}
        anywhere: set[str] = set()
        reached = set()
        for owner, node in self._reached(entrances):
            reached |= {self._tables[name] for name in self._mentioned(owner, node) if name in self._tables}
            for call in self._calls_in(node):
                self._count(owner, call, found, anywhere)
        for table in reached:
            found.setdefault(table, set()).update(anywhere)
        return found

    def entrances(self, module: str) -> list[Name]:
        """The functions that a module hands to a decorator's care, such as routes."""
        return [
            (module, name)
            for name, nodes in self._modules[module].defined.items()
            for node in nodes
            if isinstance(node, ast.FunctionDef) and node.decorator_list
        ]

    def imports(self, module: str) -> set[str]:
        """The modules of the package that are loaded with a module, itself among them."""
        found, waiting = set[str](), [module]
        while waiting:
            name = waiting.pop()
            if name in found or name not in self._modules:
                continue
            found.add(name)
            for target in self._modules[name].loads:
                # A package is loaded with what lies in it, and the last part may be a name in a module.
                parts = target.split(".")
                waiting += [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
        return found

    def _reached(self, entrances: list[Name]) -> Iterator[tuple[str, ast.AST]]:
        """The definitions that the entrances lead to, each with its module."""
        waiting = list(entrances)
        for module in set().union(*(self.imports(module) for module, _name in entrances)):
            for node in self._modules[module].loose:
                yield module, node
                waiting += self._mentioned(module, node)
        seen: set[Name] = set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for node in self._modules[name[0]].defined[name[1]]:
                yield name[0], node
                waiting += self._mentioned(name[0], node)

    def _mentioned(self, module: str, node: ast.AST) -> list[Name]:
        """What a piece of code names of the package."""
        if node not in self._mentions:
            # What is imported inside a function means the same as if it were imported above.
            local = {**self._modules[module].imported, **_imports_of(node)}
            found = [self._resolved(module, path, local) for path in _paths(node)]
            self._mentions[node] = [name for name in found if name]
        return self._mentions[node]

    def _calls_in(self, node: ast.AST) -> list[ast.Call]:
        if node not in self._calls:
            self._calls[node] = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
        return self._calls[node]

    def _resolved(self, module: str, path: list[str], imported: dict[str, str]) -> Name | None:
        """`["table", "EntryItem", "query"]` → the module and the name of what is defined there."""
        if path[0] in self._modules[module].defined:
            return module, path[0]
        if path[0] not in imported:
            return None
        parts = [*imported[path[0]].split("."), *path[1:]]
        for end in range(len(parts) - 1, 0, -1):
            owner, name = ".".join(parts[:end]), parts[end]
            if owner in self._modules:
                there = self._modules[owner]
                if name in there.defined:
                    return owner, name
                return self._resolved(owner, [name], there.imported) if name in there.imported else None
        return None

    def _count(self, module: str, call: ast.Call, found: dict[str, set[str]], anywhere: set[str]) -> None:
        """Note what a call does, on the table that it shows, or anywhere."""
        for act, subject in _acts(call):
            self._note({_ACTS[act]}, self._model(module, subject), found, anywhere)
        if not isinstance(call.func, ast.Attribute):
            return
        method, subject = call.func.attr, call.func.value
        if method in _ON_CLIENTS:
            found.setdefault(ALL_TABLES, set()).update(_ON_CLIENTS[method])
        elif method in _ON_MODELS:
            model = self._model(module, subject)
            words = {keyword.arg for keyword in call.keywords}
            is_told = isinstance(subject, ast.Name) and subject.id == _CARRIES_OUT and method != "save"
            if model or (not is_told and (method not in _TELLING or words & _TELLING[method])):
                self._note(_ON_MODELS[method], model, found, anywhere)

    @staticmethod
    def _note(actions: set[str], table: str | None, found: dict[str, set[str]], anywhere: set[str]) -> None:
        (found.setdefault(table, set()) if table else anywhere).update(actions)

    def _model(self, module: str, node: ast.AST | None) -> str | None:
        """The table of `Model`, `Model.index` or `Model(…)`, where it shows."""
        if isinstance(node, ast.Call):
            node = node.func
        path = _path(node) if node else []
        name = self._resolved(module, path, self._modules[module].imported) if path else None
        return self._tables.get(name) if name else None

    def _classes(self) -> list[Name]:
        return [
            (module, name)
            for module, found in self._modules.items()
            for name, nodes in found.defined.items()
            if isinstance(nodes[-1], ast.ClassDef)
        ]

    def _table_of(self, name: Name) -> str | None:
        """The table that a model's `Meta` names, by `settings().table("…")` or by a name that stands for it."""
        for node in ast.walk(self._modules[name[0]].defined[name[1]][-1]):
            if isinstance(node, ast.Assign) and _path(node.targets[0]) == ["table_name"]:
                value: ast.AST = node.value
                if isinstance(value, ast.Name):
                    # The name may stand in another module of the area.
                    found = self._resolved(name[0], [value.id], self._modules[name[0]].imported)
                    if found is None:
                        return None
                    value = self._modules[found[0]].defined[found[1]][-1]
                texts = [part.value for part in ast.walk(value) if isinstance(part, ast.Constant)]
                return str(texts[0])
        return None


def _read(path: Path) -> _Module:
    found = _Module()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and _path(node.test) == ["TYPE_CHECKING"]:
            continue
        # What a function imports is loaded as well, if only later.
        found.loads |= set(_imports_of(node).values())
        found.loads |= {alias.name for part in ast.walk(node) if isinstance(part, ast.Import) for alias in part.names}
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.imported |= _imports_of(node)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.defined.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(_target(node), ast.Name):
            found.defined.setdefault(_path(_target(node))[0], []).append(node)
        else:
            found.loose.append(node)
    return found


def _target(node: ast.Assign | ast.AnnAssign) -> ast.expr:
    return node.target if isinstance(node, ast.AnnAssign) else node.targets[0]


def _imports_of(node: ast.AST) -> dict[str, str]:
    """What the imports in a piece of code bind: the name, and what it stands for in full."""
    found: dict[str, str] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{part.module}.{alias.name}" for alias in part.names}
        elif isinstance(part, ast.Import):
            for alias in part.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
    return found


def _path(node: ast.AST) -> list[str]:
    """`a.b.c` → its names; empty for anything that does not begin with a name."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [node.id, *reversed(names)] if isinstance(node, ast.Name) else []


def _paths(node: ast.AST) -> Iterator[list[str]]:
    """Every dotted name in a piece of code, but those that only say of which type something is."""
    if path := _path(node):
        yield path
        return
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _paths(child)


def _acts(call: ast.Call) -> Iterator[tuple[str, ast.AST | None]]:
    """What `Write(model, Act.…)` does, and with what."""
    if _path(call.func)[-1:] == ["Write"]:
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        acts = [path[-1] for path in map(_path, given) if path[:-1][-1:] == ["Act"]]
        yield from ((act, given[0]) for act in acts or ["PUT"])
