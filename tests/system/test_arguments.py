from __future__ import annotations

import argparse
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.system.arguments import host_and_port, number, port_number, seconds, whole

ENDLESS = "9" * 5000  # int() itself raises at more than 4300 digits


@given(st.one_of(st.floats().map(repr), st.integers().map(str), st.text(), st.just(ENDLESS)))
def test_a_number_is_within_its_range_or_refused_in_words(word: str) -> None:
    for read, low, high in ((number(0.5, 60), 0.5, 60), (seconds, 0, 1e6), (number(-5, 5, above=True), -5, 5)):
        try:
            found = read(word)
        except argparse.ArgumentTypeError as refused:
            assert len(str(refused)) < 200
        else:
            assert math.isfinite(found)
            assert low <= found <= high


@given(st.one_of(st.integers().map(str), st.text(), st.just(ENDLESS), st.floats().map(str)))
def test_a_whole_number_is_within_its_range_or_refused_in_words(word: str) -> None:
    for read, low, high in ((whole(1), 1, math.inf), (whole(0, 64), 0, 64)):
        try:
            found = read(word)
        except argparse.ArgumentTypeError as refused:
            assert len(str(refused)) < 200
        else:
            assert isinstance(found, int)
            assert low <= found <= high
            assert str(found) == str(int(word))


@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "1e400", "0", "-0.0", "-1", "", "x", "1,5"])
def test_what_is_no_time_is_refused(word: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        seconds(word)


def test_the_edges_count_in_unless_it_must_be_above() -> None:
    assert (number(0, 1)("0"), number(0, 1)("1"), number(0, 1, above=True)("1"), whole(1, 64)("64")) == (0, 1, 1, 64)
    with pytest.raises(argparse.ArgumentTypeError, match="more than 0, at most 1"):
        number(0, 1, above=True)("0")
    with pytest.raises(argparse.ArgumentTypeError, match="1…64"):
        whole(1, 64)("65")


@given(st.integers(-10, 70_000))
def test_a_port_is_of_16_bits(port: int) -> None:
    assert port_number(str(port)) == (port if 1 <= port <= 65535 else None)


@pytest.mark.parametrize("word", ["", "x", "²", "٣", " 80", "+80", ENDLESS, "080000"])
def test_what_is_no_port_is_none(word: str) -> None:
    assert port_number(word) is None


@given(st.text())
def test_any_place_is_read_or_none(place: str) -> None:
    found = host_and_port(place, 1883)
    assert found is None or (found[0] and 1 <= found[1] <= 65535)
