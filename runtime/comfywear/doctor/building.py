"""Whether the building's protocols can be served: the ports are free, the extra is there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from comfywear.buildings.bacnet_server import MISSING
from comfywear.doctor.machine import Finding
from comfywear.errors import ComfyWearError
from comfywear.settings import Settings
from comfywear.system.listening import listen

__all__ = ["building"]


def building(settings: Settings) -> Iterator[Finding]:
    """A finding for each protocol that is switched on; that it is open to a network, the settings' warnings say."""
    modbus, bacnet = settings.modbus, settings.bacnet
    if modbus.enabled:
        yield _port("modbus", "Modbus", modbus.host, modbus.port)
    if bacnet.enabled and find_spec("bacpypes3") is None:
        yield Finding("bacnet", "fault", MISSING, "docs/building.md")
    elif bacnet.enabled:
        yield _port("bacnet", "BACnet", bacnet.host.partition("/")[0], bacnet.port, datagrams=True)


def _port(table: str, name: str, host: str, port: int, *, datagrams: bool = False) -> Finding:
    try:
        advice = f"set {table}.host and {table}.port"
        with listen(host, port, name, advice, datagrams=datagrams) as listener:
            port = listener.getsockname()[1]
    except ComfyWearError as error:
        shown_by = f"sudo ss -ln{'u' if datagrams else 't'}p 'sport = :{port}' shows who listens there"
        return Finding(table, "fault", str(error), shown_by)
    return Finding(table, "good", f"{host} port {port} is free")
