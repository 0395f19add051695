"""Takes out of the installed dependencies what no function uses, above all what every cold start would read or run.

Whatever is not found where it is expected stops the packaging: the versions are locked, so a change of one is met
here, by the engineer who changes it, and not in a function.
"""

import gzip
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from infra.errors import InfraError

# botocore carries the models of some four hundred services. These are the ones that the functions call, each with its
# operations: PynamoDB's on items, and ours on queues and files.
OPERATIONS = {
    "dynamodb": (
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "DescribeEndpoints",
        "DescribeTable",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    ),
    # The form of an upload is signed by way of CreateBucket, whose address is that of the form.
    "s3": ("CopyObject", "CreateBucket", "DeleteObject", "GetObject", "ListObjectsV2", "PutObject"),
    "sqs": ("SendMessage", "SendMessageBatch"),
}
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
# What phonenumbers imports only when asked for names of places, carriers or zones, or about numbers like 110.
UNUSED = (
    "bin",
    "share",
    "phonenumbers/carrierdata",
    "phonenumbers/geodata",
    "phonenumbers/tzdata",
    "phonenumbers/shortdata/region_*.py",
)
_EVERY_EVENT = "        for spec in handlers.BUILTIN_HANDLERS:\n"
_OUR_EVENTS = f"""\
            of = spec[0].split(".")[1:2]
            if spec[0].startswith("docs") or of not in {[[], ["*"], *([name] for name in OPERATIONS)]}:
                continue
"""
_LATE_XML = """\
class _Late:
    def __getattr__(self, name):
        import xml.etree.ElementTree

        return getattr(xml.etree.ElementTree, name)


ETree = _Late()
# What ElementTree's own error is derived from.
XMLParseError = SyntaxError
"""
# Imports and patterns that only a few calls need, moved to those calls; each costs every start what stands beside it.
# (file, the text as locked, the text as shipped)
DEFERRED = (
    # 9 ms: the packages' metadata, to look whether HTTP/2 is installed, asked by those who turn HTTP/2 on.
    ("urllib3/http2/__init__.py", "from importlib.metadata import version\n", ""),
    (
        "urllib3/http2/__init__.py",
        '    h2_version = version("h2")\n',
        '    from importlib.metadata import version\n\n    h2_version = version("h2")\n',
    ),
    # 8 ms: patterns of IPv6 addresses, the first of which is used nowhere. `re` keeps what it has compiled.
    ("urllib3/util/url.py", '_IPV6_RE = re.compile("^" + _IPV6_PAT + "$")\n', ""),
    ("urllib3/util/url.py", '_IPV6_ADDRZ_RE = re.compile("^" + _IPV6_ADDRZ_PAT + "$")\n', ""),
    ("urllib3/util/url.py", "_IPV6_ADDRZ_RE.match(host)", 're.match("^" + _IPV6_ADDRZ_PAT + "$", host)'),
    # 4 ms: botocore's own reactions to 120 events of services that are not there, each looked over and filed.
    ("botocore/session.py", _EVERY_EVENT, _EVERY_EVENT + _OUR_EVENTS),
    # 3 ms: XML, which neither service speaks.
    ("botocore/compat.py", "import xml.etree.ElementTree as ETree\nXMLParseError = ETree.ParseError\n", _LATE_XML),
    # 3 ms: dates in any form that people write, for tokens and credentials; dateutil loads its parts by itself.
    ("botocore/utils.py", "import dateutil.parser\n", "import dateutil\n"),
    ("botocore/tokens.py", "import dateutil.parser\n", "import dateutil\n"),
    (
        "botocore/credentials.py",
        "import dateutil.parser\nfrom dateutil.parser import parse\n",
        "import dateutil\n\n\ndef parse(text):\n    return dateutil.parser.parse(text)\n\n\n",
    ),
    # 1 ms: files in a home that no function has.
    ("botocore/configloader.py", "import configparser\n", ""),
    (
        "botocore/configloader.py",
        "        cp = configparser.RawConfigParser()\n",
        "        import configparser\n\n        cp = configparser.RawConfigParser()\n",
    ),
    # 6 ms: what writes botocore's reference pages, and an HTML parser with it, for help() on a client's methods.
    ("botocore/docs/__init__.py", "from botocore.docs.service import ServiceDocumenter\n", ""),
    (
        "botocore/docs/__init__.py",
        "    # Create the root directory where",
        "    from botocore.docs.service import ServiceDocumenter\n\n    # Create the root directory where",
    ),
    *(
        change
        for module, name, call in (
            ("bcdoc.restdoc", "DocumentStructure", "docstring_structure = DocumentStructure("),
            ("method", "document_model_driven_method", "document_model_driven_method(*"),
            ("paginator", "document_paginate_method", "document_paginate_method(*"),
            ("waiter", "document_wait_method", "document_wait_method(*"),
        )
        for change in (
            ("botocore/docs/docstring.py", f"from botocore.docs.{module} import {name}\n", ""),
            (
                "botocore/docs/docstring.py",
                f"        {call}",
                f"        from botocore.docs.{module} import {name}\n        {call}",
            ),
        )
    ),
)


