"""Commands over MQTT: carried out or refused in words, and nothing that comes stops the device."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfywear.device.mqtt.mqtt_commands import BURST, MqttCommands
from comfywear.errors import SettingsError, UsageError
from comfywear.publishing import Aside, BrokerSettings, Publisher, Spool, Topics
from comfywear.publishing.broker.connection import Incoming
from comfywear.publishing.messages.answer import ReplyMessage
from comfywear.publishing.messages.commands import COMMANDS
from comfywear.publishing.messages.kinds import read_message
from comfywear.settings import DeviceSettings, Settings, ZoneSettings
from comfywear.system.rate_limit import Bucket

TOPICS = Topics("home", "d1")
SETTINGS = Settings(device=DeviceSettings(id="d1"), zones=[ZoneSettings(name="desk"), ZoneSettings(name="sofa")])


class Said(Publisher):
    """A publisher that keeps what it was to say."""

    def __init__(self) -> None:
        super().__init__(BrokerSettings(""), TOPICS, Spool(None, "d1"))
        self.said: list[Aside] = []

    def say(self, aside: Aside) -> None:
        self.said.append(aside)


class Desk:
    """Orders with everything that they touch at hand; time passes when told to."""

    def __init__(self, folder: Path, reload: Callable[[], None] | None = None) -> None:
        self.now_s = 0.0
        self.publisher = Said()
        self.commands = MqttCommands(
            SETTINGS, folder, self.publisher, again=lambda: None, reload=reload, clock=lambda: self.now_s
        )

    def send(self, name: str, payload: bytes | dict[str, Any] = b"", **more: Any) -> tuple[str, ReplyMessage] | None:
        """Give a command; its reply's topic and message, None without a reply."""
        before = len(self.publisher.said)
        self.now_s += more.pop("after_s", 60.0)
        data = json.dumps(payload).encode() if isinstance(payload, dict) else payload
        topic = f"{TOPICS.base}/cmd/{name}"
        self.commands.take(Incoming(topic, data, more.pop("retained", False), 1, 1, **more))
        if len(self.publisher.said) == before:
            return None
        aside = self.publisher.said[-1]
        self.correlation = aside.correlation
        reply = read_message(aside.payload)
        assert isinstance(reply, ReplyMessage)
        assert reply.ok == (reply.error is None)
        return aside.topic, reply

    def ask(self, name: str, payload: bytes | dict[str, Any] = b"", **more: Any) -> ReplyMessage:
        answer = self.send(name, payload, **more)
        assert answer is not None
        return answer[1]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_identify_shows_which_device_it_is(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    assert desk.ask("identify", {"seconds": 5}).result == {"seconds": 5.0}
    assert "this is d1" in caplog.text
    assert desk.commands.showing
    assert [desk.commands.call(zone) for zone in ("desk", "sofa")] == ["here", "here"]
    desk.now_s += 5
    assert not desk.commands.showing
    assert desk.commands.call("desk") == "quiet"


def test_the_buttons_of_a_zone_call_while_it_is_asked(desk: Desk) -> None:
    assert desk.ask("ask-now", {"zone": "desk"}).ok
    assert [desk.commands.call(zone) for zone in ("desk", "sofa")] == ["ask", "quiet"]
    desk.commands.questions.answered("desk")
    assert desk.commands.call("desk") == "quiet"


def test_a_zones_name_is_kept_and_shown(desk: Desk, tmp_path: Path) -> None:
    assert desk.ask("set-zone-name", {"zone": "desk", "name": " By  the window "}).result == {
        "zone": "desk",
        "name": "By the window",
    }
    assert Desk(tmp_path).commands.names.given() == {"desk": "By the window"}
    again = desk.ask("set-zone-name", {"zone": "sofa", "name": "by the WINDOW"})
    assert "another zone is shown as" in str(again.error)
    assert desk.ask("set-zone-name", {"zone": "desk", "name": ""}).ok
    assert Desk(tmp_path).commands.names.given() == {}


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"zone": "attic", "name": "x"}, "no zone is named 'attic'; the zones are: desk, sofa"),
        ({"name": "x"}, "say which zone"),
        ({"zone": "desk", "name": "a\x1bb"}, "printable"),
        ({"zone": "desk", "name": "x" * 65}, "<= 64"),
    ],
)
def test_a_wrong_zone_name_is_refused_in_words(desk: Desk, payload: dict[str, Any], words: str) -> None:
    assert words in str(desk.ask("set-zone-name", payload).error)
    assert desk.commands.names.given() == {}


def test_ask_now_asks_until_somebody_votes_or_time_is_up(desk: Desk) -> None:
    assert desk.commands.questions.of("desk") is None
    reply = desk.ask("ask-now", {"zone": "desk"})
    asked = desk.commands.questions.of("desk")
    assert asked is not None
    assert (asked.requested, reply.result["question"]) == (True, asked.text)
    assert desk.commands.questions.of("sofa") is None
    desk.commands.questions.answered("desk")
    assert desk.commands.questions.of("desk") is None
    desk.ask("ask-now", {"zone": "desk"})
    desk.now_s += 601
    assert desk.commands.questions.of("desk") is None


def test_reload_is_refused_with_what_is_wrong_in_the_file(tmp_path: Path) -> None:
    def wrong() -> None:
        raise SettingsError("device.toml:3: no field is named 'hots'")

    assert desk_error(Desk(tmp_path, wrong)) == "device.toml:3: no field is named 'hots'"
    assert "without a settings file" in desk_error(Desk(tmp_path))
    done: list[int] = []
    assert Desk(tmp_path, lambda: done.append(1)).ask("reload").ok
    assert done == [1]


