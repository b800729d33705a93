from __future__ import annotations

import logging
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
from paho.mqtt.enums import MQTTProtocolVersion
from peers import ACCEPT, FAST, TOPICS, StandIn, running

from comfywear.collect.session import LARGEST_PACKET, Session
from comfywear.publishing import BrokerSettings, Publisher, Spool, climate_message
from comfywear.publishing.broker.connection import Connection, Incoming, Kind, Refused
from comfywear.publishing.broker.dialect import Dialect
from comfywear.publishing.broker.v5 import LARGEST_PACKET_BYTES
from comfywear.publishing.messages.commands import LARGEST_COMMAND_BYTES
from comfywear.records import Climate
from ports import free_port
from waiting import until

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


def connect(port: int, host: str = "127.0.0.1", **options: Any) -> Connection:
    return Dialect().connect(BrokerSettings(host, port, **options), "test")


def refusal(port: int, **options: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        connect(port, **options)
    return caught.value


@pytest.fixture(name="port")
def a_port() -> int:
    return free_port()


@pytest.fixture
def embedded(port: int) -> Iterator[int]:
    """iotcore without a configuration file: MQTT 3.1.1 alone, and it drops the socket of everything else."""
    broker = pytest.importorskip("iotcore.broker", reason="needs the package iotcore (pip install 'comfywear[demo]')")
    with broker.Broker(port=port, listen="127.0.0.1"):
        yield port


def test_mosquitto_is_spoken_to_in_version_5(mosquitto: Any) -> None:
    connection = connect(mosquitto.port)
    assert connection.protocol is V5
    connection.close()


def test_nobody_listening_is_said(port: int) -> None:
    assert str(refusal(port)) == f"nothing listens on 127.0.0.1:{port}"


def test_an_unknown_name_is_said() -> None:
    assert "the name nowhere.invalid is not known" in str(refusal(1883, host="nowhere.invalid"))


def test_a_port_that_answers_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        error = refusal(server.getsockname()[1], timeout_s=0.3)
    assert "does not answer as a broker" in str(error)
    assert error.kind is Kind.UNREACHABLE


def test_a_stop_is_not_kept_waiting() -> None:
    stop = threading.Event()
    stop.set()
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(Refused):
        Dialect().connect(BrokerSettings("127.0.0.1", server.getsockname()[1], timeout_s=600), "test", stop=stop)


def test_a_missing_password_file_is_said(mosquitto: Any, tmp_path: Path) -> None:
    error = refusal(mosquitto.port, username="dev", password_file=str(tmp_path / "none"))
    assert f"the password file {tmp_path / 'none'} cannot be read" in str(error)


@pytest.mark.parametrize("no", [b"\x20\x02\x00\x01", b"\x20\x03\x00\x84\x00"], ids=["as 3.1.1", "as v5"])
def test_a_broker_that_says_it_does_not_speak_v5_is_spoken_to_in_3_1_1(no: bytes) -> None:
    with StandIn({4: ACCEPT[4], 5: no}.get) as broker:
        dialect = Dialect()
        for _ in range(2):
            connection = dialect.connect(BrokerSettings("127.0.0.1", broker.port), "test")
            assert connection.protocol is V311
            connection.close()
        assert broker.levels == [5, 4, 4]


def test_a_broker_that_drops_v5_without_a_word_is_proved_before_3_1_1_is_settled_for() -> None:
    with StandIn({4: ACCEPT[4], 5: None}.get) as broker:
        dialect = Dialect()
        for _ in range(2):
            dialect.connect(BrokerSettings("127.0.0.1", broker.port), "test").close()
        assert broker.levels == [5, 4, 5, 4, 4]


def test_a_broker_that_drops_one_connection_while_it_starts_is_not_taken_for_an_old_one() -> None:
    answers = iter([None, ACCEPT[4], ACCEPT[5]])
    with StandIn(lambda _level: next(answers)) as broker:
        connection = connect(broker.port)
        assert connection.protocol is V5
        connection.close()
        assert broker.levels == [5, 4, 5]


def test_a_broker_known_to_speak_v5_is_not_asked_in_3_1_1_when_it_drops_a_connection() -> None:
    answers = iter([ACCEPT[5], None, ACCEPT[5]])
    with StandIn(lambda _level: next(answers)) as broker:
        dialect, settings = Dialect(), BrokerSettings("127.0.0.1", broker.port)
        dialect.connect(settings, "test").close()
        with pytest.raises(Refused, match="closed the connection without an answer"):
            dialect.connect(settings, "test")
        dialect.connect(settings, "test").close()
        assert broker.levels == [5, 5, 5]


def test_a_broker_that_drops_everything_is_said_with_what_to_look_at() -> None:
    with StandIn(lambda _level: None) as broker:
        error = refusal(broker.port)
    assert "wrong user name or password" in str(error)
    assert "TLS" in str(error)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\x20\x03\x00\x86\x00", "bad user name or password"),
        (b"\x20\x03\x00\x87\x00", "not authorised"),
        (b"\x20\x03\x00\x85\x00", "client id"),
        (b"\x20\x03\x00\x9f\x00", "connection rate exceeded"),
    ],
)
def test_a_refusal_in_words_is_passed_on_and_not_tried_in_another_version(answer: bytes, words: str) -> None:
    with StandIn(lambda _level: answer) as broker:
        error = refusal(broker.port)
        assert words in str(error)
        assert broker.levels == [5]


