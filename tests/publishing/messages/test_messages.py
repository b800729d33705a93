from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import jsonschema
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import CLIMATE, CLOTHING, COMFORT, MESSAGES, NOTHING, PERSON, SKIN, STAMP, VOTE

from comfywear.errors import UsageError
from comfywear.publishing import (
    climate_message,
    comfort_message,
    metrics_message,
    people_message,
    vote_message,
)
from comfywear.publishing.messages.incoming import read_vote
from comfywear.publishing.messages.kinds import MESSAGE_TYPES, read_message
from comfywear.publishing.messages.schemas import schemas

SCHEMAS = schemas()
any_float = st.none() | st.floats(allow_nan=True, allow_infinity=True, width=64)


def sent(message: msgspec.Struct) -> dict[str, Any]:
    """The message as a strict JSON reader sees it, after it passed its schema."""

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is not JSON")

    data: dict[str, Any] = json.loads(msgspec.json.encode(message), parse_constant=refuse)
    name = data["schema"].removeprefix("comfywear/v1/")
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(data)
    return data


def keys(data: Any) -> set[str]:
    if isinstance(data, dict):
        return set(data) | {key for value in data.values() for key in keys(value)}
    if isinstance(data, list):
        return {key for value in data for key in keys(value)}
    return set()


@pytest.mark.parametrize("name", sorted(MESSAGE_TYPES))
def test_every_message_type_is_stamped_and_fits_its_schema(name: str) -> None:
    data = sent(MESSAGES[name])
    assert data["schema"] == f"comfywear/v1/{name}"
    assert {key: data[key] for key in ("device", "epoch", "seq", "ts", "time_ok")} == {
        "device": "dev",
        "epoch": "0123456789abcdef",
        "seq": None if name in ("gone", "reply") else 7,
        "ts": "2027-01-02T03:04:05.678+00:00",
        "time_ok": True,
    }
    assert read_message(msgspec.json.encode(MESSAGES[name])) == MESSAGES[name]


def test_numbers_are_rounded_to_what_they_mean() -> None:
    data = sent(MESSAGES["climate"])
    assert (data["air_temp_c"], data["humidity_pct"], data["age_s"]) == (23.43, 45.7, 1.2)
    assert sent(MESSAGES["metrics"])["rss_mb"] == 123.457


def test_people_are_sent_by_clothing_alone() -> None:
    data = sent(MESSAGES["people"])
    first, second = data["persons"]
    assert first["garments"][0] == {
        "kind": "top",
        "probability": 0.93,
        "colours": [{"name": "blue", "share": 0.62, "rgb": "#141ea0"}],
        "alternatives": {"knit": 0.3},
    }
    assert first["clothing"] == {"clo": 0.62, "clo_sd": 0.1, "assumed": ["underwear"]}
    assert first["skin"]["skin_temp_c"] == 33.46
    assert second["skin"] is None
    assert not keys(data) & {"box", "image", "crop", "embedding", "face", "attributes", "age", "gender"}


def test_a_missing_camera_is_a_state_with_a_reason() -> None:
    data = sent(people_message("desk", [], STAMP, missing_reason="the camera is gone"))
    assert (data["state"], data["count"], data["reason"]) == ("missing", None, "the camera is gone")
    assert sent(people_message("desk", [], STAMP))["count"] == 0


def test_no_comfort_value_is_null_with_a_reason() -> None:
    data = sent(comfort_message("desk", NOTHING, STAMP))
    assert (data["probabilities"], data["expected_vote"], data["reason"]) == ([], None, "no air temperature")


@given(any_float, any_float, any_float, any_float)
def test_climate_never_sends_what_is_not_a_number(
    temperature: float | None, humidity: float | None, radiant: float | None, age: float | None
) -> None:
    climate = replace(CLIMATE, air_temp_c=temperature, humidity_pct=humidity, radiant_temp_c=radiant, age_s=age)
    data = sent(climate_message(climate, STAMP))
    for value, key in ((temperature, "air_temp_c"), (humidity, "humidity_pct")):
        if value is not None and not math.isfinite(value):
            assert data[key] is None
            assert data["reason"]


