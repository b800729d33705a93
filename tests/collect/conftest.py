"""What the collector's tests share: a real PostgreSQL, simulated devices, and collectors as processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench" / "fleet"))

from cluster import Cluster, find_binaries


@pytest.fixture(scope="session")
def _cluster() -> Iterator[Cluster]:
    pytest.importorskip("psycopg", reason="needs psycopg (pip install 'comfywear[collect]')")
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("needs PostgreSQL's server (Debian: apt install postgresql)")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL refuses to run as root, and there is no other user here")
    cluster = Cluster(binaries)
    yield cluster
    cluster.remove()


@pytest.fixture
def cluster(_cluster: Cluster) -> Cluster:
    """A running PostgreSQL whose database holds nothing yet."""
    import psycopg

    with psycopg.connect(_cluster.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS comfywear CASCADE")
    return _cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What --db names: an SQLite file, and a PostgreSQL database."""
    if request.param == "sqlite":
        return str(tmp_path / "collected.db")
    return request.getfixturevalue("cluster").url  # type: ignore[no-any-return]


class CollectorProcess:
    """`comfywear collect` as a user runs it."""

    def __init__(self, log: Path, arguments: list[str]) -> None:
        self.log = log
        self._file = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "comfywear.cli", "collect", *arguments], stderr=self._file, stdout=self._file
        )

    def said(self) -> str:
        return self.log.read_text()

    def end(self, number: int = signal.SIGTERM, timeout: float = 20) -> int:
        """Send a signal and return the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(timeout)
        self._file.close()
        return code


@pytest.fixture
def collect(tmp_path: Path) -> Iterator[Callable[..., CollectorProcess]]:
    """Starts collectors: `collect("--db", …)`; those that still run at the end are killed."""
    started: list[CollectorProcess] = []

    def start(*arguments: Any) -> CollectorProcess:
        words = [str(argument) for argument in arguments]
        started.append(CollectorProcess(tmp_path / f"collector-{len(started)}.log", words))
        return started[-1]

    yield start
    for process in started:
        process.end(signal.SIGKILL)
