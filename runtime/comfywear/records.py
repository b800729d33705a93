"""What crosses the rooms of the device: plain frozen records, the unit in the name where it could be mistaken.

Boxes are `(x1, y1, x2, y2)` in pixels of the frame. Times named `monotonic_s` come from `time.monotonic()`;
the wall clock is read only where a message is stamped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from comfywear_sensors.climate import ClimateState as Climate
from comfywear_sensors.reading import Reading

__all__ = [
    "AdaptiveComfort",
    "Box",
    "CameraCondition",
    "CameraPrivacy",
    "CameraUse",
    "Climate",
    "Clothing",
    "ColourShare",
    "Comfort",
    "Detection",
    "Frame",
    "Garment",
    "Handler",
    "Light",
    "LineCount",
    "LineCrossing",
    "Occupancy",
    "Outdoors",
    "Person",
    "PersonEstimate",
    "Preferred",
    "PresenceChange",
    "Pressed",
    "Reading",
    "SkinTemperature",
    "ThermostatUse",
    "Trouble",
    "TroubleName",
    "Vote",
    "WindowAdvice",
    "ZoneActivity",
    "ZoneEstimate",
    "ZoneSetpoint",
]

Box = tuple[float, float, float, float]

Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Answers a request of the control socket: its fields go in, those of the answer come out."""


@dataclass(frozen=True, slots=True)
class Light:
    """The light in a picture.

    Attributes:
        brightness: 0…1: the grey level that one pixel in ten exceeds.
        colour_spread: How far the pixels' colours lie from the picture's usual tint: the distance in (r, g)
            chromaticity that one pixel in a hundred exceeds. An infrared picture has next to none, whatever its tint.
    """

    brightness: float
    colour_spread: float

    @property
    def too_dark(self) -> bool:
        """Whether the picture is too dark for anybody to be seen in it: it is no empty room then."""
        return self.brightness < 0.12

    @property
    def colourless(self) -> bool:
        """Whether it is a grey or infrared picture, in which no garment has a known colour."""
        return self.colour_spread < 0.025


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: `image` is `(H, W, 3) uint8` BGR, as OpenCV has them; `light` is None where nobody measured it."""

    image: NDArray[np.uint8]
    index: int
    monotonic_s: float
    source: str
    light: Light | None = None


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing that the detector saw: `label` is one of the model's labels, `score` is in 0…1."""

    box: Box
    score: float
    label: str


@dataclass(frozen=True, slots=True)
class ColourShare:
    """A colour of a garment: its basic name, its share of the garment's pixels (0…1), its sRGB value."""

    name: str
    share: float
    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Garment:
    """A garment of a person.

    Attributes:
        kind: The detector's group: top, knit, outer, dress, trousers, skirt, shorts, footwear, bag or hat; or a
            single garment (such as "t-shirt") when a person or an attribute model named it.
        probability: That it is worn, 0…1.
        box: Where it was seen, or None when only an attribute model or a person said so.
        colours: Heaviest first; empty when no pixel could be looked at.
        alternatives: Other kinds it may be, with probabilities (such as {"knit": 0.3}).
    """

    kind: str
    probability: float
    box: Box | None = None
    colours: tuple[ColourShare, ...] = ()
    alternatives: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """A tracked person with what they wear; `attributes` are probabilities by label, averaged over `looks`."""

    track_id: int
    box: Box
    score: float
    garments: tuple[Garment, ...]
    attributes: Mapping[str, float]
    seen_s: float
    zone: str
    looks: int = 1


@dataclass(frozen=True, slots=True)
class CameraPrivacy:
    """Whether a camera may look.

    Attributes:
        camera: Its name.
        reason: Why it may not; None while it may.
        held: Whether a switch at the device holds it, which nothing else can overrule.
    """

    camera: str
    reason: str | None
    held: bool = False


CameraCondition = Literal["running", "missing", "private", "dark"]
"""What a camera gives: pictures, none, none on purpose, or pictures too dark to see anybody in."""


