"""What a device learns: from stored votes alone, with reset, roll-back, questions, and what is usual in its rooms."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from comfywear import settings as settings_file
from comfywear.comfort import SCALE, ComfyWear, clothing_of_names
from comfywear.commands.learning import shown
from comfywear.device.device import Device
from comfywear.device.zones.estimator import Estimator
from comfywear.errors import StoreError, UsageError
from comfywear.feedback import Selection, Snapshot, VoteStore, ask
from comfywear.learning.asking import Asking
from comfywear.learning.lessons import Lessons
from comfywear.learning.usual_air import LEAST_S, UsualAir, season_of, site_of
from comfywear.records import Climate, Pressed, ZoneEstimate
from comfywear.settings import ComfortSettings
from comfywear.settings.learning import LearningSettings, SiteSettings
from comfywear.system.clock import WallTime
from waiting import until

WEARING = clothing_of_names(["shirt", "trousers"])
MODEL = ComfyWear()


class HandClock:
    """A wall clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, 12, tzinfo=timezone.utc)
        self.is_set = True

    def __call__(self) -> WallTime:
        return WallTime(self.now.isoformat(timespec="milliseconds"), True) if self.is_set else WallTime(None, False)

    def pass_hours(self, hours: float) -> None:
        self.now += timedelta(hours=hours)


