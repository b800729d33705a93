"""The tables of the settings file about the building's protocols."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface
from typing import Annotated

from msgspec import Meta

from comfywear.settings.types import Section
from comfywear.system.loopback import is_loopback
from comfywear.texts import Text

__all__ = ["BacnetSettings", "ModbusSettings", "bacnet_faults", "opened"]


class ModbusSettings(Section, frozen=True):
    """Building management reads the zones over Modbus TCP; nothing can be written (docs/building.md)."""

    enabled: Annotated[bool, Meta(title="Modbus", description="Serve the registers.")] = False
    host: Annotated[
        str,
        Meta(
            title="Address",
            description="127.0.0.1 = this machine alone; another address of this machine, or 0.0.0.0, opens it to a "
            "network. Modbus knows no password.",
            min_length=1,
        ),
    ] = "127.0.0.1"
    port: Annotated[
        Annotated[int, Meta(ge=0, le=65535)],
        Meta(title="Port", description="Modbus' own is 502, for which a service needs a right; 0 = any that is free."),
    ] = 1502
    unit_id: Annotated[
        Annotated[int, Meta(ge=1, le=247)],
        Meta(title="Unit", description="The unit id that is answered; 0 and 255 always are."),
    ] = 1


class BacnetSettings(Section, frozen=True):
    """Building management reads the zones over BACnet/IP; nothing can be written (docs/building.md)."""

    enabled: Annotated[
        bool, Meta(title="BACnet", description="Be a BACnet device; needs the extra: pip install 'comfywear[bacnet]'.")
    ] = False
    host: Annotated[
        str,
        Meta(
            title="Address",
            description="127.0.0.1 = this machine alone. An IPv4 address of this machine with the length of its "
            "network's prefix, such as 192.0.2.7/24, opens it to that network. BACnet/IP knows no password.",
        ),
    ] = "127.0.0.1"
    port: Annotated[
        Annotated[int, Meta(ge=0, le=65535)],
        Meta(title="Port", description="BACnet's own is 47808; 0 = any that is free."),
    ] = 47808
    instance: Annotated[
        Annotated[int, Meta(ge=0, le=4_194_302)],
        Meta(title="Instance", description="The device's number: no other in the building's BACnet may have it."),
    ] = 100_001


def bacnet_faults(bacnet: BacnetSettings) -> Iterator[tuple[str, str]]:
    """The field and what is wrong with it: an address that is none of IPv4."""
    try:
        IPv4Interface(bacnet.host)
    except ValueError:
        wanted = Text("An IPv4 address of this machine is wanted, such as 127.0.0.1, or with its network 192.0.2.7/24")
        yield "host", Text("{wanted}; the port is bacnet.port", wanted=wanted)


def opened(modbus: ModbusSettings, bacnet: BacnetSettings) -> Iterator[str]:
    """Which of them a network can reach, in a sentence each."""
    for table, name, found in (("modbus", "Modbus", modbus), ("bacnet", "BACnet", bacnet)):
        if found.enabled and not is_loopback(found.host.partition("/")[0]):
            yield (
                f"{table}.host: {found.host} opens {name} to a network, and it knows no password: whoever reaches it "
                "sees the zones' air, how many are there and when; keep it in the building's own network"
            )