def trim(folder: Path) -> None:
    """Trim the dependencies installed in a folder."""
    clean(folder)
    for pattern in UNUSED:
        for path in list(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if (folder / "botocore").exists():
        _trim_data(folder / "botocore" / "data")
        _defer(folder)


def clean(folder: Path) -> None:
    """Remove what no function reads: other interpreters' bytecode, tests, installers' notes."""
    for pattern in ("__pycache__", "*.dist-info", "tests"):
        for path in list(folder.rglob(pattern)):
            shutil.rmtree(path, ignore_errors=True)


def _trim_data(data: Path) -> None:
    for path in data.iterdir():
        if path.is_dir() and path.name not in OPERATIONS:
            shutil.rmtree(path)
    for path in [*data.rglob("examples-1.json*"), *data.rglob("paginators-1.*"), *data.rglob("waiters-2.*")]:
        path.unlink()
    # The zip compresses by itself; twice would only be undone at every start.
    for path in list(data.rglob("*.json.gz")):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    for name, operations in OPERATIONS.items():
        for path in (data / name).rglob("service-2.json"):
            _rewrite(path, model_with(_read(path), operations))
    endpoints = _read(data / "endpoints.json")
    _rewrite(data / "endpoints.json", _endpoints(endpoints))


def model_with(model: dict[str, Any], operations: Iterable[str]) -> dict[str, Any]:
    """A service's model with these operations and the shapes that they lead to, without documentation."""
    missing = set(operations) - model["operations"].keys()
    if missing:
        raise InfraError(f"botocore's model has no operation {', '.join(sorted(missing))}: see OPERATIONS.")
    kept = {name: found for name, found in model["operations"].items() if name in operations}
    shapes: dict[str, Any] = {}
    waiting = _shapes_in(kept)
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            waiting |= _shapes_in(shapes[name])
    ordered = {name: shape for name, shape in model["shapes"].items() if name in shapes}
    found: dict[str, Any] = _undocumented({**model, "operations": kept, "shapes": ordered})
    # Of these botocore reads the text, if only to keep it.
    for parameter in found.get("clientContextParams", {}).values():
        parameter["documentation"] = ""
    return found


def _shapes_in(part: Any) -> set[str]:
    """The names of the shapes that a part of a model refers to."""
    if isinstance(part, list):
        return set().union(*map(_shapes_in, part))
    if not isinstance(part, dict):
        return set()
    found = set().union(*map(_shapes_in, part.values()))
    # A member may be called `shape` as well; then what it has is no name.
    return found | {part["shape"]} if isinstance(part.get("shape"), str) else found


def _undocumented(part: Any) -> Any:
    if isinstance(part, list):
        return [_undocumented(element) for element in part]
    if not isinstance(part, dict):
        return part
    # A member that is called `documentation` is a shape, not a text.
    return {
        name: _undocumented(value)
        for name, value in part.items()
        if name != "documentation" or not isinstance(value, str)
    }


def _endpoints(document: dict[str, Any]) -> dict[str, Any]:
    """Our services in the partitions where Huike may run: the whole list costs 25 ms of every cold start."""
    partitions = [part for part in document["partitions"] if part["partition"] in PARTITIONS]
    for part in partitions:
        part["services"] = {name: part["services"][name] for name in OPERATIONS if name in part["services"]}
    return {**document, "partitions": partitions}


def _defer(folder: Path) -> None:
    for name, locked, shipped in DEFERRED:
        path = folder / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text.count(locked) != 1:
            raise InfraError(f"{name} is not as DEFERRED has it ({locked.strip()}): look what has changed.")
        path.write_text(text.replace(locked, shipped), encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _rewrite(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
