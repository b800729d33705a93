"""The sheet in the docs shows people and, as much, places where nobody is."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "sheet_pictures.py"


def test_the_sheet_has_an_empty_office_a_jacket_on_a_chair_and_an_animal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("sheet_pictures", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", ["sheet_pictures.py", str(tmp_path)])
    module.main()
    found = {path.name.partition("_")[2]: cv2.imread(str(path)) for path in tmp_path.iterdir()}
    assert len(found) == 8
    empty, jacket = found["An_empty_office_(drawn).png"], found["Her_jacket_on_its_chair_(made).png"]
    assert found["Cat_(S._van_der_Walt,_CC0).png"] is not None
    changed = np.argwhere((empty != jacket).any(2))
    assert 0.02 < len(changed) / empty[..., 0].size < 0.1
    assert changed.min(0).tolist() >= [200, 290]
