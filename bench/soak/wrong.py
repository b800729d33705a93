"""What is wrong with a device's clock, disk and name server: libraries that it preloads, and the files they look at."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent


class Wrong:
    """Compiles the libraries into `folder`; where there is no C compiler, nothing can be made wrong.

    Args:
        folder: Where libraries and control files go; outside of `disk`.
        disk: Below which folder the disk may be wrong.

    Attributes:
        possible: Whether there is a compiler.
    """

    def __init__(self, folder: Path, disk: Path) -> None:
        self._disk = disk
        self._clock, self._sync, self._names = (folder / name for name in ("clock", "sync", "names"))
        self.set_clock(0)
        self.set_disk()
        self.set_names(0)
        compiler = shutil.which("cc")
        self.possible = compiler is not None
        self._libraries: list[Path] = []
        for name in ("wrong_clock", "wrong_disk", "wrong_names") if compiler else ():
            library = folder / f"{name}.so"
            order = [str(compiler), "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / f"{name}.c"), "-ldl"]
            subprocess.run(order, check=True)
            self._libraries.append(library)

    def environ(self) -> Mapping[str, str]:
        """The environment of a device that feels it."""
        return {
            **os.environ,
            "WRONG_CLOCK": str(self._clock),
            "WRONG_DISK": str(self._sync),
            "WRONG_DISK_UNDER": str(self._disk),
            "WRONG_NAMES": str(self._names),
            **({"LD_PRELOAD": " ".join(map(str, self._libraries))} if self._libraries else {}),
        }

    def set_clock(self, offset_s: int) -> None:
        """Have the wall clock be wrong by so much."""
        _write(self._clock, offset_s)

    def set_disk(self, *, sync_ms: int = 0, read_only: bool = False) -> None:
        """Have each fsync take so much longer, or nothing be written."""
        _write(self._sync, sync_ms, int(read_only))

    def set_names(self, wait_ms: int) -> None:
        """Have no name resolve, which takes so long each; 0 = they do."""
        _write(self._names, wait_ms)


def _write(path: Path, *values: int) -> None:
    """In place: who looks has the file mapped."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(struct.pack(f"={len(values)}q", *values))
