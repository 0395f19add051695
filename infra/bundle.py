"""Builds the zip that Lambda runs: Chalice's own, our code, the dependencies as wheels, bytecode; and nothing idle.

Chalice can install dependencies by itself, but it ends with success when it could not, and it ships no bytecode, so
every cold start would compile everything. Here pip's failures are failures, and the zip is the same for the same input.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra import trim
from infra.errors import InfraError
from infra.locks import locked

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Target:
    """Where a package runs: the interpreter that compiles for it, and the platform of its compiled wheels."""

    python: str
    version: tuple[int, int]
    architecture: str | None

    @property
    def runtime(self) -> str:
        """Lambda's name of the runtime."""
        return f"python{self.version[0]}.{self.version[1]}"

    def pip_options(self) -> list[str]:
        """What tells pip to fetch wheels for this target; nothing for the machine that we are on."""
        if self.architecture is None:
            return []
        machine = {"arm64": "aarch64", "x86_64": "x86_64"}[self.architecture]
        # Lambda's images from Python 3.12 on are Amazon Linux 2023 with glibc 2.34; before, glibc 2.26.
        glibcs = ["2_34", "2_28", "2_27", "2_26"] if self.version >= (3, 12) else ["2_26"]
        platforms = [f"manylinux_{glibc}_{machine}" for glibc in [*glibcs, "2_17"]] + [f"manylinux2014_{machine}"]
        number = f"{self.version[0]}{self.version[1]}"
        options = ["--implementation", "cp", "--python-version", f"{self.version[0]}.{self.version[1]}"]
        options += [part for abi in (f"cp{number}", "abi3", "none") for part in ("--abi", abi)]
        return options + [part for platform in platforms for part in ("--platform", platform)]


def this_machine() -> Target:
    """The target of a local package: this interpreter, this machine."""
    return Target(sys.executable, sys.version_info[:2], None)


def dependencies(lock: Path, target: Target, cache: Path) -> Path:
    """A folder with the locked dependencies for the target, pruned and compiled; made once per lock and target."""
    made_by = Path(__file__).read_bytes() + Path(trim.__file__).read_bytes()
    key = hashlib.sha256(lock.read_bytes() + made_by + repr(target).encode()).hexdigest()[:16]
    folder = cache / f"deps-{target.runtime}-{target.architecture or 'local'}-{key}"
    # Packages for two stages may be built at once, out of the same dependencies.
    with locked(cache / f"{folder.name}.lock"):
        if not folder.exists():
            work = cache / f"{folder.name}.partial"
            shutil.rmtree(work, ignore_errors=True)
            install(lock, target, work)
            trim.trim(work)
            compile_folder(work, target)
            work.rename(folder)
    return folder


def install(lock: Path, target: Target, folder: Path) -> None:
    """Install the locked dependencies for the target into a new folder, as their wheels have them."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--no-compile", "--only-binary=:all:", "--target", str(folder), "-r", str(lock)]
    _run([*command, *target.pip_options()], f"pip could not install {lock.name} for {target.runtime}")


def compile_folder(folder: Path, target: Target) -> None:
    """Put the target's bytecode beside the sources.

    Unchecked hashes, because the zip stamps every file 1980 and bytecode that is checked by time would count as stale.
    """
    options = ["-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(folder)]
    _run([target.python, *options, str(folder)], "The code does not compile")


def write_zip(folders: list[Path], out: Path, *, under: str = "") -> str:
    """Zip the folders' contents as one tree (below `under`), always the same way, and return the digest of the zip."""
    files: dict[str, Path] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                files[under + path.relative_to(folder).as_posix()] = path
    partial = out.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, files[name].read_bytes())
    partial.replace(out)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def _run(command: list[str], failure: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InfraError(f"{failure}:\n{(result.stdout + result.stderr).strip()}")
