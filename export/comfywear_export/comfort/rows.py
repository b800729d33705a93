"""Reads votes (CSV or csv.gz) into the inputs of the model: of the ASHRAE database II, or of a set of named people."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.site import climate_of, country_input
from comfywear.errors import SourceError, UsageError
from comfywear_export.comfort.people import SKIN, ashrae_columns, person_set

__all__ = ["Votes", "device_only", "read_votes"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

REQUIRED = ("ta", "rh", "clo", "thermal_sensation")
NUMBERS = ("met", "tr", "vel", "t_mot_isd", "t_out_monthly", "t_out_isd", "t_out", "contrib")
TEXTS = ("season", "cooling_type", "climate", "country", "thermal_preference", "building_id", "usual_at")
WHO_AND_WHEN = ("study", "contrib", "subject_id", "timestamp", "record_id", "thermal_comfort")
WARM, COOL = {"summer", "hot/wet"}, {"winter", "cool/dry"}
PREFERENCES = ("warmer", "no change", "cooler")  # in the order of a rising vote
HISTORY_ROWS = 5  # fewer votes of a building in a season say nothing about what is usual there


@dataclass(frozen=True)
class Votes:
    """Rows of votes.

    Attributes:
        inputs: By name, `(N,)` each, NaN where unknown: the inputs of `comfywear.comfort.OrdinalModel`.
        vote: `(N,)` 0…6 for −3…+3, the recorded vote rounded half away from 0; −1 in a set that asked for wishes only.
        preference: `(N,)` 0 warmer, 1 no change, 2 cooler, −1 not asked.
        contributor: `(N,)` number of the contributor who collected the row; −1 where the file names none.
        building: `(N,)` number of the building; −1 likewise.
        person: `(N,)` number of the person in that building; −1 where the file does not say who voted.
        time: `(N,)` place in the order of time (by day, then as recorded).
        comfort: `(N,)` 1 very uncomfortable … 6 very comfortable, 0 not asked.
        building_id: `(N,)` the building's id in the database; −1 where there is none.
        time_s: `(N,)` when it was, s since 1970 in the place's own time; NaN where the file names no more than the day.
        skin_c: By column, `(N,)` measured skin temperature, °C, where the file has it; NaN where it was not measured.
    """

    inputs: dict[str, Array]
    vote: Labels
    preference: Labels
    contributor: Labels
    building: Labels
    person: Labels
    time: Labels
    comfort: Labels
    building_id: Labels
    time_s: Array
    skin_c: dict[str, Array] = field(default_factory=dict)

    def group(self, name: str) -> Labels:
        """The contributor or the building of every row, by the name of either."""
        return self.building if name == "building" else self.contributor

    def __len__(self) -> int:
        return len(self.vote)

    def subset(self, rows: NDArray[np.bool_]) -> Votes:
        """The chosen rows."""
        inputs = {name: column[rows] for name, column in self.inputs.items()}
        skin_c = {name: column[rows] for name, column in self.skin_c.items()}
        return replace(self, inputs=inputs, skin_c=skin_c, **{name: getattr(self, name)[rows] for name in _COLUMNS})


_COLUMNS = tuple(each.name for each in fields(Votes) if each.name not in ("inputs", "skin_c"))


def read_votes(path: Path) -> Votes:
    """Every row of the file that has a vote, an air temperature, a humidity and a clo.

    Of a set without any vote of sensation, those that have the rest.

    What is usual in a building (mean and spread of the air temperature, mean clo) is taken from the *inputs* of the
    other rows of the same building and season, as a device takes it from its own past; no vote goes into it.
    """
    table = _columns(path)
    number = {name: _numbers(table[name]) for name in ("ta", "rh", "clo", "thermal_sensation")}
    number |= {name: _numbers(table[name]) for name in NUMBERS if name in table}
    count = len(number["ta"])
    number = {name: np.full(count, np.nan) for name in NUMBERS} | number
    text = {name: np.asarray(table.get(name, [""] * count)) for name in TEXTS + WHO_AND_WHEN}
    felt = np.isfinite(number["thermal_sensation"]).any()
    keep = np.all([np.isfinite(number[name]) for name in REQUIRED if felt or name != "thermal_sensation"], axis=0)
    if not keep.any():
        raise UsageError(f"{path}: no row has all of {', '.join(REQUIRED)}")
    number = {name: column[keep] for name, column in number.items()}
    text = {name: column[keep] for name, column in text.items()}
    text["usual_at"] = np.where(text["usual_at"] == "", text["building_id"], text["usual_at"])

    raw = number["thermal_sensation"]
    vote = np.where(np.isfinite(raw), np.clip(np.sign(raw) * np.floor(np.abs(raw) + 0.5), -3, 3) + 3, -1).astype(int)
    outdoor = number["t_mot_isd"]
    for name in ("t_out_monthly", "t_out_isd", "t_out"):
        outdoor = np.where(np.isfinite(outdoor), outdoor, number[name])
    cooling = text["cooling_type"]
    climate = np.asarray([climate_of(name) or "" for name in text["climate"]])
    inputs = {
        "air_temp_c": number["ta"],
        "humidity_pct": number["rh"],
        "clo": number["clo"],
        "met": number["met"],
        "air_speed_m_s": np.maximum(number["vel"], 0.0),
        "radiant_temp_c": number["tr"],
        "outdoor_temp_c": outdoor,
        "warm_season": _flag(np.isin(text["season"], list(WARM)), np.isin(text["season"], list(WARM | COOL))),
        "naturally_ventilated": _flag(cooling == "naturally ventilated", cooling != ""),
        "mixed_mode": _flag(cooling == "mixed mode", cooling != ""),
        "tropical": _flag(climate == "tropical", climate != ""),
        "arid": _flag(climate == "arid", climate != ""),
        **{country_input(name): (text["country"] == name).astype(float) for name in np.unique(text["country"]) if name},
        **_usual(text["usual_at"], text["season"], number["ta"], number["clo"]),
    }
    asked = text["thermal_preference"]
    preference = np.select([asked == name for name in PREFERENCES], [0, 1, 2], -1)
    _, building = np.unique(text["building_id"], return_inverse=True)
    contributor = np.where(np.isfinite(number["contrib"]), number["contrib"], -1).astype(int)
    building = np.where(text["building_id"] == "", -1, building)
    number_of = _numbers(list(text["building_id"]))
    return Votes(
        inputs,
        vote,
        preference,
        contributor,
        building,
        _persons(text),
        _times(text),
        np.clip(np.nan_to_num(np.rint(_numbers(list(text["thermal_comfort"])))), 0, 6).astype(int),
        np.where(np.isfinite(number_of), number_of, -1).astype(int),
        np.asarray([_seconds(stamp) for stamp in text["timestamp"]]),
        {name: _numbers(table[name])[keep] for name in SKIN if name in table},
    )


def device_only(votes: Votes) -> Votes:
    """The same rows with nothing but air temperature, humidity and clo: a device on its first day."""
    kept = {name: votes.inputs[name] for name in ("air_temp_c", "humidity_pct", "clo")}
    return replace(votes, inputs=kept)


def _persons(text: dict[str, NDArray[np.str_]]) -> Labels:
    """Numbers of persons: a subject's id holds within a contributor's study in a building."""
    keys = [
        "|".join(parts)
        for parts in zip(*(text[n] for n in ("study", "building_id", "contrib", "subject_id")), strict=True)
    ]
    _, person = np.unique(keys, return_inverse=True)
    result: Labels = np.where(text["subject_id"] == "", -1, person)
    return result


def _times(text: dict[str, NDArray[np.str_]]) -> Labels:
    recorded = np.nan_to_num(_numbers(list(text["record_id"])))
    place = np.empty(len(recorded), int)
    place[np.lexsort((recorded, text["timestamp"]))] = np.arange(len(recorded))
    return place


def _seconds(stamp: str) -> float:
    """Of "2024-01-16 11:04:30"; NaN for a day without an hour, which the ASHRAE database writes as its midnight."""
    if ":" not in stamp or stamp.endswith("T00:00:00Z"):
        return np.nan
    try:
        return datetime.fromisoformat(stamp.removesuffix("Z")).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return np.nan


def _columns(path: Path) -> dict[str, list[str]]:
    try:
        with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: cannot be read as CSV ({error})") from error
    names = reader.fieldnames or []
    if kind := person_set(names):
        return ashrae_columns(kind, {name: [row[name] or "" for row in rows] for name in names})
    if absent := [name for name in REQUIRED if name not in names]:
        raise UsageError(f"{path}: no column {', '.join(absent)}; give a file in the form of the comfort data set")
    return {name: [row[name] or "" for row in rows] for name in names}


def _numbers(column: list[str]) -> Array:
    def number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return np.nan

    return np.asarray([number(text) for text in column], dtype=float)


def _flag(is_so: NDArray[np.bool_], known: NDArray[np.bool_]) -> Array:
    return np.where(known, is_so.astype(float), np.nan)


def _usual(building: NDArray[np.str_], season: NDArray[np.str_], ta: Array, clo: Array) -> dict[str, Array]:
    keys = np.char.add(np.char.add(building, "|"), season)
    _, group = np.unique(keys, return_inverse=True)
    size = np.bincount(group)[group]
    others = np.maximum(size - 1, 1)

    def mean_of_others(x: Array) -> Array:
        return (np.bincount(group, x)[group] - x) / others

    mean = mean_of_others(ta)
    spread = np.sqrt(np.maximum(mean_of_others(ta**2) - mean**2, 0.0))
    known = (size > HISTORY_ROWS) & (building != "")
    found = {"usual_temp_c": mean, "usual_temp_sd_k": spread, "usual_clo": mean_of_others(clo)}
    return {name: np.where(known, column, np.nan) for name, column in found.items()}