@dataclass(frozen=True, slots=True)
class CameraUse:
    """How a camera is, and what of the device's looking it has.

    Attributes:
        name: As in the settings.
        missing: Why there is no picture; None while there is one.
        zones: Those that it sees.
        frames: Looked at since the start.
        share: Its part, 0…1, of the time that looking took since the models were loaded; None before the first.
        shed: What is put off to hold its part of the budget, in sentences.
        state: What it gives.
    """

    name: str
    missing: str | None
    zones: tuple[str, ...]
    frames: int
    share: float | None
    shed: tuple[str, ...] = ()
    state: CameraCondition = "running"


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Whether anybody is in a zone.

    Attributes:
        state: "occupied", "empty", or "unknown" while nobody can know.
        count: Persons, without the flicker of single frames; 0 unless it is occupied.
        since_s: Monotonic time since which the state has been so.
    """

    state: Literal["occupied", "empty", "unknown"]
    count: int
    since_s: float


@dataclass(frozen=True, slots=True)
class Outdoors:
    """The weather outdoors at one moment.

    Attributes:
        air: What the sensors outdoors say: temperature, humidity, irradiance.
        running_mean_c: Exponentially weighted mean of the past days' temperatures, °C; None until enough are known.
        days: How many of the last ten days are known.
    """

    air: Climate
    running_mean_c: float | None
    days: int


@dataclass(frozen=True, slots=True)
class AdaptiveComfort:
    """What the standards of adaptive comfort say of a zone; `reason` says why a value is None.

    Attributes:
        operative_c: Operative temperature by EN 16798-1 (ISO 7726), °C.
        en_category: By EN 16798-1, annex B.
        en_low_c, en_high_c: Bounds of its category II, operative, °C.
        ashrae_acceptability: By ASHRAE 55, how many accept it.
        ashrae_low_c, ashrae_high_c: Bounds of its 80 %, operative, °C.
        reason: Why a value is None.
    """

    operative_c: float | None = None
    en_category: Literal["I", "II", "III", "outside"] | None = None
    en_low_c: float | None = None
    en_high_c: float | None = None
    ashrae_acceptability: Literal["90 %", "80 %", "less"] | None = None
    ashrae_low_c: float | None = None
    ashrae_high_c: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class WindowAdvice:
    """Whether opening a window would help: None where that is not known.

    `why` says what would be better, while it would help; `reason` why it would not, or why it is not known.
    """

    helps: bool | None
    why: Literal["cooler", "warmer", "fresher"] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ZoneActivity:
    """What the people of a zone do.

    Attributes:
        met: Metabolic rate, met.
        met_sd: Its standard deviation; None where it is taken as exact.
        source: Who says so: "settings" (`comfort.met`), "zone", "schedule", or "camera".
        assumptions: Sentences: what was assumed because it was not seen.
    """

    met: float
    met_sd: float | None
    source: Literal["settings", "zone", "schedule", "camera"]
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """Somebody came into a zone or left it.

    Attributes:
        zone: Which.
        kind: "entered" or "left".
        track_id: The number of the person.
        seen_s: For how long they have been seen there in this stay.
        count: Persons in the zone, all changes of the moment counted.
    """

    zone: str
    kind: Literal["entered", "left"]
    track_id: int
    seen_s: float
    count: int


@dataclass(frozen=True, slots=True)
class LineCrossing:
    """Somebody crossed a line; with it, `entered` and `left` have crossed it today, in and out."""

    line: str
    kind: Literal["in", "out"]
    track_id: int
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many crossed a line today, in and out; `day` is local, such as "2027-01-31", None while it is not known."""

    line: str
    day: str | None
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class Clothing:
    """Insulation of an ensemble in clo with its standard deviation, and what it is made of.

    `items` are (garment, expected clo, "seen" | "assumed"); `sum_clo` is their plain sum, which the summation rule of
    `comfywear.comfort.clothing.ensemble` turns into `clo`.
    """

    clo: float
    clo_sd: float
    items: tuple[tuple[str, float, str], ...] = ()
    sum_clo: float | None = None
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkinTemperature:
    """ThermalWear's answer: *modelled* mean skin temperature, never a measurement.

    Attributes:
        skin_temp_c: Modelled mean skin temperature, °C; None when an input is outside the model's range.
        core_temp_c: Modelled core temperature, °C.
        skin_wettedness: 0…1.
        zone_c: Skin temperatures (low, high) in °C at which people of this activity feel neutral.
        sensitivities: Change of skin temperature in K for a stated step of each input, such as
            {"air_temp +1 K": 0.21}.
        model: The model's id.
        assumptions: Sentences: what was assumed because it was not measured.
        reason: Why there is no value, if there is none.
        activity_k: Change of the skin temperature by one standard deviation of the activity, K; None where that is not
            known.
    """

    skin_temp_c: float | None
    core_temp_c: float | None
    skin_wettedness: float | None
    zone_c: tuple[float, float] | None
    sensitivities: Mapping[str, float]
    model: str
    assumptions: tuple[str, ...] = ()
    reason: str | None = None
    activity_k: float | None = None


