"""`comfywear bench building`: clients of both protocols get right answers from a device."""

from __future__ import annotations

import json

import pytest

from comfywear.cli import main

pytest.importorskip("bacpypes3", reason="needs the extra bacnet")
pytest.importorskip("pymodbus", reason="needs the extra modbus")


@pytest.mark.parametrize(
    ("clients", "seconds"), [(2, 2), pytest.param(50, 600, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_all_clients_are_answered_rightly(clients: int, seconds: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "building", "--clients", str(clients), "--seconds", str(seconds), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["modbus_failed"], figures["bacnet_failed"]) == (0, 0)
    assert figures["modbus_answered"] >= clients
    assert figures["bacnet_answered"] >= clients
    assert figures["bacnet_notifications"] >= clients
    assert figures["device_at_the_end_mb"] < 1.5 * figures["device_idle_mb"]
    assert figures["device_exit_code"] == 0
