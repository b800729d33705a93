"""Sets of named people's votes under the column names of the ASHRAE database: a climate chamber, and smartwatches.

What a device would know of these places from its settings is filled in: country and climate, the season by the date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from comfywear.comfort import TYPICAL_INDOOR

__all__ = ["SKIN", "PersonSet", "ashrae_columns", "person_set"]

SKIN = ("wrist_temp_c", "ankle_temp_c")
"""Columns of measured skin temperature."""


class PersonSet(NamedTuple):
    """A set of people's votes.

    Attributes:
        required: Columns that say that a file is of this kind.
        country: In English, in small letters.
        climate: In Köppen's words.
        seasons: Whether the place has a summer and a winter (of the northern half).
        usual_by_room: Whether people live in the rooms, so that something is usual there; a chamber is set anew.
    """

    required: tuple[str, ...]
    country: str
    climate: str
    seasons: bool
    usual_by_room: bool


_SETS = (
    # TUB-DVG, Berlin: sensation, comfort and skin temperature, each ten minutes.
    PersonSet(
        ("person", "time", "sensation", "comfort_1to6", "preference", "clo", "air_temp_c", "humidity_pct"),
        "germany", "temperate oceanic", seasons=True, usual_by_room=False,
    ),
    # Humans as a Sensor, Singapore: wishes, no sensation; clothing is a code whose values the set does not say.
    PersonSet(
        ("person", "time", "preference", "clothing_code", "room", "air_temp_c", "humidity_pct"),
        "singapore", "tropical rainforest", seasons=False, usual_by_room=True,
    ),
)  # fmt: skip


def person_set(names: Sequence[str]) -> PersonSet | None:
    """Which set a file with these columns is of; None for another, such as the ASHRAE database."""
    return next((kind for kind in _SETS if all(name in names for name in kind.required)), None)


def ashrae_columns(kind: PersonSet, table: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The columns of a set under the names of the ASHRAE database; `usual_at` says where a temperature is usual."""
    count = len(table["time"])
    empty = [""] * count
    summer = [text[5:7] in ("04", "05", "06", "07", "08", "09") for text in table["time"]]
    return {
        "ta": table["air_temp_c"],
        "rh": table["humidity_pct"],
        "clo": table.get("clo", [str(TYPICAL_INDOOR.clo)] * count),
        "met": table.get("met", empty),
        "vel": table.get("air_speed_m_s", empty),
        "t_out": table.get("outdoor_temp_c", empty),
        "thermal_sensation": table.get("sensation", empty),
        "thermal_preference": table["preference"],
        "thermal_comfort": table.get("comfort_1to6", empty),
        "season": ["summer" if warm else "winter" for warm in summer] if kind.seasons else empty,
        "country": [kind.country] * count,
        "climate": [kind.climate] * count,
        "usual_at": [f"room {room}" if room else "" for room in table["room"]] if kind.usual_by_room else empty,
        "subject_id": table["person"],
        "timestamp": table["time"],
        "record_id": [str(number) for number in range(count)],
        **{name: table[name] for name in SKIN if name in table},
    }
