"""A throwaway PostgreSQL: a cluster in a temporary folder, on a free port of the loopback address."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any


def find_binaries() -> Path | None:
    """The folder that holds initdb and postgres, or None where PostgreSQL is not installed."""
    folders = [Path(found).resolve().parent for name in ("initdb", "postgres") if (found := shutil.which(name))]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class Cluster:
    """A cluster with one database, `comfort`, and a superuser without password, `postgres`.

    As root the server runs as the system's user postgres, since it refuses root.
    """

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._as: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        self.folder = Path(tempfile.mkdtemp(prefix="comfywear-postgres-"))
        if self._as:
            shutil.chown(self.folder, "postgres", "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._server: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C")
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "comfort")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/comfort"

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = ["-c", f"port={self.port}", "-c", "listen_addresses=127.0.0.1", "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", "data", *options],
                cwd=self.folder, stdout=log, stderr=log, **self._as,
            )  # fmt: skip
        for _ in range(100):
            ready = [str(self._binaries / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-t", "1"]
            if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
                return
            if self._server.poll() is not None:
                break
            self._server_wait(0.1)
        raise RuntimeError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop the server at once, as a loss of power would (SIGQUIT: no clean end, recovery at the next start)."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(30)
            self._server = None

    def remove(self) -> None:
        """Stop, and delete everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _server_wait(self, seconds: float) -> None:
        assert self._server is not None
        with suppress(subprocess.TimeoutExpired):
            self._server.wait(seconds)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, **self._as)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")