@dataclass(frozen=True, slots=True)
class Comfort:
    """ComfyWear's answer: a distribution over the seven thermal sensation votes, and what follows from it.

    Attributes:
        probabilities: Of the votes −3 cold … 0 neutral … +3 hot; they sum to 1. Empty when there is no value.
        expected_vote: Mean of that distribution, −3…+3.
        preference: Probabilities of "cooler", "no change", "warmer".
        ppd_pct: Predicted percentage dissatisfied, %, from `pmv`.
        pmv: Predicted mean vote of the standard with the same inputs; None outside its range.
        level: 1 (uncomfortable) … 5 (comfortable), the scale of the button.
        uncertainty: Standard deviation of the vote distribution.
        decision: "cooler", "no change" or "warmer" by the model's own decision rule.
        model: The model's id.
        inputs: The numbers that went in, by name with unit.
        assumptions: Sentences: what was assumed because it was not measured.
        advice: Sentences: what one change would help most, best first.
        reason: Why there is no value, if there is none.
        sensation: "cool", "neutral" or "warm" by the model's own decision rule.
        pmv_sd: Change of `pmv` by one standard deviation of the clothing's insulation and, where it is known, of the
            activity.
        set_c: Standard effective temperature with the same inputs, °C; None outside its range.
    """

    probabilities: tuple[float, ...]
    expected_vote: float | None
    preference: Mapping[str, float]
    ppd_pct: float | None
    pmv: float | None
    level: int | None
    uncertainty: float | None
    decision: str | None
    model: str
    inputs: Mapping[str, float]
    assumptions: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    reason: str | None = None
    sensation: str | None = None
    pmv_sd: float | None = None
    set_c: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a message came over MQTT with QoS 1: its packet id, and whether the broker sends it again."""

    packet_id: int
    again: bool


@dataclass(frozen=True, slots=True)
class PersonEstimate:
    """A person with the insulation of what they wear and their modelled skin temperature."""

    person: Person
    clothing: Clothing
    skin: SkinTemperature | None


@dataclass(frozen=True, slots=True)
class ZoneEstimate:
    """All that is known of a zone at one moment; `comfort` carries its own reason where there is none.

    `outdoors`, and what follows from it for the zone, is None where the settings name nobody who says it.
    """

    climate: Climate
    people: tuple[PersonEstimate, ...]
    clothing: Clothing
    comfort: Comfort
    outdoors: Outdoors | None = None
    adaptive: AdaptiveComfort | None = None
    window: WindowAdvice | None = None
    activity: ZoneActivity | None = None


@dataclass(frozen=True, slots=True)
class Preferred:
    """What a zone likes.

    Attributes:
        preferred_c: Half way between what is called neutral and what is wished for, °C; None where nothing is known.
        sd_k: Standard deviation of it, K.
        low_80_c: From here on 80 % are satisfied (votes −1, 0, +1), °C; None when no temperature satisfies so many.
        high_80_c: Up to here.
        low_90_c: The same for 90 %; it is rare that one temperature satisfies so many.
        high_90_c: Up to here.
        satisfied: Share of people satisfied at the temperature that satisfies most, 0…1.
        votes: Votes that it rests on, after forgetting and limits.
        assumptions: In words.
        reason: Why there is none.
    """

    preferred_c: float | None
    sd_k: float | None = None
    low_80_c: float | None = None
    high_80_c: float | None = None
    low_90_c: float | None = None
    high_90_c: float | None = None
    satisfied: float | None = None
    votes: float = 0.0
    assumptions: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ZoneSetpoint:
    """What a zone likes, and what a thermostat should be set to for it.

    Attributes:
        liked: What the zone likes.
        setpoint_c: What a thermostat should be set to, °C; None leaves it as it is.
        why: In words.
        heating: Whether the plant is taken to heat in this season, else to cool.
    """

    liked: Preferred
    setpoint_c: float | None
    why: str
    heating: bool


@dataclass(frozen=True, slots=True)
class ThermostatUse:
    """How a thermostat is that follows a zone's setpoint.

    Attributes:
        topic: Where it is told.
        reported_c: What it says it is set to, °C; None where it has not said.
        sent_c: What it was told last, °C; None where it was told nothing, or somebody turned it since.
        dry_run: Whether it is only said what would be sent.
        why: What is done with it now, in words.
    """

    topic: str
    reported_c: float | None
    sent_c: float | None
    dry_run: bool
    why: str


@dataclass(frozen=True, slots=True)
class Vote:
    """A press of 1–5, kept raw with the scale's words and the snapshot of that moment.

    `ts` is ISO 8601 UTC, or None while the clock is not set (`time_ok` false). `worn` and `skin` are what each of
    `persons` wore and their modelled skin temperature, in the same order; `models` are the ids of all models by role.
    `person` is who voted, where somebody identified on their phone: a name of their choice, never published.
    `undone` votes were taken back and teach nothing.
    """

    id: str
    zone: str
    level: int
    scale: str
    words: str
    source: str
    ts: str | None
    time_ok: bool
    climate: Climate | None = None
    persons: tuple[Person, ...] = ()
    clothing: Clothing | None = None
    comfort: Comfort | None = None
    worn: tuple[Clothing, ...] = ()
    skin: tuple[SkinTemperature | None, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    person: str | None = None
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Pressed:
    """The small part of a vote that learning and charts need.

    `inputs` are the numbers that the comfort model had at that moment, by name with unit; empty where it had no answer.
    """

    ts: str | None
    level: int
    source: str
    person: str | None
    inputs: Mapping[str, float]


TroubleName = Literal[
    "no-camera", "no-sensor", "no-broker", "hot", "slow", "disk-full", "no-storage", "memory", "worker", "no-clock"
]
"""What can be wrong while a device carries on."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is not as it should be while the device carries on.

    Attributes:
        name: What it is.
        about: The zone, sensor or worker that it concerns; None for the whole device.
        reason: Why, in words, as it was last said.
        do: What to do about it.
        since_s: Monotonic time since which it has been so.
        until_s: Monotonic time at which it ended; None while it is so.
    """

    name: TroubleName
    about: str | None
    reason: str
    do: str
    since_s: float = 0.0
    until_s: float | None = None
