"""A small file is there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from comfywear.system import files
from comfywear.system.files import replace_file


def test_a_file_is_replaced_with_the_permissions_that_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "page.key"
    path.write_bytes(b"old, and longer than the new one")
    replace_file(path, b"new", mode=0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_file_as_it_was_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "usual.json"
    replace_file(path, b"{}")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b'{"zones": {}}')
    assert path.read_bytes() == b"{}"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_that_somebody_planted_is_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / f"slots.json.{os.getpid()}.new").symlink_to(victim)
    (tmp_path / "slots.json").symlink_to(victim)
    replace_file(tmp_path / "slots.json", b"new")
    assert victim.read_text() == "untouched"
    assert not (tmp_path / "slots.json").is_symlink()
    assert (tmp_path / "slots.json").read_bytes() == b"new"
