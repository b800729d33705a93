"""The table of points is held against the messages that it says it comes from."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from comfywear.buildings.points import POINTS, DataPoint
from comfywear.buildings.registers import POINT_SIZE, ZONE_SIZE
from comfywear.comfort import SCALE
from comfywear.publishing.messages.kinds import MESSAGE_TYPES


def field_of(point: DataPoint) -> msgspec.inspect.Field:
    info = cast(msgspec.inspect.StructType, msgspec.inspect.type_info(MESSAGE_TYPES[point.message]))
    found = [field for field in info.fields if field.name == point.field]
    assert found, f"{point.message} messages have no field {point.field}"
    return found[0]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_point_is_a_field_of_a_message_with_its_unit(point: DataPoint) -> None:
    kind = field_of(point).type
    extra = (kind.extra_json_schema or {}) if isinstance(kind, msgspec.inspect.Metadata) else {}
    assert str(extra.get("unit", "")) == point.unit
    if point.kind == "binary":
        words = kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind
        assert isinstance(words, msgspec.inspect.LiteralType)
        assert {str(word) for word in words.values} == {*point.states, "unknown"}


def test_the_levels_have_the_words_of_the_scale() -> None:
    (level,) = [point for point in POINTS if point.kind == "multi-state"]
    assert list(level.states) == [SCALE.words[number] for number in sorted(SCALE.words)]


def test_every_point_has_its_own_place_and_they_fit_into_a_zone() -> None:
    assert [point.number for point in POINTS] == list(range(1, len(POINTS) + 1))
    assert len({point.name for point in POINTS}) == len(POINTS)
    assert POINT_SIZE * (POINTS[-1].number + 1) <= ZONE_SIZE


def test_bacnet_units_are_those_of_the_standard_and_fit_the_messages() -> None:
    basetypes = pytest.importorskip("bacpypes3.basetypes", reason="needs the extra bacnet")
    same = {"°C": "degreesCelsius", "ppm": "partsPerMillion", "lx": "luxes", "clo": "noUnits", "": "noUnits"}
    for point in POINTS:
        if point.kind == "analog":
            assert point.bacnet_unit in basetypes.EngineeringUnits._enum_map
            assert point.bacnet_unit == same.get(point.unit, point.bacnet_unit)
            assert point.increment > 0
    percents = {point.name: point.bacnet_unit for point in POINTS if point.unit == "%"}
    assert percents == {"humidity": "percentRelativeHumidity", "ppd": "percent"}
