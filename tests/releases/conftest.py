"""What the tests of releases share: tiny models, a web server that fails as told, a device's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A web server on the folder `www` of the test."""
    folder = tmp_path / "www"
    folder.mkdir()
    running = Server(folder)
    running.start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def no_models_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYWEAR_MODELS", str(tmp_path / "mine"))
