"""Changes of a settings file: what was asked for is there, all else as somebody wrote it, and the file stays whole."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear import settings as settings_file
from comfywear.errors import SettingsError, StoreError
from comfywear.settings.edit import edited, save
from comfywear.settings.file import sections
from comfywear.settings.toml_lines import parse

ROOT = Path(__file__).resolve().parents[2]
TEXT = """# The office on the second floor.
[camera]  # above the door
source = "x"   # a clip

  [[camera.mask]]
  polygon = [[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]]  # the screen
  name = "screen"

# Who listens.
[mqtt]
host = 'broker.local'

# The part at the window.
[[zones]]
name = "window"
polygon = [
    [0.0, 0.0],  # left
    [0.5, 0.0],
    [0.5, 1.0],
]  # half of it

[[zones.schedule]]
start = "08:00"
end = "17:00"
met = 1.2

# The part at the door.
[[zones]]
name = "door"  # no corners: all of it

# Sensors, each with what it was compared with.
[[sensors]]
uri = "fake://"
# not compared yet
[web]
# enabled = true
"""
SQUARE = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]


def comments(text: str) -> list[str]:
    return re.findall(r"#.*", text)


def test_a_value_is_replaced_and_nothing_else_differs() -> None:
    found = edited(TEXT, {("zones", 1, "name"): "entrance", ("mqtt", "host"): "other"})
    assert found == TEXT.replace('"door"', '"entrance"').replace("'broker.local'", '"other"')


def test_corners_are_replaced_with_the_comments_around_them() -> None:
    found = edited(TEXT, {("zones", 0, "polygon"): SQUARE, ("camera", "mask", 0, "polygon"): SQUARE})
    assert "polygon = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]  # half of it" in found
    assert "  polygon = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]  # the screen" in found
    assert [each for each in comments(TEXT) if each != "# left"] == comments(found)


def test_a_new_field_stands_with_its_table_before_the_comment_of_the_next() -> None:
    found = edited(TEXT, {("sensors", 0, "temp_offset_k"): -0.4, ("mqtt", "port"): 1884, ("web", "enabled"): True})
    assert 'uri = "fake://"\ntemp_offset_k = -0.4\n# not compared yet\n' in found
    assert "host = 'broker.local'\nport = 1884\n\n# The part at the window.\n" in found
    assert comments(found) == comments(TEXT)


def test_a_table_of_a_list_is_added_behind_the_last_and_made_where_there_is_none() -> None:
    found = edited(
        TEXT,
        {
            ("zones", 2): {"name": "new", "polygon": SQUARE},
            ("camera", "mask", 1): {"polygon": SQUARE},
            ("lines", 0): {"name": "door", "points": [[0.1, 0.5], [0.9, 0.5]]},
        },
    )
    data = parse(found, "x")
    assert [zone["name"] for zone in data["zones"]] == ["window", "door", "new"]
    assert data["camera"]["mask"][1] == {"polygon": SQUARE}
    assert data["lines"][0]["name"] == "door"
    assert comments(found) == comments(TEXT)


def test_a_table_is_taken_away_and_the_comment_of_the_next_stays() -> None:
    found = edited(TEXT, {("zones", 0): None})
    assert [zone["name"] for zone in parse(found, "x")["zones"]] == ["door"]
    assert "# The part at the window." in found
    assert '# The part at the door.\n[[zones]]\nname = "door"' in found
    both = edited(TEXT, {("zones", 0): None, ("zones", 1): None, ("camera", "mask", 0): None})
    data = parse(both, "x")
    assert "zones" not in data
    assert "mask" not in data["camera"]
    assert "# Sensors, each" in both
    whole = edited(TEXT, {("zones",): None, ("mqtt",): None})
    assert parse(whole, "x").keys() == {"camera", "sensors", "web"}
    assert "# The part at the window.\n" in whole
    assert "# Sensors, each" in whole


def test_lists_and_tables_in_braces_are_changed_where_they_stand() -> None:
    text = "camera = { source = 'x', mask = [{ polygon = [[0,0],[1,0],[1,1]] }] }  # all in a line\n"
    found = edited(text, {("camera", "mask", 0, "polygon"): SQUARE, ("camera", "fps"): 3.0})
    assert parse(found, "x")["camera"] == {"source": "x", "mask": [{"polygon": SQUARE}], "fps": 3.0}
    assert "# all in a line" in found


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("[camera\n", ("camera", "fps"), "not valid TOML"),
        (TEXT, ("zones", 5, "name"), "there is no zones[6].name"),
        (TEXT, ("zones", 3), "there is no zones[4]"),
        (TEXT, ("mqtt", "host", "x"), "there is no mqtt.host.x"),
        ("[[zones]]\nname='a'\n[mqtt]\nhost='h'\n[[zones]]\nname='b'\n", ("mqtt", "host"), "by hand"),
    ],
)
def test_a_place_that_cannot_be_is_refused_in_words(text: str, path: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        edited(text, {path: "x"})


def test_what_is_taken_away_must_be_there() -> None:
    with pytest.raises(SettingsError, match=re.escape("there is no lines[1]")):
        edited(TEXT, {("lines", 0): None})


def readme() -> str:
    found = re.search(r"```toml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("text", [readme(), (ROOT / "systemd" / "device.toml").read_text("utf-8")])
def test_the_readmes_file_and_the_installers_keep_every_comment(text: str) -> None:
    assert edited(text, {}) == text
    found = edited(text, {("device", "site"): "there", ("climate", "stale_after_s"): 300.0})
    assert comments(found) == comments(text)
    data = parse(text, "x")
    data.setdefault("device", {})["site"] = "there"
    data.setdefault("climate", {})["stale_after_s"] = 300.0
    assert parse(found, "x") == data


@pytest.mark.parametrize("table", [name for name in sections() if "." not in name])
def test_a_field_of_every_table_is_written_and_comments_stay(table: str) -> None:
    several = table in ("cameras", "zones", "lines", "sensors", "thermostats", "buttons")
    header = f"[[{table}]]" if several else f"[{table}]"
    text = f"# before\n{header}  # here\n# a note\nkept = 1  # why\n\n# after\n[next]\n"
    path = (table, 0, "name") if several else (table, "name")
    found = edited(text, {path: "value"})
    assert found == text.replace("# why\n", '# why\nname = "value"\n')


values = st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), st.text(max_size=20))


@given(st.dictionaries(st.sampled_from(["source", "fps", "new", "é x"]), values), st.integers(0, 2))
def test_whatever_is_written_is_read_again(fields: dict[str, Any], where: int) -> None:
    place = (("camera",), ("mqtt",), ("zones", 1))[where]
    found = edited(TEXT, {(*place, name): value for name, value in fields.items()})
    table: Any = parse(found, "x")
    for step in place:
        table = table[step]
    assert {name: table[name] for name in fields} == fields
    assert comments(found)[:1] == ["# The office on the second floor."]


def test_a_saved_file_keeps_owner_mode_and_link_and_the_one_before(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "device.toml"
    real.write_text("[mqtt]\n")
    real.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(real, 12345, 23456)
    link.symlink_to(real)
    save(link, "[mqtt]\nhost = 'h'\n")
    assert link.is_symlink()
    status = real.stat()
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert os.geteuid() != 0 or (status.st_uid, status.st_gid) == (12345, 23456)
    assert settings_file.load(link).mqtt.host == "h"
    kept = tmp_path / "real.toml.previous"
    assert kept.read_text() == "[mqtt]\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640


def test_a_file_that_cannot_be_written_stays_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "device.toml").write_text("a = 1\n")
    (tmp_path / "device.toml.previous").mkdir()  # nothing can be put in its place
    with pytest.raises(StoreError, match="nothing was changed"):
        save(tmp_path / "device.toml", "a = 2\n")
    assert (tmp_path / "device.toml").read_text() == "a = 1\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["device.toml", "device.toml.previous"]