class Room:
    """A store of votes and the lessons from it, without a device around them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = HandClock()
        self.store = VoteStore(
            None, zones=["desk", "window"], scale_id=SCALE.id, scale_words=SCALE.words, clock=self.clock
        )
        self.lessons = self.make()

    def make(self) -> Lessons:
        zones, learning = ("desk", "window"), LearningSettings()
        return Lessons(self.folder, zones, learning, self.store.pressed, clock=self.clock)

    def press(self, level: int, count: int = 1, air_temp_c: float = 27.0, **who: str) -> str:
        snapshot = Snapshot(comfort=MODEL.estimate(air_temp_c, 50.0, WEARING), clothing=WEARING)
        for _ in range(count):
            self.clock.pass_hours(12)
            vote = self.store.accept("desk", level, "wall", snapshot, person=who.get("person"))
            self.lessons.after_vote(vote)
        return vote.id

    def likes_warmer_k(self) -> float:
        self.lessons.tick(0.0)
        lesson = self.lessons.lesson("desk")
        return lesson.likes_warmer_k if lesson else 0.0


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.store.close()


def test_votes_teach_their_zone_alone_and_it_is_said_in_words(room: Room) -> None:
    room.press(1, 23)
    assert room.likes_warmer_k() < -0.1
    assert room.lessons.summary("desk") == (
        f"learnt from 23 votes; your zone likes it {-room.likes_warmer_k():.1f} K cooler than the model"
    )
    assert room.lessons.summary("window") is None
    assert room.lessons.taught("window") is None


def test_undo_and_deletion_leave_what_the_other_votes_alone_would_have_taught(room: Room) -> None:
    room.press(4, 6)
    before = room.likes_warmer_k()
    undone = room.press(1)
    room.clock.pass_hours(-12)
    assert room.likes_warmer_k() != before
    room.lessons.after_undo(room.store.undo(undone))
    assert room.likes_warmer_k() == pytest.approx(before, abs=1e-6)
    room.clock.pass_hours(1)
    since = room.clock().ts
    room.press(1, 3)
    room.lessons.after_delete(room.store.delete(Selection(since=since)))
    room.clock.pass_hours(-37)
    assert room.likes_warmer_k() == pytest.approx(before, abs=1e-6)


def test_what_could_not_be_read_is_learnt_soon_and_not_hours_later(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.press(5, 4)
    broken = True

    def pressed(most: int, zone: str | None) -> list[Pressed]:
        if broken:
            raise StoreError("the store of votes cannot be read (disk I/O error)")
        return room.store.pressed(most, zone)

    lessons = Lessons(room.folder, ("desk", "window"), LearningSettings(), pressed, clock=room.clock)
    for now_s in (0.0, 0.2, 5.0, 15.0):
        lessons.tick(now_s)
    assert lessons.lesson("desk") is None
    assert len([record for record in caplog.records if "cannot be learnt from" in record.getMessage()]) == 1
    broken = False
    lessons.tick(30.0)
    lesson = lessons.lesson("desk")
    assert lesson is not None
    assert lesson.votes == 4


def test_a_restart_learns_the_same_again(room: Room) -> None:
    room.press(2, 8)
    before = room.likes_warmer_k()
    again = room.make()
    again.tick(0.0)
    found = again.lesson("desk")
    assert found is not None
    assert found.likes_warmer_k == before


def test_a_reset_forgets_and_a_roll_back_brings_it_back(room: Room) -> None:
    room.press(1, 10)
    before = room.likes_warmer_k()
    assert "forgotten" in room.lessons.reset("desk")
    assert room.lessons.summary("desk") is None
    room.press(5, 4)
    assert room.likes_warmer_k() > before
    lesson = room.lessons.lesson("desk")
    assert lesson is not None
    assert lesson.votes == 4
    snapshots = room.lessons.log.snapshots("desk")
    number = max(index for index, each in enumerate(snapshots, 1) if each.votes == 10)
    assert "10 votes" in room.lessons.rollback("desk", number)
    assert room.likes_warmer_k() == pytest.approx(before, abs=0.05)  # the votes have grown two days older
    again = room.make()
    again.tick(0.0)
    found = again.lesson("desk")
    assert found is not None
    assert found.votes == 10


def test_votes_after_a_roll_back_teach_again(room: Room) -> None:
    room.press(4, 5)
    room.likes_warmer_k()
    room.lessons.reset("desk")
    room.lessons.rollback("desk")
    room.press(4)
    room.likes_warmer_k()
    lesson = room.lessons.lesson("desk")
    assert lesson is not None
    assert lesson.votes == 6


def test_what_cannot_be_rolled_back_or_meant_is_refused(room: Room) -> None:
    with pytest.raises(UsageError, match="no snapshot"):
        room.lessons.rollback("desk")
    with pytest.raises(UsageError, match="roof"):
        room.lessons.check("roof")
    with pytest.raises(UsageError, match="say which zone"):
        room.lessons.check(None)
    room.clock.is_set = False
    with pytest.raises(UsageError, match="clock"):
        room.lessons.reset("desk")


def test_votes_without_a_set_clock_are_learnt_from(room: Room) -> None:
    room.clock.is_set = False
    room.press(1, 5)
    assert room.likes_warmer_k() < 0.0


def test_a_damaged_file_of_snapshots_is_passed_over(room: Room) -> None:
    (room.folder / "learning.json").write_text("{")
    again = room.make()
    room.press(1, 2)
    again.tick(0.0)
    assert again.summary("desk") is not None


def estimate(air_temp_c: float = 23.0) -> dict[str, ZoneEstimate]:
    climate = Climate(zone="desk", state="fresh", air_temp_c=air_temp_c, humidity_pct=45.0)
    return {"desk": Estimator(ComfortSettings()).zone(climate, ())}


def test_a_question_stands_until_it_is_answered_and_a_restart_asks_no_more_of_them(room: Room) -> None:
    def make(**change: int) -> Asking:
        given = LearningSettings(ask_from_hour=0, ask_to_hour=24, **change)
        return Asking(room.folder, ["desk"], given, room.lessons.weight, room.clock)

    asking = make(questions_per_day=1)
    light: list[bool] = []
    asking.on_change.append(lambda zone, asked: light.append(asked is not None))
    assert asking.of("desk") is None
    asking.tick(0.0, estimate(), camera=False)
    question = asking.of("desk")
    assert question is not None
    assert "nobody has voted" in (question.why or "")
    room.press(4)
    assert light == [True]
    asking.after_vote(room.store.newest(1)[0])
    assert asking.of("desk") is None
    assert light == [True, False]
    room.clock.pass_hours(-12)
    again = make(questions_per_day=1)
    again.tick(1e5, estimate(30.0), camera=False)
    assert again.of("desk") is None
    room.clock.pass_hours(24)
    again.tick(2e5, estimate(30.0), camera=False)
    assert again.of("desk") is not None
    again.tick(2e5 + 1300.0, estimate(30.0), camera=False)
    assert again.of("desk") is None


def test_votes_fade_so_that_a_zone_is_asked_anew(room: Room) -> None:
    for _ in range(3):
        room.press(4, 8)
        room.clock.pass_hours(24)
    room.lessons.tick(0.0)
    assert room.lessons.weight("window") == 0.0
    enough = room.lessons.weight("desk")
    assert 0.0 < enough <= 24.0
    room.clock.pass_hours(24 * 180)
    room.lessons.tick(1e6)
    assert room.lessons.weight("desk") == pytest.approx(enough / 4.0, rel=0.05)


def test_an_empty_room_and_a_night_have_no_question(room: Room) -> None:
    asking = Asking(room.folder, ["desk"], LearningSettings(), room.lessons.weight, room.clock)
    room.clock.now = room.clock.now.astimezone().replace(hour=3).astimezone(timezone.utc)
    asking.tick(0.0, estimate(), camera=False)
    assert asking.of("desk") is None
    room.clock.now = room.clock.now.astimezone().replace(hour=12).astimezone(timezone.utc)
    asking.tick(1.0, estimate(), camera=True)
    assert asking.of("desk") is None


def test_what_is_usual_is_learnt_in_days_and_outlives_a_restart(tmp_path: Path) -> None:
    usual = UsualAir(tmp_path, ["desk"], 21.0)
    minutes = int(LEAST_S / 60) + 10
    for minute in range(minutes):
        assert usual.of("desk") is None or minute * 60 >= LEAST_S - 120
        usual.note("desk", 23.0 if minute % 2 else 25.0, minute * 60.0)
        usual.note("desk", 99.0, minute * 60.0 + 1.0)  # within the same minute
    usual.note("desk", None, 1e7)
    usual.keep(1e7, now=True)
    again = UsualAir(tmp_path, ["desk", "window"], 21.0)
    found = again.of("desk")
    assert found is not None
    assert found == pytest.approx((24.0, 1.0), abs=0.01)
    assert again.of("window") is None


def test_a_file_of_usual_air_that_cannot_be_true_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "usual.json").write_text('{"zones":{"desk":{"seconds":-5,"mean_c":20,"square_k2":1}}}')
    assert UsualAir(tmp_path, ["desk"], 21.0).of("desk") is None


def test_a_full_disk_is_said_and_the_means_go_on(tmp_path: Path) -> None:
    def full(path: Path, value: object) -> None:
        raise StoreError("no room")

    usual = UsualAir(tmp_path, ["desk"], 21.0, full)
    usual.note("desk", 22.0, 0.0)
    with pytest.raises(StoreError):
        usual.keep(1e4)
    usual.note("desk", 22.0, 1e4)


@pytest.mark.parametrize(
    ("latitude", "month", "season"),
    [(52.0, 7, "warm"), (52.0, 1, "cool"), (-34.0, 1, "warm"), (-34.0, 7, "cool"), (5.0, 7, None), (None, 7, None)],
)
def test_the_season_follows_the_date_and_the_hemisphere(latitude: float | None, month: int, season: str | None) -> None:
    assert season_of(latitude, datetime(2027, month, 15, tzinfo=timezone.utc)) == season
    assert season_of(latitude, None) is None


def test_the_settings_facts_and_the_usual_air_become_the_site() -> None:
    given = SiteSettings(country="germany", cooling="naturally ventilated", climate="other")
    site = site_of(given, (22.5, 1.5), None)
    assert (site.country, site.cooling, site.usual_temp_c, site.season) == (
        "germany",
        "naturally ventilated",
        22.5,
        None,
    )
    said = MODEL.estimate(23.0, 45.0, WEARING, site=site).assumptions
    assert not any("guessed from the present" in sentence for sentence in said)
    assert any("guessed from the present" in sentence for sentence in MODEL.estimate(23.0, 45.0, WEARING).assumptions)


def test_a_running_device_learns_shows_resets_and_rolls_back(tmp_path: Path) -> None:

    path, state = tmp_path / "device.toml", tmp_path / "state"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{state}'\n[[sensors]]\nuri = 'fake://'\n[votes]\nrepeat_s = 0.0\n"
    )

    def until_said(word: str) -> str:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            text = shown(ask(state, {"verb": "learning-show"})["zones"][0])
            if word in text:
                return text
            time.sleep(0.05)
        raise AssertionError(f"never said {word!r}: {text}")

    with Device(settings_file.load(path)) as device:
        until(lambda: device.estimates() and device.estimates()["room"].comfort.probabilities)
        for _ in range(3):
            ask(state, {"verb": "vote", "level": 1})
        until_said("learnt from 3 votes")
        assert "3 votes" in (device.learning.summary("room") or "")
        assert "forgotten" in ask(state, {"verb": "learning-reset"})["said"]
        until_said("nothing learnt yet")
        assert "learnt from 3 votes" in ask(state, {"verb": "learning-rollback"})["said"]
        with pytest.raises(UsageError, match="snapshot"):
            ask(state, {"verb": "learning-rollback", "to": 99})
        with pytest.raises(UsageError, match="number"):
            ask(state, {"verb": "learning-rollback", "to": "x"})
