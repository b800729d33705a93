"""What the page shows, and what it needs of a device: plain records and one protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from comfywear.web.history import Point

__all__ = [
    "Accepted",
    "AirNow",
    "ComfortNow",
    "Day",
    "DayVote",
    "Field",
    "Now",
    "PageDevice",
    "PersonNow",
    "Recording",
    "SettingsTable",
    "WornNow",
    "Zone",
]


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone: `name` is its own, `title` is what to show for it."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class AirNow:
    """The air: °C and % relative humidity; None with the reason in words where it is not known."""

    air_temp_c: float | None
    humidity_pct: float | None
    reason: str | None
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class WornNow:
    """A garment that is seen on somebody: its kind, its main colour's name and sRGB value, where it has one."""

    kind: str
    colour: str | None = None
    rgb: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class PersonNow:
    """What one person wears, and its insulation in clo."""

    garments: tuple[WornNow, ...]
    clo: float | None


@dataclass(frozen=True, slots=True)
class ComfortNow:
    """What is expected: vote −3…+3, level 1…5, parts (0…1) who want it cooler, as it is, or warmer; and the advice."""

    expected_vote: float | None
    level: int | None
    preference: Mapping[str, float]
    advice: tuple[str, ...]
    reason: str | None


@dataclass(frozen=True, slots=True)
class Recording:
    """Whether pictures of people are being kept, and how many are there."""

    active: bool
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Now:
    """A zone at this moment.

    Attributes:
        zone: Its name.
        air: Its air.
        people: Who is seen; None where there is no picture, and `unseen` then says why.
        unseen: Why there is no picture.
        comfort: What is expected.
        learnt: What has been learnt from the votes, in words.
        question: Why a vote would help most now, in words.
        votes: How many votes of this zone count.
        recording: Whether pictures are kept.
        sketch: "on", or "off" where the settings switch it off or there is no camera.
        troubles: Parts of the device that do not work now, in words.
        showing: The device's name while somebody wants to see which one it is, else None.
    """

    zone: str
    air: AirNow
    people: tuple[PersonNow, ...] | None
    unseen: str | None
    comfort: ComfortNow
    learnt: str | None
    question: str | None
    votes: int
    recording: Recording
    sketch: Literal["on", "off"] = "off"
    troubles: tuple[str, ...] = ()
    showing: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A vote that was committed, how long it can be undone in seconds, and what has been learnt in all."""

    id: str
    zone: str
    level: int
    undo_s: float
    learnt: str | None


@dataclass(frozen=True, slots=True)
class DayVote:
    """A vote of the day: Unix time in seconds, level 1…5."""

    unix_s: float
    level: int


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours of a zone, up to `until_s` (Unix time); `time_ok` false while the clock is not set."""

    zone: str
    since_s: float
    until_s: float
    time_ok: bool
    points: tuple[Point, ...]
    votes: tuple[DayVote, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A setting: its title, its value in words (never a secret), unit and meaning."""

    title: str
    value: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class SettingsTable:
    """A table of the settings file."""

    title: str
    meaning: str
    fields: tuple[Field, ...]


class PageDevice(Protocol):
    """What the page asks of a device. Every method may be called from any thread."""

    def zones(self) -> Sequence[Zone]:
        """The zones, the first is shown where none was chosen."""

    def now(self, zone: str) -> Now:
        """How a zone is."""

    def day(self, zone: str) -> Day:
        """The last 24 hours of a zone."""

    def vote(self, zone: str | None, level: int, source: str, person: str | None) -> Accepted:
        """Commit a vote; raises UsageError for one that cannot be, StoreError when it could not be stored."""

    def undo(self, vote_id: str) -> None:
        """Take a vote back; raises as `vote`."""

    def sketch(self) -> bytes | None:
        """The newest sketch as JPEG; None while there is none."""

    def settings(self) -> Sequence[SettingsTable]:
        """The settings without secrets."""

    def metrics(self) -> bytes:
        """How the device is, in the text that Prometheus collects."""
