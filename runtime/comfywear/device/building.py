"""Each zone's newest state for building management: handed to the servers of Modbus and BACnet, and their workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from comfywear import __version__, publishing
from comfywear.buildings.bacnet_server import BacnetServer
from comfywear.buildings.modbus_server import ModbusServer
from comfywear.buildings.readings import Board, Reading, readings_of
from comfywear.device.sight.vision_worker import Sight
from comfywear.records import Occupancy, ZoneEstimate, ZoneSetpoint
from comfywear.settings import Settings
from comfywear.settings.zones import zone_numbers
from comfywear.system.cadence import Cadence
from comfywear.system.supervisor import Supervisor

__all__ = ["Building"]

EVERY_S = 1.0
# What is handed over is no message of the sequence: nobody but the servers sees it.
_UNSENT = publishing.Stamp(device="", epoch="", seq=None, ts=None, time_ok=False)


class Building:
    """The servers of the settings; without any, nothing is handed over.

    Args:
        settings: Of the device.
        setpoint_of: A zone's newest setpoint; None before the first.

    Attributes:
        modbus: The Modbus server; None where it is switched off.
        bacnet: The BACnet server; likewise.
    """

    def __init__(self, settings: Settings, setpoint_of: Callable[[str], ZoneSetpoint | None]) -> None:
        self._board = Board()
        self._setpoint_of = setpoint_of
        self._cadence = Cadence(EVERY_S, EVERY_S)
        zones = zone_numbers(settings.zones)
        modbus = settings.modbus
        self.modbus = (
            ModbusServer(self._board, zones, host=modbus.host, port=modbus.port, unit_id=modbus.unit_id)
            if modbus.enabled
            else None
        )
        bacnet = settings.bacnet
        self.bacnet = (
            BacnetServer(
                self._board,
                zones,
                host=bacnet.host,
                port=bacnet.port,
                instance=bacnet.instance,
                name=settings.device.name(),
                location=settings.device.site,
                version=__version__,
            )
            if bacnet.enabled
            else None
        )

    def add_workers(self, supervisor: Supervisor) -> None:
        """A worker a server."""
        if (modbus := self.modbus) is not None:
            supervisor.add("modbus", lambda pulse: modbus.run(pulse.stop, pulse.beat))
        if (bacnet := self.bacnet) is not None:
            supervisor.add("bacnet", lambda pulse: bacnet.run(pulse.stop, pulse.beat))

    def tick(
        self,
        now_s: float,
        estimates: Mapping[str, ZoneEstimate],
        sight: Sight | None,
        missing: str | None,
    ) -> None:
        """Hand over what is known at `now_s` (monotonic), about once a second; arguments as `LiveStates.tick`."""
        if (self.modbus is None and self.bacnet is None) or not self._cadence.due("hand", None, now_s):
            return
        zones = {zone: self._readings(zone, estimate, sight, missing, now_s) for zone, estimate in estimates.items()}
        self._board.hand(zones, now_s)

    def _readings(
        self, zone: str, estimate: ZoneEstimate, sight: Sight | None, missing: str | None, now_s: float
    ) -> Mapping[str, Reading]:
        """A zone's newest, as its messages say it."""
        unseen = sight.unseen.get(zone) if sight else missing
        occupied = sight.occupied.get(zone) if sight else None
        views = [(each.person, each.clothing, each.skin) for each in estimate.people]
        messages: dict[str, publishing.Message] = {
            "climate": publishing.climate_message(estimate.climate, _UNSENT),
            "people": publishing.people_message(zone, views, _UNSENT, missing_reason=unseen),
            "occupancy": publishing.occupancy_message(zone, occupied or Occupancy("unknown", 0, now_s), _UNSENT),
            "comfort": publishing.comfort_message(zone, estimate.comfort, _UNSENT),
        }
        if (wanted := self._setpoint_of(zone)) is not None:
            messages["setpoint"] = publishing.setpoint_message(zone, wanted, _UNSENT)
        return readings_of(messages, now_s, seen=sight is not None)
