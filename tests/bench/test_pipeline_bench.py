from __future__ import annotations

import sys
import types

import pytest

from comfywear.cli import main


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("supervision", "supervision 0.31.2 has no ByteTrack; since 0.30 it is in the package trackers"),
        ("pylette", "pylette 0.31.2 has no extract_colors"),
    ],
)
def test_the_glue_says_what_a_library_lacks(
    library: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = types.SimpleNamespace(ByteTrack=None, Detections=None)
    without = types.ModuleType(library)
    without.__version__ = "0.31.2"  # type: ignore[attr-defined]  # made here
    monkeypatch.setitem(sys.modules, "supervision", whole)
    monkeypatch.setitem(sys.modules, library, without)
    assert main(["bench", "pipeline", "--frames", "6"]) == 0
    assert f"  not measured: {said}" in capsys.readouterr().out
