"""The example configuration in docs/mosquitto, in a real mosquitto, with only paths and port changed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority

from comfywear.publishing import BrokerSettings, Topics
from comfywear.publishing.broker.connection import Acknowledged, Connection, Incoming, Refused
from comfywear.publishing.broker.dialect import Dialect
from comfywear.publishing.homeassistant.discovery import config_topic
from comfywear.publishing.messages.asyncapi import CHANNELS, address
from waiting import until

DOCS = Path(__file__).resolve().parents[2] / "docs" / "mosquitto"
A, B = Topics("home", "lab1"), Topics("home", "lab2")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.sign("broker", host="localhost")
    for name in ("lab1", "lab2", "collector", "homeassistant", "operator", "dashboard"):
        made.sign(name)
    return made


@pytest.fixture
def broker(make_mosquitto: Any, authority: Authority, tmp_path: Path) -> Any:
    """mosquitto with the very files: every path and the port are put in, and nothing else."""
    text = (DOCS / "mosquitto.conf").read_text(encoding="utf-8")
    (tmp_path / "acl").write_text((DOCS / "acl").read_text(encoding="utf-8"))
    for name, path in {
        "/etc/mosquitto/comfywear/ca.pem": authority.pem,
        "/etc/mosquitto/comfywear/broker.pem": authority.folder / "broker.pem",
        "/etc/mosquitto/comfywear/broker.key": authority.folder / "broker.key",
        "/etc/mosquitto/comfywear/acl": tmp_path / "acl",
        "/var/lib/mosquitto/": f"{tmp_path}/",
    }.items():
        assert text.count(name) == 1
        text = text.replace(name, str(path))
    assert "/etc/" not in re.sub(r"(?m)^#.*$", "", text)
    before, listener, after = text.partition("listener 8883\n")
    assert listener
    made = make_mosquitto(settings=before, lines=after.splitlines())
    made.start()
    return made


def login(broker: Any, authority: Authority, name: str) -> BrokerSettings:
    return BrokerSettings(
        "localhost",
        broker.port,
        tls=True,
        ca_file=str(authority.pem),
        client_cert=str(authority.folder / f"{name}.pem"),
        client_key=str(authority.folder / f"{name}.key"),
    )


@contextmanager
def client(broker: Any, authority: Authority, name: str) -> Iterator[Connection]:
    connection = Dialect().connect(login(broker, authority, name), f"test-{name}-{secrets.token_hex(4)}")
    try:
        yield connection
    finally:
        connection.close()


def may_write(connection: Connection, topic: str) -> bool:
    mid = connection.publish(topic, b"{}", retain=False)
    answers: list[Acknowledged] = []

    def answered() -> bool:
        connection.poll(0.05)
        while connection.events:
            event = connection.events.popleft()
            if isinstance(event, Acknowledged) and event.mid == mid:
                answers.append(event)
        return bool(answers)

    until(answered)
    return answers[0].refusal is None


NAMES = {"site": "home", "device": "lab1", "zone": "desk", "camera": "door", "line": "door", "consumer": "collector"}
OWN = [
    *(address(name).format(requester="identify", **NAMES) for name, it in CHANNELS.items() if it.speaker == "device"),
    f"{A.base}/reply/me/1", config_topic("homeassistant", A),
    config_topic("homeassistant", A, "desk"),
]  # fmt: skip
"""Every topic at which a device speaks, as docs/asyncapi.json has them."""
FOREIGN = [topic.replace("lab1", "lab2") for topic in OWN]
TOLD = [A.vote_set("desk"), A.command("identify"), A.command("reload"), A.ack("collector")]


def test_a_device_writes_its_own_topics_and_nobody_elses(broker: Any, authority: Authority) -> None:
    with client(broker, authority, "lab1") as device:
        assert [topic for topic in OWN if not may_write(device, topic)] == []
        elsewhere = [*FOREIGN, *TOLD, "homeassistant/status", "comfywear/v1/home", "other", f"{A.base}/zone/desk/other"]
        assert [topic for topic in elsewhere if may_write(device, topic)] == []


@pytest.mark.parametrize(
    ("name", "writes"),
    [
        ("collector", [A.ack("collector"), B.ack("collector")]),
        (
            "homeassistant",
            [
                A.vote_set("desk"),
                A.command("identify"),
                A.command("ask-now"),
                A.command("reload"),
                "homeassistant/status",
            ],
        ),
        ("operator", [A.command("identify"), A.command("reload"), A.command("set-zone-name"), B.command("reload")]),
        ("dashboard", []),
    ],
)
def test_a_consumer_writes_what_it_should_and_nothing_else(
    broker: Any, authority: Authority, name: str, writes: list[str]
) -> None:
    everything = {*OWN, *FOREIGN, *TOLD, *writes, A.ack("other"), A.command("set-zone-name"), "homeassistant/status"}
    if name == "homeassistant":
        writes = [*writes, config_topic("homeassistant", A), config_topic("homeassistant", B)]
        writes += [config_topic("homeassistant", each, "desk") for each in (A, B)]
    with client(broker, authority, name) as consumer:
        assert {topic for topic in sorted(everything) if may_write(consumer, topic)} == set(writes)


def heard(broker: Any, authority: Authority, name: str, topics: list[str]) -> set[str]:
    """Which of `topics` reach a client that subscribes to everything."""
    speaker_of = {"cmd": "operator", "set": "homeassistant", "ack": "collector"}
    with client(broker, authority, name) as listener:
        listener.subscribe("#")
        until(lambda: listener.poll(0.05) or listener.events)
        for topic in topics:
            device = topic.split("/")[3]
            kind = topic.split("/")[4]
            speaker = speaker_of.get(kind) or speaker_of.get(topic.rsplit("/", 1)[-1]) or device
            with client(broker, authority, speaker) as other:
                assert may_write(other, topic)
        with client(broker, authority, "homeassistant") as last:
            assert may_write(last, "homeassistant/status")
        for _ in range(10):
            listener.poll(0.05)
        return {event.topic for event in listener.events if isinstance(event, Incoming)}


def test_a_device_hears_what_it_is_told_and_nothing_of_others(broker: Any, authority: Authority) -> None:
    said = [A.climate("desk"), A.reply("identify"), A.command("identify"), A.vote_set("desk"), A.ack("collector"),
            B.climate("desk"), B.status, B.command("identify"), B.vote_set("desk"), B.ack("collector")]  # fmt: skip
    assert heard(broker, authority, "lab1", said) == {
        A.command("identify"), A.vote_set("desk"), A.ack("collector"), "homeassistant/status",
    }  # fmt: skip


def test_a_dashboard_hears_states_and_votes_but_no_replies(broker: Any, authority: Authority) -> None:
    said = [A.climate("desk"), A.vote("desk"), B.status, A.reply("identify"), A.command("reload"), A.vote_set("desk")]
    assert heard(broker, authority, "dashboard", said) == {
        A.climate("desk"), A.vote("desk"), B.status, "homeassistant/status",
    }  # fmt: skip


def refusal(settings: BrokerSettings) -> Refused:
    with pytest.raises(Refused) as caught:
        Dialect().connect(settings, "test")
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_broker_that_wants_a_certificate_says_so_in_one_line(broker: Any, authority: Authority) -> None:
    error = refusal(BrokerSettings("localhost", broker.port, tls=True, ca_file=str(authority.pem)))
    assert re.search(r"it (wants|may want) a client certificate \(client_cert and client_key\)", str(error))


def test_a_certificate_of_another_authority_is_refused_in_one_line(
    broker: Any, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other", "somebody else")
    certificate, key = other.sign("lab1")
    settings = BrokerSettings(
        "localhost",
        broker.port,
        tls=True,
        ca_file=str(authority.pem),
        client_cert=str(certificate),
        client_key=str(key),
    )
    # Whether the broker's alert, which says why, comes before the connection is closed is a race that it runs.
    words = (
        "it does not trust the authority that signed the client certificate",
        "may not accept the client certificate",
    )
    said = str(refusal(settings))
    assert any(word in said for word in words), said


def test_files_that_cannot_be_used_are_named(broker: Any, authority: Authority, tmp_path: Path) -> None:
    good = login(broker, authority, "lab1")
    folder = authority.folder
    for certificate, key, words in [
        (str(tmp_path / "none.pem"), good.client_key, "cannot be used: No such file"),
        (good.client_cert, str(folder / "lab2.key"), "the key is not that of the certificate"),
        (str(folder / "lab1.names"), good.client_key, "no certificate and key in PEM form"),
    ]:
        settings = BrokerSettings(
            "localhost", broker.port, tls=True, ca_file=str(authority.pem), client_cert=certificate, client_key=key
        )
        assert words in str(refusal(settings))


def test_the_key_may_be_a_credential_of_the_service_manager(
    broker: Any, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mqtt-key").write_bytes((authority.folder / "lab1.key").read_bytes())
    settings = BrokerSettings(
        "localhost",
        broker.port,
        tls=True,
        ca_file=str(authority.pem),
        client_cert=str(authority.folder / "lab1.pem"),
        client_key="credential:mqtt-key",
    )
    assert "kept by the service manager" in str(refusal(settings))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    Dialect().connect(settings, "test").close()
