"""What the page shows, and what it needs of a device: plain records and one protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

from comfywear.web.calibrations import Calibrations
from comfywear.web.drawings import Drawings
from comfywear.web.history import Point
from comfywear.web.restores import Restores
from comfywear.web.settings_form import SettingsTaker

__all__ = [
    "SCHEMES",
    "SPANS",
    "Accepted",
    "AirNow",
    "ComfortNow",
    "Day",
    "DayVote",
    "Field",
    "Find",
    "Finds",
    "HeldCorrection",
    "LikedNow",
    "LineNow",
    "ListedChange",
    "Looking",
    "MadeBackup",
    "Now",
    "OutdoorsNow",
    "PageDevice",
    "PersonNow",
    "PresenceNow",
    "Recording",
    "SettingsTable",
    "Span",
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
class LikedNow:
    """The air temperature that would please most, where 80 % are satisfied, and what a thermostat should be set to, °C.

    Each is None where it is not known, or where nothing satisfies so many.
    """

    preferred_c: float | None = None
    low_80_c: float | None = None
    high_80_c: float | None = None
    setpoint_c: float | None = None


@dataclass(frozen=True, slots=True)
class OutdoorsNow:
    """The weather, and what adaptive comfort makes of it; None where that is not known.

    Attributes:
        air_temp_c: Outdoors, °C; None with the `reason` in words.
        category: EN 16798-1: "I", "II", "III" or "outside".
        low_c, high_c: Bounds of its category II, °C.
        reason: Why there is no temperature.
    """

    air_temp_c: float | None
    category: str | None = None
    low_c: float | None = None
    high_c: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """Whether pictures of people are being kept, and how many are there."""

    active: bool
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Looking:
    """Whether a camera may look; `held` where a switch at the device says that it may not."""

    camera: str
    private: bool
    held: bool = False


@dataclass(frozen=True, slots=True)
class PresenceNow:
    """Whether anybody is there, how many (None = not known), since when (ISO 8601 UTC), and why it is not known."""

    state: Literal["occupied", "empty", "unknown"]
    count: int | None
    since: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LineNow:
    """How many crossed a line today."""

    name: str
    entered: int
    left: int


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
        liked: Which temperature would please.
        showing: The device's name while somebody wants to see which one it is, else None.
        cameras: Whether each may look.
        presence: Whether anybody is there; None without a camera.
        grey: Whether the pictures have no colours now, so that those of garments are not known.
        lines: The lines of the device.
        outdoors: The weather; None where nobody says it.
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
    cameras: tuple[Looking, ...] = ()
    presence: PresenceNow | None = None
    grey: bool = False
    lines: tuple[LineNow, ...] = ()
    liked: LikedNow = LikedNow()
    outdoors: OutdoorsNow | None = None


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


Span = Literal["day", "week", "month"]
"""How far back a chart goes: 24 hours, 7 days, 30 days."""
SPANS: tuple[Span, ...] = get_args(Span)
SCHEMES = ("light", "dark")
"""Of a page's colours."""


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours of a zone, or 7 or 30 days, up to `until_s` (Unix time).

    `time_ok` is false while the clock is not set. Points stand for a minute in a day, and are means of a quarter of an
    hour in a week, of an hour in a month.
    """

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


@dataclass(frozen=True, slots=True)
class Find:
    """A person who is found: number, zone, certainty 0…1, box (left, top, right, bottom) in parts of the picture.

    `camera` says in whose picture, where there are several.
    """

    number: int
    zone: str
    score: float
    box: tuple[float, float, float, float]
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class HeldCorrection:
    """A correction that holds: at its box nobody is ("reject"), or somebody is ("miss"); `ts` is ISO 8601 UTC."""

    number: int
    kind: Literal["reject", "miss"]
    box: tuple[float, float, float, float]
    ts: str | None
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class Finds:
    """Who is found now, and the corrections."""

    finds: tuple[Find, ...] = ()
    corrections: tuple[HeldCorrection, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedChange:
    """Something that was changed: when (ISO 8601 UTC; None while the clock was not set), what, and from where."""

    ts: str | None
    what: str
    detail: str
    origin: str


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A backup: the file, which whoever sends it removes, and the name to keep it under."""

    file: Path
    name: str


class PageDevice(SettingsTaker, Protocol):
    """What the page asks of a device. Every method may be called from any thread."""

    def zones(self) -> Sequence[Zone]:
        """The zones, the first is shown where none was chosen."""

    def now(self, zone: str) -> Now:
        """How a zone is."""

    def day(self, zone: str, span: Span = "day") -> Day:
        """The last 24 hours of a zone, or 7 or 30 days."""

    def vote(
        self,
        zone: str | None,
        level: int,
        source: str,
        person: str | None,
        *,
        vote_id: str | None = None,
        age_s: float = 0.0,
    ) -> Accepted:
        """Commit a vote that was pressed `age_s` ago; one whose `vote_id` is known counts once.

        Raises UsageError for one that cannot be, StoreError when it could not be stored.
        """

    def undo(self, vote_id: str) -> None:
        """Take a vote back; raises as `vote`."""

    def sketch(self, camera: str, *, dark: bool = False) -> bytes | None:
        """The newest sketch as JPEG, for a light page or a dark one; None while there is none."""

    def cameras(self) -> Sequence[str]:
        """The cameras, the first is shown where none was chosen."""

    def finds(self) -> Finds:
        """Who is found, and the corrections."""

    def reject(self, person: int) -> int:
        """A find is no person; returns the correction's number. Raises UsageError when there is no such find."""

    def miss(self, box: Sequence[float], camera: str | None) -> int:
        """A person was missed in a box of a camera (None = the only one), in parts; returns the correction's number."""

    def take_back(self, correction: int) -> None:
        """Take a correction back; raises UsageError when there is none with that number."""

    def switch_privacy(self, on: bool, camera: str | None) -> Sequence[Looking]:
        """Have a camera (None = all) look no more, or again; raises UsageError, or StoreError where it is not kept."""

    def drawings(self) -> Drawings:
        """Zones, masks and lines."""

    def calibrations(self) -> Calibrations:
        """The sensors against references."""

    def settings(self) -> Sequence[SettingsTable]:
        """The settings without secrets."""

    def metrics(self) -> bytes:
        """How the device is, in the text that Prometheus collects."""

    def make_backup(self, passphrase: str | None) -> MadeBackup:
        """The device in a file; raises UsageError for a passphrase too short, StoreError where it cannot be made."""

    def restores(self) -> Restores:
        """Backups that are uploaded."""

    def changes(self) -> Sequence[ListedChange]:
        """What was changed, the newest first."""

    def note_change(self, what: str, detail: str, origin: str) -> None:
        """Have it stand in the list of what was changed; never raises."""
