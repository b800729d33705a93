"""A few hundred foreign inputs at every door; `scripts/fuzz` tries more, and others."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "bench" / "fuzz"


def module(name: str) -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    try:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        sys.modules[name] = found
        spec.loader.exec_module(found)
    finally:
        sys.path.remove(str(FOLDER))
    return found


DOORS = module("doors").DOORS
FUZZ = module("fuzz").fuzz


@pytest.mark.parametrize("name", sorted(DOORS))
def test_a_door_reads_what_is_meant_or_refuses_it_in_words(name: str) -> None:
    tried, fault = FUZZ(DOORS[name], 1.0, 1)
    assert fault == ""
    assert tried > 0
