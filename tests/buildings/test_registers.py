"""The register map: where each value stands, what is refused, and that no bytes are too odd to be answered."""

from __future__ import annotations

import math
import struct

import pytest
from boards import GOOD, readings
from hypothesis import given
from hypothesis import strategies as st

from comfywear.buildings.points import POINTS
from comfywear.buildings.readings import Reading, Validity
from comfywear.buildings.registers import NEVER, OLDEST, Registers, address_of, answer

NOW_S = 100.0


def registers(*zones: tuple[int, str], **values: Reading) -> Registers:
    made = {point.name: Reading(None, Validity.UNUSED) for point in POINTS} | values
    return Registers(dict(zones), lambda zone: made, NOW_S, 70_000.5)


DESK = registers((1, "desk"), (3, "door"), humidity=Reading(45.2, Validity.GOOD, NOW_S - 61.7))


def read(found: Registers, address: int, count: int, function: int = 4) -> tuple[int, ...]:
    said = answer(struct.pack(">BHH", function, address, count), found)
    assert said[:2] == bytes([function, 2 * count])
    return struct.unpack(f">{count}H", said[2:])


@pytest.mark.parametrize("function", [3, 4])
def test_a_value_is_a_big_endian_float_with_validity_and_age(function: int) -> None:
    high, low, validity, age_s = read(DESK, address_of(1, 2), 4, function)
    assert address_of(1, 2) == 108
    assert struct.unpack(">f", struct.pack(">HH", high, low))[0] == pytest.approx(45.2)
    assert (validity, age_s) == (1, 61)


def test_what_has_no_value_is_no_number() -> None:
    high, low, validity, age_s = read(DESK, address_of(1, 3), 4)
    assert math.isnan(struct.unpack(">f", struct.pack(">HH", high, low))[0])
    assert (validity, age_s) == (4, NEVER)
    old = registers((1, "desk"), humidity=Reading(None, Validity.STALE, NOW_S - 1e6))
    assert read(old, address_of(1, 2), 4)[2:] == (2, OLDEST)


def test_the_header_says_what_follows() -> None:
    assert read(DESK, 0, 6) == (1, 2, len(POINTS), 100, 1, 70_000 - 65_536)


def test_a_zone_can_be_read_whole_and_begins_with_its_number() -> None:
    assert read(DESK, 100, 100)[:2] == (1, len(POINTS))
    assert read(DESK, 300, 100)[:2] == (3, len(POINTS))


@pytest.mark.parametrize(
    ("request_", "exception"),
    [
        (struct.pack(">BHH", 4, 200, 1), 2),  # zone 2 is not there
        (struct.pack(">BHH", 4, 199, 2), 2),
        (struct.pack(">BHH", 4, 10, 1), 2),
        (struct.pack(">BHH", 4, 65_535, 2), 2),
        (struct.pack(">BHH", 4, 100, 0), 3),
        (struct.pack(">BHH", 4, 100, 126), 3),
        (b"\x04\x00\x64", 3),
        (struct.pack(">BHH", 1, 0, 1), 1),
        (struct.pack(">BHH", 6, 104, 7), 1),
        (struct.pack(">BHHBH", 16, 104, 1, 2, 7), 1),
        (b"\x2b\x0e\x01\x00", 1),
        (b"\x00", 1),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_own_function(request_: bytes, exception: int) -> None:
    assert answer(request_, DESK) == bytes([request_[0] | 0x80, exception])


@given(st.binary(max_size=253))
def test_any_request_is_answered_within_a_frame(request_: bytes) -> None:
    said = answer(request_, DESK)
    assert 2 <= len(said) <= 253
    function = request_[0] if request_ else 0
    assert said[0] in (function, function | 0x80)


@given(st.integers(0, 400), st.integers(1, 125))
def test_a_range_reads_as_its_registers_one_by_one_or_not_at_all(address: int, count: int) -> None:
    alone = [DESK.read(address + place, 1) for place in range(count)]
    expected = None if None in alone else [each[0] for each in alone if each]
    assert DESK.read(address, count) == expected


def test_another_zone_moves_none_that_was_there() -> None:
    now = readings(GOOD)
    before = Registers({1: "desk"}, lambda zone: now, NOW_S, 0.0)
    after = Registers({1: "desk", 2: "door"}, lambda zone: now, NOW_S, 0.0)
    assert before.read(100, 100) == after.read(100, 100)
