"""The Modbus server to a real client (pymodbus), to garbage, and to more connections than it has places."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from boards import GOOD, board, served
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfywear.buildings import modbus_server
from comfywear.buildings.modbus_server import ModbusServer
from comfywear.buildings.registers import address_of
from comfywear.errors import ComfyWearError
from waiting import until

pymodbus = pytest.importorskip("pymodbus.client", reason="needs the extra modbus")
ASK = bytes.fromhex("0001 0000 0006 07 04 0064 0001")
TOLD = bytes.fromhex("0001 0000 0005 07 04 02 0001")


@pytest.fixture
def port() -> Iterator[int]:
    server = ModbusServer(board(GOOD, "desk", "door"), {1: "desk", 2: "door"}, host="127.0.0.1", port=0, unit_id=7)
    with served(server.run):
        yield until(lambda: server.port)
    assert server.port is None


@pytest.fixture
def client(port: int) -> Iterator[pymodbus.ModbusTcpClient]:
    with pymodbus.ModbusTcpClient("127.0.0.1", port=port, timeout=60) as found:
        yield found


def value(client: pymodbus.ModbusTcpClient, zone: int, point: int) -> float:
    found = client.read_input_registers(address_of(zone, point), count=2, device_id=7)
    assert not found.isError()
    return float(client.convert_from_registers(found.registers, client.DATATYPE.FLOAT32))


def test_a_client_reads_the_values_with_its_usual_word_order(client: pymodbus.ModbusTcpClient) -> None:
    assert [value(client, 2, point) for point in (1, 2, 3, 4, 5, 7)] == pytest.approx([23.1, 45.2, 640, 2, 1, 4])
    assert client.read_holding_registers(100, count=100, device_id=7).registers[0] == 1


def test_writes_are_refused_and_change_nothing(client: pymodbus.ModbusTcpClient) -> None:
    for refused in (
        client.write_register(104, 1, device_id=7),
        client.write_registers(104, [1, 2], device_id=7),
        client.write_coil(0, True, device_id=7),
        client.mask_write_register(address=104, device_id=7),
        client.readwrite_registers(read_address=104, read_count=1, write_address=104, values=[1], device_id=7),
    ):
        assert (refused.isError(), refused.exception_code) == (True, 1)
    assert value(client, 1, 1) == pytest.approx(23.1)


def test_units(client: pymodbus.ModbusTcpClient) -> None:
    for unit in (0, 7, 255):
        assert not client.read_input_registers(100, count=1, device_id=unit).isError()
    wrong = client.read_input_registers(100, count=1, device_id=9)
    assert (wrong.function_code, wrong.exception_code) == (0x84, 0x0B)


def asked(port: int, data: bytes, count: int) -> bytes:
    """What comes back, `count` bytes of it or up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.sendall(data)
        found = b""
        with suppress(ConnectionError):
            while len(found) < count and (more := line.recv(count - len(found))):
                found += more
        return found


def test_requests_that_come_together_or_in_pieces_are_all_answered(port: int) -> None:
    assert asked(port, ASK * 3, 3 * len(TOLD)) == TOLD * 3
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in ASK:
            line.sendall(bytes([byte]))
        assert line.recv(len(TOLD)) == TOLD


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=300))
def test_garbage_ends_its_own_connection_at_most(port: int, garbage: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line, suppress(ConnectionError):
        line.sendall(garbage)
    assert asked(port, ASK, len(TOLD)) == TOLD


def test_what_is_no_modbus_is_hung_up_on(port: int) -> None:
    assert asked(port, b"GET / HTTP/1.1\r\n\r\n", 1) == b""
    assert asked(port, struct.pack(">HHHB", 1, 0, 300, 7), 1) == b""


def test_who_is_silent_longest_makes_room(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbus_server, "MOST_CONNECTIONS", 3)
    with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as first:
        first.sendall(ASK)
        assert first.recv(len(TOLD)) == TOLD
        others = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(3)]
        for each in others:
            each.sendall(ASK)
            assert each.recv(len(TOLD)) == TOLD
        with suppress(ConnectionError):
            assert first.recv(1) == b""
        for each in others:
            each.close()


def test_one_that_stops_within_a_frame_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbus_server, "FRAME_S", 0.2)
    assert asked(port, ASK[:5], 1) == b""


def test_who_asks_too_fast_waits(port: int) -> None:
    many = 2 * modbus_server.MOST_PER_S
    assert asked(port, ASK * many, many * len(TOLD)) == TOLD * many


def test_a_port_that_is_taken_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        server = ModbusServer(board(GOOD), {1: "desk"}, host="127.0.0.1", port=other.getsockname()[1], unit_id=1)
        with pytest.raises(ComfyWearError, match=r"Modbus cannot listen on 127\.0\.0\.1 port .*set modbus\.host"):
            server.run(threading.Event(), lambda: None)
