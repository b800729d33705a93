"""The BACnet server to a real client (bacpypes3), its subscribers, garbage and strangers."""

from __future__ import annotations

import asyncio
import builtins
import math
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from boards import GOOD, board, readings, served
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfywear.buildings.bacnet_server import BacnetServer
from comfywear.buildings.points import POINTS
from comfywear.buildings.readings import Board, Validity
from comfywear.errors import ComfyWearError
from waiting import until

pytest.importorskip("bacpypes3", reason="needs the extra bacnet")

from bacnet_client import Client
from bacnet_client import until as soon
from bacpypes3.apdu import ErrorRejectAbortNack, PropertyValue, WritePropertyMultipleRequest
from bacpypes3.basetypes import WriteAccessSpecification
from bacpypes3.constructeddata import Any as Anything
from bacpypes3.primitivedata import ObjectIdentifier, Real

from comfywear.buildings import bacnet_stack

AIR, CO2, OCCUPIED, LEVEL = "analog-input,101", "analog-input,103", "binary-input,105", "multi-state-input,107"


def server_of(made: Board, *, host: str = "127.0.0.1", port: int = 0) -> BacnetServer:
    return BacnetServer(
        made, {1: "desk"}, host=host, port=port, instance=1234, name="d1", location="home", version="1.2.3"
    )


@pytest.fixture
def made() -> Board:
    return board(GOOD, "desk")


@pytest.fixture
def port(made: Board) -> Iterator[int]:
    server = server_of(made)
    with served(server.run):
        yield until(lambda: server.port)
    assert server.port is None


def test_it_says_who_it_is_and_what_it_has(port: int) -> None:
    async def ask() -> None:
        async with Client(port) as client:
            (found,) = await client.app.who_is(address=client.server)
            assert tuple(found.iAmDeviceIdentifier)[1] == 1234
            objects = [str(each) for each in await client.read("device,1234", "object-list")]
            assert len(objects) == len(POINTS) + 2
            assert {AIR, OCCUPIED, LEVEL} < set(objects)
            device = [str(await client.read("device,1234", each)) for each in ("object-name", "model-name", "location")]
            assert device == ["d1", "comfywear", "home"]
            services = str(await client.read("device,1234", "protocol-services-supported"))
            assert services == "subscribe-cov;read-property;read-property-multiple;who-has;who-is"
            types = str(await client.read("device,1234", "protocol-object-types-supported"))
            assert types == "analog-input;binary-input;device;multi-state-input;network-port"

    asyncio.run(ask())


def test_values_and_units_are_read_one_by_one_and_together(port: int) -> None:
    async def ask() -> None:
        async with Client(port) as client:
            assert await client.see(AIR) == (pytest.approx(23.1), "no-fault-detected", "", False)
            assert str(await client.read(AIR, "units")) == "degrees-celsius"
            assert str(await client.read("analog-input,102", "units")) == "percent-relative-humidity"
            assert str(await client.read(CO2, "units")) == "parts-per-million"
            assert await client.see(LEVEL) == (4, "no-fault-detected", "", False)
            words = await client.read(LEVEL, "state-text")
            assert [*words][3:] == ["comfortable", "very comfortable", "not known"]
            assert str((await client.see(OCCUPIED))[0]) == "active"
            assert str(await client.read(OCCUPIED, "active-text")) == "occupied"
            several = await client.app.read_property_multiple(client.server, [AIR, ["all"], CO2, ["present-value"]])
            assert {str(each[0]) for each in several} == {AIR, CO2}
            unused, _, flags, out_of_service = await client.see("analog-input,109")
            assert (math.isnan(unused), flags, out_of_service) == (True, "out-of-service", True)

    asyncio.run(ask())


async def refused(asking: Any) -> str:
    with pytest.raises(ErrorRejectAbortNack) as error:
        await asking
    return str(error.value)


def test_writes_are_refused_with_the_protocols_own_errors_and_change_nothing(port: int) -> None:
    async def ask() -> None:
        async with Client(port) as client:
            write = client.app.write_property
            assert await refused(write(client.server, AIR, "present-value", 5.0)) == "property: write-access-denied"
            assert await refused(write(client.server, AIR, "out-of-service", True)) == "property: write-access-denied"
            assert await refused(write(client.server, AIR, "cov-increment", 9.0)) == "property: write-access-denied"
            assert (
                await refused(write(client.server, "device,1234", "object-name", "x"))
                == "property: write-access-denied"
            )
            assert await refused(write(client.server, "analog-input,777", "present-value", 5.0)) == (
                "object: unknown-object"
            )
            value = PropertyValue(propertyIdentifier="present-value", value=Anything(Real(5.0)))
            several = WriteAccessSpecification(objectIdentifier=AIR, listOfProperties=[value])
            with pytest.raises(ErrorRejectAbortNack) as error:
                await client.app.request(
                    WritePropertyMultipleRequest(listOfWriteAccessSpecs=[several], destination=client.server)
                )
            assert str(error.value.errorType.errorCode) == "write-access-denied"
            assert str(error.value.firstFailedWriteAttempt.objectIdentifier) == AIR
            assert await client.see(AIR) == (pytest.approx(23.1), "no-fault-detected", "", False)

    asyncio.run(ask())


