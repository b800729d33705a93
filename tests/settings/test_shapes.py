"""Outlines that are drawn: what is wrong with them, as the check of the file says it, and what changes in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear import settings as settings_file
from comfywear.errors import SettingsError, UsageError
from comfywear.settings.drawing import changes_of, shapes_of
from comfywear.settings.edit import edited
from comfywear.settings.file import checked
from comfywear.settings.polygons import PicturePoint, area, contains, shared_part
from comfywear.settings.shapes import DrawnShape, findings
from comfywear.settings.toml_lines import parse

BOW_TIE = ((0.1, 0.1), (0.5, 0.5), (0.5, 0.1), (0.1, 0.5))
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
ONE = """# One camera.
[camera]
source = "images:///x"  # the door
[[camera.mask]]
polygon = [[0.0, 0.0], [0.1, 0.0], [0.1, 0.1]]
# The desks.
[[zones]]
name = "desk"
polygon = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]  # the left half
[[zones]]
name = "rest"  # everything else
[[lines]]
name = "door"
points = [[0.1, 0.5], [0.4, 0.5]]
"""
TWO = """
[[cameras]]
name = "south"
source = "images:///x"
[[cameras]]
name = "north"
source = "images:///y"
[[cameras.mask]]
polygon = [[0.0, 0.0], [0.1, 0.0], [0.1, 0.1]]
name = "screen"
[[zones]]
name = "desk"
camera = "south"
[[zones]]
name = "both"
[[zones.views]]
camera = "south"
polygon = [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0]]
[[zones.views]]
camera = "north"
[vision]
attributes = "x"
"""


def codes(*shapes: DrawnShape) -> list[tuple[int, str, bool]]:
    return [(each.shape, each.code, each.blocks) for each in findings(shapes)]


def test_each_thing_that_can_be_wrong_has_its_word() -> None:
    zone = DrawnShape("zone", "a", LEFT)
    assert codes(zone, DrawnShape("zone", "b", RIGHT)) == []
    assert codes(DrawnShape("zone", "a", LEFT[:2])) == [(0, "few", True)]
    assert codes(DrawnShape("zone", "a", BOW_TIE)) == [(0, "crosses", True)]
    assert codes(DrawnShape("mask", "", BOW_TIE), DrawnShape("mask", "", ())) == [
        (0, "crosses", True),
        (1, "few", True),
    ]
    assert codes(DrawnShape("zone", "a", ((0.1, 0.1), (0.13, 0.1), (0.13, 0.13)))) == [(0, "tiny", False)]
    assert codes(zone, DrawnShape("zone", "a", RIGHT), DrawnShape("zone", "", ())) == [
        (1, "twice", True),
        (2, "name", True),
    ]
    assert codes(DrawnShape("zone", "a"), DrawnShape("zone", "b")) == [(1, "whole", False)]
    assert codes(DrawnShape("line", "l", ((0.1, 0.1), (0.11, 0.1)))) == [(0, "short", True)]
    (found,) = findings([zone, DrawnShape("zone", "b", ((0.4, 0.0), (1.0, 0.0), (1.0, 1.0), (0.4, 1.0)))])
    assert (found.shape, found.other, found.code, found.blocks) == (1, 0, "overlaps", False)
    assert found.part == pytest.approx(0.1)


def loaded(folder: Path, text: str) -> list[str]:
    path = folder / "device.toml"
    path.write_text(text)
    return list(settings_file.warnings(settings_file.load(path)))


def test_the_check_of_the_file_says_the_same(tmp_path: Path) -> None:
    tiny = "[[zones]]\nname = 'a'\npolygon = [[0.1, 0.1], [0.13, 0.1], [0.13, 0.13]]\n"
    assert any(
        "hardly anybody will stand in it" in each
        for each in loaded(tmp_path, "[camera]\nsource='images:///x'\n" + tiny)
    )
    with pytest.raises(SettingsError, match="three corners"):
        loaded(tmp_path, "[[zones]]\nname = 'a'\npolygon = [[0.1, 0.1], [0.2, 0.1]]\n")


corner = st.tuples(st.floats(0, 1), st.floats(0, 1))
polygon = st.lists(corner, min_size=0, max_size=6).filter(lambda points: len(points) not in (1, 2))


@given(polygon, polygon)
def test_what_two_share_is_what_lies_in_both_all_over_the_picture(
    one: list[PicturePoint], other: list[PicturePoint]
) -> None:
    steps = [(step + 0.5) / 100 for step in range(100)]
    wanted = sum(contains(one, x, y) and contains(other, x, y) for x in steps for y in steps) / 10_000
    assert shared_part(one, other) == wanted


def test_an_area_is_that_of_its_triangles() -> None:
    assert area(LEFT) == pytest.approx(0.5)
    assert area(tuple(reversed(LEFT))) == pytest.approx(0.5)
    assert area(((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))) == pytest.approx(0.5)


def after(text: str, camera: str, change: list[DrawnShape] | None = None) -> tuple[str, settings_file.Settings]:
    settings = checked(parse(text, "x"), text, "x")
    shapes = shapes_of(settings, camera) if change is None else change
    found = edited(text, changes_of(settings, parse(text, "x"), camera, shapes))
    return found, checked(parse(found, "x"), found, "x")


@pytest.mark.parametrize(
    ("text", "camera"), [(ONE, "camera"), (TWO, "south"), (TWO, "north"), ("[camera]\nsource='x'\n", "camera")]
)
def test_a_drawing_that_is_kept_as_it_was_changes_nothing(text: str, camera: str) -> None:
    text = text.replace("source='x'", "source='images:///x'")
    assert after(text, camera)[0] == text


def test_corners_move_and_shapes_come_and_go_with_all_comments_kept() -> None:
    mask, line = DrawnShape("mask", "screen", LEFT, 0), DrawnShape("line", "door", ((0.2, 0.5), (0.4, 0.5)), 0)
    found, settings = after(
        ONE, "camera", [DrawnShape("zone", "desk", RIGHT, 0), DrawnShape("zone", "new", LEFT), mask, line]
    )
    assert [(zone.name, tuple(zone.polygon)) for zone in settings.zones] == [("desk", RIGHT), ("new", LEFT)]
    assert [(each.name, tuple(each.polygon)) for each in settings.camera.mask] == [("screen", LEFT)]
    assert settings.lines[0].points[0] == (0.2, 0.5)
    for comment in ("# One camera.", "# the door", "# The desks.", "# the left half"):
        assert comment in found
    found, settings = after(ONE, "camera", [DrawnShape("zone", "rest", (), 1)])
    assert ([zone.name for zone in settings.zones], settings.camera.mask, settings.lines) == (["rest"], [], [])
    assert "# everything else" in found


def test_of_two_cameras_each_has_its_own() -> None:
    settings = checked(parse(TWO, "x"), TWO, "x")
    south, north = shapes_of(settings, "south"), shapes_of(settings, "north")
    assert [(each.kind, each.name, each.place) for each in south] == [("zone", "desk", 0), ("zone", "both", 1)]
    assert [(each.kind, each.name, each.place) for each in north] == [("zone", "both", 1), ("mask", "screen", 0)]
    drawn = [DrawnShape("zone", "both", LEFT, 1), DrawnShape("zone", "door", RIGHT), DrawnShape("mask", "m", LEFT)]
    _, changed = after(TWO, "north", drawn)
    assert [tuple(view.polygon) for view in changed.zones[1].views] == [tuple(settings.zones[1].views[0].polygon), LEFT]
    assert (changed.zones[2].name, changed.zones[2].camera) == ("door", "north")
    assert [mask.name for mask in changed.cameras[1].mask] == ["m"]


def test_the_zone_that_no_file_names_is_written_down_with_the_first_that_is_drawn() -> None:
    text = "[camera]\nsource = 'images:///x'\n"
    _, settings = after(text, "camera", [DrawnShape("zone", "room", (), 0), DrawnShape("zone", "window", LEFT)])
    assert [zone.name for zone in settings.zones] == ["room", "window"]
    _, settings = after(text, "camera", [DrawnShape("zone", "window", LEFT)])
    assert [zone.name for zone in settings.zones] == ["window"]


def test_a_place_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(UsageError, match="no mask at the place 7"):
        after(ONE, "camera", [DrawnShape("mask", "", LEFT, 7)])
