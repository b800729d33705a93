from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import MESSAGES, NOTHING, STAMP

from comfywear.publishing import climate_message, comfort_message, people_message, status_message
from comfywear.publishing.messages.readable import bars, readable, readable_message, sensation
from comfywear.records import Climate


def test_messages_are_short_blocks() -> None:
    assert readable_message(MESSAGES["climate"]) == "03:04:05  desk: 23.4 °C, 46 %"
    assert readable_message(MESSAGES["comfort"]).splitlines() == [
        "03:04:05  desk: feels neutral (+0.2), comfort 4 of 5, wants no change, 6 % dissatisfied",
        "          cold ▁▂▃█▄▂▁ hot",
        "          1 K cooler would help most",
    ]
    assert readable_message(MESSAGES["people"]).splitlines()[:4] == [
        "03:04:05  desk: 2 persons",
        "          person 3, 0.62 ± 0.10 clo, skin 33.5 °C (modelled)",
        "            top 93 %: blue 62 %",
        "            trousers 88 %",
    ]
    assert readable_message(MESSAGES["vote"]) == (
        "03:04:05  desk: vote 4 (comfortable) with 23.4 °C, 46 %, 0.62 ± 0.10 clo"
    )
    assert readable_message(MESSAGES["status"]) == "03:04:05  dev: online"


def test_a_setpoint_says_what_is_fine_only_where_what_is_preferred_is_fine() -> None:
    first, second = readable_message(MESSAGES["setpoint"]).splitlines()
    assert first.startswith("03:04:05  desk: 21.8 °C would please most, 20.9 to 22.9 °C is fine; setpoint 22.0 °C (")
    assert second == "            zigbee2mqtt/radiator/set: 22 °C is wanted, but it was changed just now"
    wished = msgspec.structs.replace(MESSAGES["setpoint"], low_80_c=23.7, high_80_c=25.5)
    assert "is fine" not in readable_message(wished)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_type_can_be_read(name: str) -> None:
    block = readable("topic", msgspec.json.encode(MESSAGES[name]))
    assert block == readable_message(MESSAGES[name])
    assert "None" not in block
    assert "Message" not in block


def test_what_is_missing_is_said() -> None:
    stale = climate_message(Climate("desk", "stale", reason="no reading for 130 s"), STAMP)
    assert readable_message(stale) == "03:04:05  desk: no air values, stale (no reading for 130 s)"
    assert "no comfort value (no air temperature)" in readable_message(comfort_message("desk", NOTHING, STAMP))
    assert "no picture (unplugged)" in readable_message(people_message("desk", [], STAMP, missing_reason="unplugged"))
    timeless = msgspec.structs.replace(status_message("offline", STAMP, reason="stopped"), ts=None)
    assert readable_message(timeless) == "--:--:--  dev: offline (stopped)"


def test_what_is_no_message_is_said_in_one_line() -> None:
    assert readable("other/topic", b"21.5").startswith("other/topic: not a comfywear message")


@given(st.text(), st.binary(max_size=100))
def test_nothing_that_comes_can_steer_the_terminal(text: str, junk: bytes) -> None:
    evil = climate_message(Climate("desk", "missing", reason=f"\x1b[2J\r{text}"), STAMP)
    for block in (readable(text, msgspec.json.encode(evil)), readable(text, junk)):
        assert all(character.isprintable() for character in block)


def test_bars_show_the_shape() -> None:
    assert bars([0, 0.5, 1]) == "▁▅█"
    assert bars([]) == bars([0.0, 0.0]) == ""


@pytest.mark.parametrize(("vote", "word"), [(-9, "cold"), (-1.2, "slightly cool"), (0.4, "neutral"), (2.9, "hot")])
def test_votes_have_words(vote: float, word: str) -> None:
    assert sensation(vote) == word