def desk_error(desk: Desk) -> str:
    return str(desk.ask("reload").error)


def test_replies_go_where_they_were_asked_for_with_what_they_belong_to(desk: Desk) -> None:
    answer = desk.send("identify", {"id": "a1"}, response_topic=f"{TOPICS.base}/reply/me", correlation=b"\x01\xff")
    assert answer is not None
    topic, reply = answer
    assert (topic, desk.correlation) == (f"{TOPICS.base}/reply/me", b"\x01\xff")
    assert reply is not None
    assert (reply.id, reply.seq, reply.command) == ("a1", None, "identify")
    assert (desk.send("identify", {"reply_to": f"{TOPICS.base}/reply/x/y"}) or ("",))[0] == f"{TOPICS.base}/reply/x/y"
    assert (desk.send("identify") or ("",))[0] == f"{TOPICS.base}/reply/identify"
    assert desk.publisher.said[-1].expiry_s == 60
    assert not desk.publisher.said[-1].retain


@pytest.mark.parametrize(
    "topic",
    ["other", TOPICS.status, f"{TOPICS.base}/reply/", f"{TOPICS.base}/reply/#", f"{TOPICS.base}/reply/a b", "",
     f"{TOPICS.base}/reply/../status", "homeassistant/device/x/config", f"{TOPICS.base}/reply/{'x' * 600}"],
)  # fmt: skip
def test_nobody_can_make_the_device_speak_elsewhere(desk: Desk, topic: str) -> None:
    for more in ({"response_topic": topic}, {}):
        payload = {} if more else {"reply_to": topic}
        answer = desk.send("set-zone-name", {"zone": "desk", "name": "x", **payload}, **more)
        assert answer is not None
        assert answer[0] == f"{TOPICS.base}/reply/set-zone-name"
        assert not answer[1].ok
    assert desk.commands.names.given() == {}


def test_a_retained_command_is_refused(desk: Desk) -> None:
    assert "retained" in str(desk.ask("identify", retained=True).error)
    assert desk.commands.carried_out == 0


def test_an_unknown_command_is_answered_with_those_that_there_are(desk: Desk) -> None:
    answer = desk.send("self destruct")
    assert answer is not None
    assert answer[0] == f"{TOPICS.base}/reply/unknown"
    assert "there are: identify, ask-now, reload, set-zone-name" in str(answer[1].error)


def test_a_flood_is_refused_answered_once_and_ends(desk: Desk) -> None:
    answers = [desk.send("identify", after_s=0) for _ in range(BURST + 50)]
    replies = [answer[1] for answer in answers if answer is not None]
    assert [reply.ok for reply in replies] == [True] * BURST + [False]
    assert "too many commands" in str(replies[-1].error)
    assert (desk.commands.carried_out, desk.commands.refused) == (BURST, 50)
    assert desk.ask("identify", after_s=1.0).ok


def test_a_bug_in_what_carries_a_command_out_is_a_reply(tmp_path: Path) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oh")

    assert Desk(tmp_path, broken).ask("reload").error == "the device failed at it: ZeroDivisionError: oh"


def test_the_bucket_fills_again() -> None:
    now = [0.0]
    bucket = Bucket(2, 0.5, lambda: now[0])
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now[0] = 2.0
    assert [bucket.take() for _ in range(2)] == [True, False]


noise = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
fields = st.dictionaries(st.sampled_from(["id", "reply_to", "zone", "name", "seconds", "x"]), noise, max_size=4)
payloads = st.binary(max_size=300) | (noise | fields).map(lambda value: json.dumps(value).encode())


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([*COMMANDS, "x", "", "…", "a b"]), payloads, st.booleans(), st.none() | st.text(max_size=30),
       st.none() | st.binary(max_size=30))  # fmt: skip
def test_whatever_comes_gets_a_reply_that_fits_its_schema(
    tmp_path: Path, name: str, payload: bytes, retained: bool, response_topic: str | None, correlation: bytes | None
) -> None:
    from comfywear.publishing.messages.schemas import schemas

    desk = Desk(tmp_path)
    answer = desk.send(name, payload, retained=retained, response_topic=response_topic, correlation=correlation)
    assert answer is not None
    topic, reply = answer
    assert TOPICS.may_answer_at(topic)
    import jsonschema

    jsonschema.Draft202012Validator(schemas()["reply"]).validate(json.loads(msgspec.json.encode(reply)))


def test_the_log_tells_of_refused_commands_now_and_then(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            desk.send("x", after_s=1.0)
        desk.send("x", after_s=60.0)
    assert len([record for record in caplog.records if "refused" in record.getMessage()]) == 2


def test_names_may_be_set_from_several_threads(desk: Desk, tmp_path: Path) -> None:
    def rename(zone: str) -> None:
        for number in range(20):
            desk.commands.set_zone_name(zone, f"{zone} {number}")

    threads = [threading.Thread(target=rename, args=(zone,)) for zone in ("desk", "sofa")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Desk(tmp_path).commands.names.given() == {"desk": "desk 19", "sofa": "sofa 19"}


def test_a_damaged_file_of_names_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "zone-names.json").write_bytes(b"\xff{")
    assert Desk(tmp_path).commands.names.given() == {}
    assert "passed over" in caplog.text
    with pytest.raises(UsageError):
        Desk(tmp_path).commands.names.set("attic", "x")
