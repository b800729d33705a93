"""Lines between zones: counted by the day, kept over restarts, told over MQTT and to Home Assistant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import pytest
from listener import Listener
from made_room import Standing, picture

from comfywear import settings as settings_file
from comfywear.cli import main
from comfywear.device.device import Device
from comfywear.device.sight.vision_worker import lines_of
from comfywear.device.zones.line_counts import FILE_NAME, SAVE_EVERY_S, LineCounts
from comfywear.errors import SettingsError
from comfywear.publishing import Topics
from comfywear.publishing.homeassistant.discovery import Facts, discovery
from comfywear.publishing.messages.line import CrossingMessage, LineMessage
from comfywear.records import LineCount
from comfywear.vision.people.lines import Crossing
from waiting import until

IN, OUT = Crossing("door", "in", 1), Crossing("door", "out", 1)


class Days:
    """A calendar and a clock that move when told to."""

    def __init__(self) -> None:
        self.day: str | None = "2027-01-02"
        self.now_s = 0.0

    def counts(self, folder: Path) -> LineCounts:
        return LineCounts(folder, ["door", "gate"], lambda: self.day, lambda: self.now_s)


def test_counts_are_those_of_the_local_day_and_kept_over_restarts(tmp_path: Path) -> None:
    days = Days()
    counts = days.counts(tmp_path)
    assert [(each.entered, each.left) for each in counts.take([IN, IN, OUT])] == [(1, 0), (2, 0), (2, 1)]
    counts.save()
    assert days.counts(tmp_path).counts() == [
        LineCount("door", "2027-01-02", 2, 1),
        LineCount("gate", "2027-01-02", 0, 0),
    ]
    again = days.counts(tmp_path)
    days.day = "2027-01-03"
    assert [(each.entered, each.left) for each in again.take([OUT])] == [(0, 1)], "a day begins with nobody"
    again.save()
    assert days.counts(tmp_path).counts()[0] == LineCount("door", "2027-01-03", 0, 1)


def test_while_the_clock_is_not_set_it_is_still_the_day_that_was_known(tmp_path: Path) -> None:
    days = Days()
    counts = days.counts(tmp_path)
    counts.take([IN])
    counts.save()
    days.day = None
    again = days.counts(tmp_path)
    assert [each.entered for each in again.take([IN])] == [2]
    fresh = LineCounts(tmp_path / "new", ["door"], lambda: days.day, lambda: 0.0)
    fresh.take([IN])
    days.day = "2027-01-02"
    fresh.take(())
    assert fresh.counts() == [LineCount("door", "2027-01-02", 1, 0)], "what was counted before is of that day"


def test_a_busy_door_is_written_down_now_and_then_alone(tmp_path: Path) -> None:
    days = Days()
    counts = days.counts(tmp_path)
    counts.take([IN])
    counts.take([IN])
    assert days.counts(tmp_path).counts()[0].entered == 1
    days.now_s = SAVE_EVERY_S
    counts.take(())
    assert days.counts(tmp_path).counts()[0].entered == 2


@pytest.mark.parametrize("content", [b"{", b'{"lines": {"door": 3}}', b"\xff"])
def test_a_damaged_file_begins_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert [each.entered for each in Days().counts(tmp_path).take([IN])] == [1]


def test_where_nothing_can_be_written_it_goes_on_counting(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    counts = Days().counts(tmp_path / "gone")
    assert [each.entered for each in counts.take([IN, IN])] == [1, 2]
    assert "a restart would forget today's counts" in caplog.text


ZONES = "[[zones]]\nname = 'office'\npolygon = [[0, 0], [0.4, 0], [0.4, 1], [0, 1]]\n[[zones]]\nname = 'rest'\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("points = [[0.1, 0.5]]", "two points"),
        ("points = [[0.5, 0.5], [0.5, 0.51]]", "less than 0.02"),
        ("points = [[0.5, 0.5], [0.5, 1.5]]", "1.5|<= 1"),
        ("points = [[0.5, 0], [0.5, 1]]\ncamera = 'roof'", "No camera is named 'roof'; the cameras are: camera"),
        ("points = [[0.5, 0], [0.5, 1]]\nzone = 'rest'", "A zone with a polygon in this picture is wanted"),
        ("points = [[0.2, 0], [0.2, 1]]\nzone = 'office'", "runs through the middle of this zone"),
        ("points = [[0.5, 0], [0.5, 1]]\ninside = 'up'", "'up'"),
        (
            "points = [[0.5, 0], [0.5, 1]]\n[[lines]]\nname = 'door'\npoints = [[0.1, 0], [0.1, 1]]",
            "Two lines are named",
        ),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused_in_words(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "device.toml"
    path.write_text(f"[camera]\nsource = '/x.png'\n{ZONES}[[lines]]\nname = 'door'\n{line}\n")
    with pytest.raises(SettingsError, match=said):
        settings_file.load(path)


def test_a_zone_says_which_side_is_in(tmp_path: Path) -> None:
    path = tmp_path / "device.toml"
    line = "[[lines]]\nname = 'door'\npoints = [[0.5, 0], [0.5, 1]]\nzone = 'office'\n"
    path.write_text(f"[camera]\nsource = '/x.png'\n{ZONES}{line}")
    (found,) = lines_of(settings_file.load(path), "camera")
    assert found.inside == "right", "downwards the picture's left is on the right"


def test_home_assistant_has_the_counts_of_the_day_and_each_crossing() -> None:
    facts = Facts("1", 10, 60, lines=("door",))
    (message,) = discovery("homeassistant", Topics("home", "d1"), {"room": "room"}, facts).values()
    parts = message["components"]
    assert parts["line_in-door"]["state_topic"] == "comfywear/v1/home/d1/line/door/count"
    assert parts["line_out-door"]["state_class"] == "total_increasing"
    assert parts["line_crossed-door"]["event_types"] == ["in", "out"]


def test_lines_are_drawn_with_the_side_that_is_in(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "room.png"), picture("south", []))
    path = tmp_path / "device.toml"
    drawn = []
    for inside in ("left", "right"):
        line = f"[[lines]]\nname = 'door'\npoints = [[0.5, 0.1], [0.5, 0.9]]\ninside = '{inside}'\n"
        path.write_text(f"[camera]\nsource = '{tmp_path / 'room.png'}'\n{line}")
        assert main(["zones", "--config", str(path), "--out", str(tmp_path / "out.png")]) == 0
        found = cv2.imread(str(tmp_path / "out.png"))
        assert found is not None
        yellow = (abs(found.astype(int) - (60, 220, 255)) < 40).all(axis=2)
        half = found.shape[1] // 2
        drawn.append((yellow[:, : half - 6].sum(), yellow[:, half + 6 :].sum()))
    (left, right), (other_left, other_right) = drawn
    assert left < other_left, "downwards the left is on the picture's right"
    assert right > other_right


def test_a_device_counts_who_walks_through_the_room(tmp_path: Path, mosquitto: Any) -> None:
    folder = tmp_path / "walk"
    folder.mkdir()
    ways = [1.0, 1.4, 1.8, 2.2, 2.6, 3.0, 3.4, 3.8, 4.2, 4.6, 5.0]
    there = [*[ways[0]] * 4, *ways, *[ways[-1]] * 4]
    for index, x_m in enumerate([*there, *there[::-1]]):
        cv2.imwrite(str(folder / f"{index:03}.png"), picture("south", [Standing(x_m, 1.0)]))
    path = tmp_path / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n[mqtt]\nhost = '127.0.0.1'\n"
        f"port = {mosquitto.port}\ninterval_s = 0.5\n[camera]\nsource = 'images://{folder}'\nhold_s = 0\nfps = 2\n"
        "[[lines]]\nname = 'middle'\npoints = [[0.5, 0.5], [0.5, 1.0]]\ninside = 'left'\n"
    )
    with Listener(mosquitto.port) as consumer, Device(settings_file.load(path)):
        until(lambda: len(consumer.messages(CrossingMessage)) == 2)
        assert [(each.kind, each.entered, each.left) for each in consumer.messages(CrossingMessage)] == [
            ("in", 1, 0),
            ("out", 1, 1),
        ]
        until(lambda: (consumer.newest(LineMessage) or LineMessage).left == 1)
    with Listener(mosquitto.port) as late:
        until(lambda: late.newest(LineMessage))
        kept = late.messages(LineMessage)[-1]
        assert (kept.entered, kept.left) == (1, 1), "also for who comes later"
    assert LineCounts(tmp_path / "state", ["middle"]).counts()[0].entered == 1
