"""Drawings of a device: who stands in the shapes as they are drawn, and a settings file that others change, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from comfywear import settings as settings_file
from comfywear.device.page.drawing import PageDrawings
from comfywear.device.upkeep.settings_file import SettingsFile
from comfywear.errors import SettingsError, StoreError, UsageError
from comfywear.records import Frame, Person
from comfywear.settings.shapes import DrawnShape

LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
TEXT = "# The office.\n[camera]\nsource = 'images:///x'\n[[zones]]\nname = 'desk'\n"


def person(number: int, x: float, y: float) -> Person:
    return Person(number, (640 * x - 20, 480 * y - 100, 640 * x + 20, 480 * y), 0.9, (), {}, 0.0, "desk")


def drawings(path: Path, reloaded: list[bool]) -> PageDrawings:
    frame = Frame(np.zeros((480, 640, 3), np.uint8), 1, 0.0, "images:///x")
    seen = {"camera": (frame, [person(1, 0.2, 0.9), person(2, 0.4, 0.5), person(3, 0.8, 0.9)])}
    return PageDrawings(SettingsFile(path, lambda: reloaded.append(True)), settings_file.load(path), lambda: seen)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "device.toml").write_text(TEXT)
    return tmp_path / "device.toml"


def test_people_are_counted_where_they_stand_as_the_zones_do_it(path: Path) -> None:
    shapes = [
        DrawnShape("zone", "rest"),
        DrawnShape("zone", "left", LEFT),
        DrawnShape("mask", "", LEFT),
        DrawnShape("zone", "bad", LEFT[:2]),
    ]
    checked = drawings(path, []).check("camera", shapes)
    assert checked.counts == (1, 2, 0, 0)
    assert [(each.shape, each.code) for each in checked.findings] == [(3, "few")]
    assert drawings(path, []).check("elsewhere", shapes).counts is None


def test_a_drawing_of_a_file_changed_meanwhile_is_refused(path: Path) -> None:
    reloaded: list[bool] = []
    plan = drawings(path, reloaded)
    drawing = plan.drawing(None)
    assert (drawing.camera, drawing.in_use, drawing.all_but) == ("camera", True, False)
    path.write_text(TEXT + "# by hand\n")
    with pytest.raises(UsageError, match="changed by somebody else"):
        plan.keep(None, [DrawnShape("zone", "desk", LEFT, 0)], drawing.version)
    plan.keep(None, [DrawnShape("zone", "desk", LEFT, 0)], plan.drawing(None).version)
    assert reloaded == [True]
    assert "# by hand" in path.read_text()
    assert not plan.drawing(None).in_use, "until the device has begun anew"


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([DrawnShape("zone", "desk", LEFT[:2], 0)], "few"),
        ([DrawnShape("zone", "desk", LEFT, 0), DrawnShape("zone", "no good", LEFT)], "name"),
        ([DrawnShape("zone", "desk", ((0.0, 0.0), (2.0, 0.0), (0.5, 1.0)), 0)], "in parts of the picture"),
        ([DrawnShape("zone", "desk", LEFT, 5)], "no zone at the place 5"),
    ],
)
def test_what_cannot_be_kept_changes_nothing(path: Path, shapes: list[DrawnShape], said: str) -> None:
    plan = drawings(path, [])
    with pytest.raises(UsageError, match=said):
        plan.keep(None, shapes, plan.drawing(None).version)
    assert path.read_text() == TEXT
    assert not path.with_name("device.toml.previous").exists()


def test_a_file_that_is_gone_broken_or_none_is_said(path: Path) -> None:
    plan = drawings(path, [])
    path.write_text("[camera\n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        plan.drawing(None)
    path.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        plan.drawing(None)
    with pytest.raises(UsageError, match="without a settings file"):
        SettingsFile(None, None).read()
