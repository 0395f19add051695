"""A package unpacked once for all the processes of functions that run from it.

ministack unpacks it for every process that it starts: three thousand files, more than a second of CPU each time.
"""

import hashlib
import tempfile
import threading
import zipfile
from os import PathLike
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_LOCK = threading.Lock()


class SharedZip(zipfile.ZipFile):
    """A zip whose contents are unpacked beside the other temporary files, once; whoever wants them gets a link."""

    def extractall(self, path: str | PathLike[str] | None = None, *_rest: Any, **_options: Any) -> None:
        """Put a link to the contents in the place of the empty folder at `path`. They are for reading, as on Lambda."""
        assert path is not None
        assert self.filename is not None
        contents = self._contents(Path(self.filename))
        place = Path(path)
        place.rmdir()
        place.symlink_to(contents, target_is_directory=True)

    def _contents(self, file: Path) -> Path:
        folder = Path(tempfile.gettempdir()) / f"unpacked-{hashlib.sha256(file.read_bytes()).hexdigest()}"
        # Functions are started in threads of their own; the second one of a package finds what the first one unpacked.
        with _LOCK:
            if not folder.exists():
                work = folder.with_suffix(".partial")
                super().extractall(work)
                work.rename(folder)
        return folder


def share(runtime: Any) -> None:
    """Let ministack's module that starts processes of functions unpack so."""
    runtime.zipfile = SimpleNamespace(**vars(runtime.zipfile) | {"ZipFile": SharedZip})
