"""What crosses the rooms of the device: plain frozen records, the unit in the name where it could be mistaken.

Boxes are `(x1, y1, x2, y2)` in pixels of the frame. Times named `monotonic_s` come from `time.monotonic()`;
the wall clock is read only where a message is stamped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from comfywear_sensors.climate import ClimateState as Climate
from comfywear_sensors.reading import Reading

__all__ = [
    "Box",
    "Climate",
    "Clothing",
    "ColourShare",
    "Comfort",
    "Detection",
    "Frame",
    "Garment",
    "Person",
    "PresenceChange",
    "Reading",
    "SkinTemperature",
    "Track",
    "Trouble",
    "TroubleName",
    "Vote",
]

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: `image` is `(H, W, 3) uint8` BGR, as OpenCV has them."""

    image: NDArray[np.uint8]
    index: int
    monotonic_s: float
    source: str


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing that the detector saw: `label` is one of the model's labels, `score` is in 0…1."""

    box: Box
    score: float
    label: str


@dataclass(frozen=True, slots=True)
class Track:
    """One person over time; `seen_s` is how long, `missed_s` how long ago it was last detected."""

    id: int
    box: Box
    score: float
    seen_s: float
    missed_s: float = 0.0


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
class Clothing:
    """Insulation of an ensemble in clo with its standard deviation, and what it is made of.

    `items` are (garment, expected clo, "seen" | "assumed"); `sum_clo` is their plain sum, which the summation rule of
    `comfywear.comfort.clothing` turns into `clo`.
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
    """

    skin_temp_c: float | None
    core_temp_c: float | None
    skin_wettedness: float | None
    zone_c: tuple[float, float] | None
    sensitivities: Mapping[str, float]
    model: str
    assumptions: tuple[str, ...] = ()
    reason: str | None = None


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
        pmv_sd: Change of `pmv` by one standard deviation of the clothing's insulation.
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
