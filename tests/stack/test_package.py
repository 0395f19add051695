"""The deployment package: it runs by itself, carries bytecode, and carries nothing that is idle."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import bundle, package
from infra.errors import InfraError


@pytest.fixture(scope="module")
def archive(template: Path) -> Path:
    return template.with_name("deployment.zip")


@pytest.fixture(scope="module")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    with zipfile.ZipFile(archive) as found:
        found.extractall(folder)
    return folder


def run_in(folder: Path, code: str) -> str:
    """Run code with the package and the standard library only, as on Lambda."""
    start = f"import sys; sys.path.insert(0, {str(folder)!r}); "
    environment = {"HUIKE_TABLE_PREFIX": "x-", "HUIKE_ID_SECRET": "x", "AWS_DEFAULT_REGION": "cn-north-1"}
    command = [sys.executable, "-I", "-S", "-c", start + code]
    result = subprocess.run(  # noqa: S603 -- our own code
        command, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_the_app_imports_from_the_package_alone(unpacked: Path) -> None:
    assert run_in(unpacked, "import app; print(len(app.app.routes) > 5)") == "True"


def test_the_authorizer_has_what_it_imports_late(unpacked: Path) -> None:
    run_in(unpacked, "import jwt, cryptography.hazmat.primitives.asymmetric.rsa")


@pytest.mark.parametrize(
    ("region", "host"),
    [("us-east-1", "dynamodb.us-east-1.amazonaws.com"), ("cn-north-1", "dynamodb.cn-north-1.amazonaws.com.cn")],
)
def test_trimmed_botocore_still_finds_its_way(unpacked: Path, region: str, host: str) -> None:
    code = f"""
import botocore.session
made = botocore.session.get_session().create_client("dynamodb", region_name={region!r})
print(made.meta.endpoint_url)"""
    assert run_in(unpacked, code) == f"https://{host}"


def test_every_source_has_its_bytecode(archive: Path) -> None:
    names = set(zipfile.ZipFile(archive).namelist())
    tag = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"
    for name in names:
        if name.endswith(".py"):
            path = Path(name)
            assert (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").as_posix() in names


def test_bytecode_does_not_look_at_the_sources_age(archive: Path) -> None:
    with zipfile.ZipFile(archive) as found:
        name = next(name for name in found.namelist() if name.startswith("chalicelib/") and name.endswith(".pyc"))
        flags = int.from_bytes(found.read(name)[4:8], "little")
    assert flags == 0b01, "hash-based and unchecked"


def test_it_is_small_and_holds_no_tools(archive: Path) -> None:
    with zipfile.ZipFile(archive) as found:
        names = found.namelist()
    tops = {name.split("/")[0] for name in names}
    assert archive.stat().st_size < 15_000_000
    assert not {"boto3", "ministack", "moto", "infra", "tests", "pip"} & tops
    assert {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2} == {
        "dynamodb",
        "s3",
        "sqs",
    }


def test_the_same_sources_make_the_same_package(template: Path, tmp_path: Path) -> None:
    again = package.package(package.ROOT, bundle.this_machine(), "local", tmp_path)

    assert again.read_text(encoding="utf-8") == template.read_text(encoding="utf-8")
    assert again.with_name("deployment.zip").read_bytes() == template.with_name("deployment.zip").read_bytes()


def test_a_dependency_that_has_no_wheel_stops_the_packaging(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("huike-has-no-such-dependency==1.0\n", encoding="utf-8")

    with pytest.raises(InfraError, match=r"pip could not install requirements.txt"):
        bundle.dependencies(lock, bundle.this_machine(), tmp_path / "cache")


def test_an_interpreter_that_is_not_there_is_named() -> None:
    with pytest.raises(InfraError, match=r"python9.9"):
        package.aws_target("arm64", "python9.9")