@given(st.lists(st.floats(), min_size=7, max_size=7), any_float, any_float)
def test_comfort_never_sends_what_is_not_a_number(
    probabilities: list[float], vote: float | None, ppd: float | None
) -> None:
    comfort = replace(
        COMFORT,
        probabilities=tuple(probabilities),
        expected_vote=vote,
        ppd_pct=ppd,
        inputs={"met": probabilities[0]},
        preference={"cooler": probabilities[1]},
    )
    data = sent(comfort_message("desk", comfort, STAMP))
    if not all(math.isfinite(value) for value in probabilities):
        assert data["probabilities"] == []
        assert data["expected_vote"] is None
        assert data["reason"]


@given(st.floats(), st.floats(), st.floats())
def test_people_never_send_what_is_not_a_number(score: float, clo: float, skin: float) -> None:
    person = replace(PERSON, score=score, garments=tuple(replace(g, probability=score) for g in PERSON.garments))
    views = [(person, replace(CLOTHING, clo=clo, clo_sd=clo), replace(SKIN, skin_temp_c=skin))]
    data = sent(people_message("desk", views, STAMP))
    if not math.isfinite(skin):
        assert data["persons"][0]["skin"]["skin_temp_c"] is None
        assert data["persons"][0]["skin"]["reason"]


def test_numbers_of_numpy_are_sent_as_numbers() -> None:
    climate = replace(CLIMATE, air_temp_c=np.float32(21.5), humidity_pct=np.float64(40))
    comfort = replace(COMFORT, level=np.int64(4), probabilities=tuple(np.full(7, 1 / 7)), pmv=np.float32(0.25))
    assert sent(climate_message(climate, STAMP))["air_temp_c"] == 21.5
    assert sent(comfort_message("desk", comfort, STAMP))["level"] == 4
    person = replace(PERSON, track_id=np.int64(9), score=np.float32(0.5))
    assert sent(people_message("desk", [(person, None, None)], STAMP))["persons"][0]["id"] == 9


def test_a_vote_keeps_the_time_of_the_press() -> None:
    data = sent(vote_message(replace(VOTE, ts=None, time_ok=False), STAMP))
    assert (data["ts"], data["time_ok"], data["seq"]) == (None, False, 7)
    assert (data["level"], data["words"], data["climate"]["air_temp_c"], data["clothing"]["clo"], data["persons"]) == (
        4,
        "comfortable",
        23.43,
        0.62,
        1,
    )
    bare = replace(VOTE, climate=None, persons=(), clothing=None, comfort=None)
    assert sent(vote_message(bare, STAMP))["climate"] is None


def test_a_metric_that_the_message_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="frams"):
        metrics_message({"frams": 1}, STAMP)


@pytest.mark.parametrize(("payload", "level"), [(b"4", 4), (b' {"level": 1} ', 1), (b'{"level":5,"by":"x"}', 5)])
def test_a_vote_is_an_object_or_a_number(payload: bytes, level: int) -> None:
    assert read_vote(payload).level == level
    jsonschema.Draft202012Validator(SCHEMAS["vote-set"]).validate(json.loads(payload))


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists, max_leaves=5).map(
        lambda value: json.dumps(value).encode()
    )
    | st.dictionaries(st.sampled_from(["level", "x"]), st.integers() | st.text() | st.none()).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_whatever_comes_is_a_level_or_refused(payload: bytes) -> None:
    try:
        level = read_vote(payload).level
    except UsageError:
        return
    assert type(level) is int
    assert 1 <= level <= 5


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_message_or_refused(payload: bytes) -> None:
    with pytest.raises(UsageError):
        read_message(payload)


@pytest.mark.parametrize(
    "payload", [b'{"schema":"comfywear/v1/vote-set","level":4}', b'{"schema":"comfywear/v9/climate"}', b"[" * 100_000]
)
def test_other_things_are_no_messages(payload: bytes) -> None:
    with pytest.raises(UsageError):
        read_message(payload)


def test_what_the_device_works_out_of_the_air_is_said() -> None:
    air = replace(
        CLIMATE, dew_point_c=11.04, absolute_humidity_g_m3=9.512, co2_ppm=812.4, illuminance_lx=350.06,
        disagreement="a says 20.0 °C, b says 23.0 °C: 3.0 K apart (allowed: 2)",
    )  # fmt: skip
    said = climate_message(air, STAMP)
    found = (said.dew_point_c, said.absolute_humidity_g_m3, said.co2_ppm, said.illuminance_lx)
    assert found == (11.0, 9.51, 812.0, 350.1)
    assert said.disagreement == air.disagreement
    assert comfort_message("desk", replace(COMFORT, set_c=24.56), STAMP).set_c == 24.6
    assert comfort_message("desk", COMFORT, STAMP).set_c is None