class Heard:
    """What a subscriber heard of an object: pairs of value and flags."""

    def __init__(self, client: Client, identifier: str, *, confirmed: bool = True) -> None:
        self.said: list[tuple[Any, str]] = []
        self._subscribing = client.app.change_of_value(
            client.server, ObjectIdentifier(identifier), issue_confirmed_notifications=confirmed, lifetime=300
        )

    async def __aenter__(self) -> list[tuple[Any, str]]:
        self._scm = await self._subscribing.__aenter__()
        self._task = asyncio.create_task(self._hear())
        return self.said

    async def _hear(self) -> None:
        while True:
            _, value = await self._scm.get_value()
            _, flags = await self._scm.get_value()
            self.said.append((value, str(flags)))

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        await self._subscribing.__aexit__(None, None, None)


@pytest.mark.parametrize("confirmed", [True, False])
def test_subscribers_hear_of_changes_that_count_and_of_a_sensor_that_falls_silent(
    port: int, made: Board, confirmed: bool
) -> None:
    async def ask() -> None:
        async with Client(port) as client, Heard(client, AIR, confirmed=confirmed) as said:
            await soon(lambda: said)
            assert said == [(pytest.approx(23.1), "")]
            made.hand({"desk": readings({**GOOD, "air-temperature": 23.15})}, time.monotonic())  # less than 0.1 K
            shown = 0.0
            while shown != pytest.approx(23.15):
                shown = await client.read(AIR)
            made.hand({"desk": readings({**GOOD, "air-temperature": 24.0})}, time.monotonic())
            await soon(lambda: len(said) > 1)
            assert said[1:] == [(24.0, "")]
            made.hand({"desk": readings({}, Validity.STALE)}, time.monotonic())
            await soon(lambda: len(said) > 2)
            assert math.isnan(said[2][0])
            assert said[2][1] == "fault"
            made.hand({"desk": readings(GOOD)}, time.monotonic())
            await soon(lambda: len(said) > 3)
            assert said[3] == (pytest.approx(23.1), "")

    asyncio.run(ask())


def test_words_are_told_too(port: int, made: Board) -> None:
    async def ask() -> None:
        async with Client(port) as client, Heard(client, LEVEL) as level, Heard(client, OCCUPIED) as occupied:
            await soon(lambda: level and occupied)
            made.hand({"desk": readings({}, Validity.GONE)}, time.monotonic())
            await soon(lambda: len(level) > 1 and len(occupied) > 1)
            assert level == [(4, ""), (6, "fault")]
            assert [(str(value), flags) for value, flags in occupied] == [("active", ""), ("inactive", "fault")]

    asyncio.run(ask())


def test_a_subscriber_that_is_gone_keeps_nobody_from_hearing(port: int, made: Board) -> None:
    async def ask() -> None:
        async with Client(port, 901) as gone:
            subscribing = gone.app.change_of_value(gone.server, ObjectIdentifier(AIR), lifetime=300)
            await subscribing.__aenter__()
        async with Client(port) as client, Heard(client, AIR) as said:
            await soon(lambda: said)
            for count, air_temp_c in enumerate((25.0, 26.0), 2):
                made.hand({"desk": readings({**GOOD, "air-temperature": air_temp_c})}, time.monotonic())
                await soon(lambda wanted=count: len(said) == wanted)
            assert [value for value, _ in said[1:]] == [25.0, 26.0]

    asyncio.run(ask())


def test_subscriptions_are_bounded(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bacnet_stack, "MOST_SUBSCRIPTIONS", 1)

    async def ask() -> None:
        async with Client(port) as client, Heard(client, AIR) as said:
            await soon(lambda: said)
            with pytest.raises(ErrorRejectAbortNack, match="no-space-to-add-list-element"):
                async with Heard(client, LEVEL):
                    pass
            assert await client.read(AIR) == pytest.approx(23.1)

    asyncio.run(ask())


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.lists(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"\x81\x0a\x00\x10" + tail)))
def test_garbage_takes_nothing_down(port: int, garbage: list[bytes]) -> None:
    async def ask() -> None:
        async with Client(port) as client:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for each in garbage:
                    stranger.sendto(each, ("127.0.0.1", port))
            assert await client.read(AIR) == pytest.approx(23.1)

    asyncio.run(ask())


def test_it_is_found_by_a_broadcast_where_its_network_is_named(made: Board) -> None:
    server = server_of(made, host="127.0.0.1/8")
    with served(server.run):
        port = until(lambda: server.port)

        async def ask() -> Any:
            async with Client(port) as client:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    stranger.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                    stranger.setblocking(False)
                    who_is = bytes.fromhex("810b000c0120ffff00ff1008")

                    async def answer() -> bytes:
                        stranger.sendto(who_is, ("127.255.255.255", port))
                        await asyncio.sleep(0.1)
                        try:
                            return stranger.recv(100)
                        except BlockingIOError:
                            return b""

                    return await soon(answer), client

        found, _ = asyncio.run(ask())
        assert (1234).to_bytes(2, "big") in found


def test_a_port_that_is_taken_is_said_in_words(made: Board) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as another bacpypes3 would
        other.bind(("127.0.0.1", 0))
        server = server_of(made, port=other.getsockname()[1])
        with pytest.raises(ComfyWearError, match=r"BACnet cannot listen on 127\.0\.0\.1 port .*set bacnet\.host"):
            server.run(threading.Event(), lambda: None)


def test_an_address_that_is_none_is_said_in_words(made: Board) -> None:
    with pytest.raises(ComfyWearError, match=r"127\.0\.0\.1/99"):
        server_of(made, host="127.0.0.1/99").run(threading.Event(), lambda: None)


def test_without_the_package_the_extra_is_named(made: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **named: Any) -> Any:
        if name.startswith("comfywear.buildings.bacnet_stack"):
            raise ImportError(name)
        return real(name, *args, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ComfyWearError, match=r"pip install 'comfywear\[bacnet\]'"):
        server_of(made).run(threading.Event(), lambda: None)