def test_the_embedded_broker_that_speaks_3_1_1_alone_takes_messages_and_votes(embedded: int) -> None:
    votes: list[tuple[str, int]] = []
    publisher = Publisher(
        BrokerSettings("127.0.0.1", embedded),
        TOPICS,
        Spool(None, "dev"),
        on_vote=lambda zone, vote, _: votes.append((zone, vote.level)),
        pace=FAST,
    )
    climate = partial(climate_message, Climate("desk", "fresh", 23.4, 45.0))
    with running(publisher):
        sent = [publisher.post(TOPICS.climate("desk"), climate, retain=True) for _ in range(30)]
        until(lambda: publisher.spool.health().rows == 0)
        consumer = connect(embedded)
        assert consumer.protocol is V311
        consumer.subscribe(f"{TOPICS.base}/#")
        consumer.publish(TOPICS.vote_set("desk"), b"2", retain=False)

        def heard() -> bool:
            consumer.poll(0.05)
            return any(isinstance(e, Incoming) and f'"seq":{sent[-1]},'.encode() in e.payload for e in consumer.events)

        until(heard)
        until(lambda: votes == [("desk", 2)])
        consumer.close()


class TestTls:
    """A real mosquitto with certificates of an authority made for the test."""

    @pytest.fixture
    def secure(self, make_mosquitto: Any, tmp_path: Path) -> Any:
        openssl = ["openssl"]
        try:
            subprocess.run(
                [*openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
                 "-keyout", tmp_path / "ca.key", "-out", tmp_path / "ca.pem"],
                check=True, capture_output=True,
            )  # fmt: skip
            subprocess.run(
                [*openssl, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                 "-keyout", tmp_path / "key.pem", "-out", tmp_path / "request.pem"],
                check=True, capture_output=True,
            )  # fmt: skip
        except FileNotFoundError:
            pytest.skip("needs the command openssl")
        (tmp_path / "names").write_text("subjectAltName=DNS:localhost\n")
        subprocess.run(
            [*openssl, "x509", "-req", "-days", "2", "-in", tmp_path / "request.pem", "-CA", tmp_path / "ca.pem",
             "-CAkey", tmp_path / "ca.key", "-CAcreateserial", "-extfile", tmp_path / "names",
             "-out", tmp_path / "cert.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        certificates = [f"certfile {tmp_path / 'cert.pem'}", f"keyfile {tmp_path / 'key.pem'}"]
        broker = make_mosquitto(lines=["allow_anonymous true", *certificates])
        broker.start()
        return broker

    def test_a_certificate_is_verified(self, secure: Any, tmp_path: Path) -> None:
        authority = str(tmp_path / "ca.pem")
        connection = connect(secure.port, host="localhost", tls=True, ca_file=authority)
        assert connection.protocol is V5
        connection.close()
        by_address = refusal(secure.port, tls=True, ca_file=authority)
        assert "is for another name" in str(by_address)
        unknown = refusal(secure.port, host="localhost", tls=True)
        assert "name its authority with ca_file" in str(unknown)

    def test_a_secure_connection_carries_many_messages(self, secure: Any, tmp_path: Path) -> None:
        settings = BrokerSettings("localhost", secure.port, tls=True, ca_file=str(tmp_path / "ca.pem"))
        publisher = Publisher(settings, TOPICS, Spool(None, "dev"), pace=FAST)
        climate = partial(climate_message, Climate("desk", "fresh", 23.4, 45.0))
        with running(publisher):
            for _ in range(300):
                publisher.post(TOPICS.climate("desk"), climate)
            until(lambda: publisher.spool.health().rows == 0)

    def test_speaking_plainly_to_a_secure_port_is_said(self, secure: Any) -> None:
        assert "a port that wants TLS" in str(refusal(secure.port))


def test_speaking_tls_to_a_plain_port_is_said(mosquitto: Any) -> None:
    assert "TLS" in str(refusal(mosquitto.port, tls=True, timeout_s=3))


def test_a_missing_ca_file_is_said(mosquitto: Any, tmp_path: Path) -> None:
    assert "the CA file" in str(refusal(mosquitto.port, tls=True, ca_file=str(tmp_path / "none")))


def test_two_devices_with_one_client_id_are_told_why_their_connections_break(
    mosquitto: Any, caplog: pytest.LogCaptureFixture
) -> None:
    publishers = [
        Publisher(BrokerSettings("127.0.0.1", mosquitto.port), TOPICS, Spool(None, "dev"), pace=FAST) for _ in range(2)
    ]
    with caplog.at_level(logging.WARNING), running(publishers[0]), running(publishers[1]):
        until(
            lambda: "do two programs run with one device id" in caplog.text or "does another client have" in caplog.text
        )


def test_the_reason_of_a_broker_that_ends_the_connection_is_kept() -> None:
    with StandIn(lambda _level: ACCEPT[5] + b"\xe0\x02\x8e\x00") as broker:
        connection = connect(broker.port)
        until(lambda: connection.poll(0.05) or connection.lost)
        assert "another client with the same id" in str(connection.lost)


def test_a_broker_of_v5_is_told_how_large_a_packet_may_be() -> None:
    with StandIn(ACCEPT.get) as broker:
        settings = BrokerSettings("127.0.0.1", broker.port)
        Dialect().connect(settings, "device").close()
        collector = Session(settings, "collector", expiry_s=60)
        collector.open()
        collector.close()
    assert broker.largest == [LARGEST_PACKET_BYTES, LARGEST_PACKET]
    assert LARGEST_COMMAND_BYTES < LARGEST_PACKET_BYTES <= LARGEST_PACKET <= 1 << 20


@pytest.mark.parametrize("level", [4, 5])
def test_of_a_message_that_is_too_large_the_beginning_alone_is_held(level: int) -> None:
    """In v5 a broker is told what is too large; one of 3.1.1 is not, and a stranger may keep 200 MB there."""
    large, small = publish("t", bytes(30_000_000), level), publish("t", b"after it", level)

    def connack(asked: int) -> bytes:
        return ACCEPT[level] + large + small if asked == level else b"\x20\x02\x00\x01"

    with StandIn(connack) as broker:
        connection = connect(broker.port)
        until(lambda: connection.poll(0.05) or len(connection.events) == 2)
        first, second = connection.events
        assert isinstance(first, Incoming)
        assert isinstance(second, Incoming)
        assert first.topic == "t"
        assert LARGEST_COMMAND_BYTES < len(first.payload) < 1_000_000
        assert second.payload == b"after it"
        connection.abandon()


@pytest.mark.parametrize(
    "packet", [b"\x30\x01\x00", b"\x30\x02\x00\x09", b"\x90\x01\x00", b"\xe0\x01\xff", b"\x40\x00"]
)
def test_what_is_no_packet_ends_the_connection_with_words(packet: bytes) -> None:
    with StandIn(lambda _level: ACCEPT[5] + packet) as broker:
        connection = connect(broker.port)
        until(lambda: connection.poll(0.05) or connection.lost)
        assert "no MQTT" in str(connection.lost) or "broke" in str(connection.lost)
        connection.abandon()


def publish(topic: str, payload: bytes, level: int) -> bytes:
    """A PUBLISH with QoS 0."""
    body = len(topic).to_bytes(2, "big") + topic.encode() + (b"\x00" if level == 5 else b"") + payload
    left, length = len(body), b""
    while left:
        left, digit = divmod(left, 128)
        length += bytes([digit | (128 if left else 0)])
    return b"\x30" + length + body


def test_a_name_server_that_is_silent_is_waited_for_with_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, beats = threading.Event(), Counter[str]()

    def silent(*_: object, **__: object) -> NoReturn:
        answer.wait(250)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    publisher = Publisher(BrokerSettings("broker.example"), TOPICS, Spool(None, "dev"), pace=FAST)
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run, args=(stop, lambda: beats.update(["beat"])))
    thread.start()
    until(lambda: beats["beat"] >= 4)
    assert publisher.state == "waiting: the broker has not answered yet"  # still waiting for the name
    answer.set()
    until(lambda: "Temporary failure" in publisher.state)
    answer.clear()
    stop.set()
    thread.join(60)  # does not wait for the name server
    assert not thread.is_alive()
    answer.set()
