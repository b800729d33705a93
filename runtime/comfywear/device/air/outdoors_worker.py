"""The weather outdoors: a reader each, one filter, and the days that the running mean needs."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from pathlib import Path

from comfywear.device.air.climate_worker import read_sensor
from comfywear.errors import StoreError
from comfywear.learning.outdoor_days import OutdoorDays
from comfywear.records import Outdoors
from comfywear.settings.outdoors import OutdoorsSettings
from comfywear.system.cadence import Cadence
from comfywear.system.clock import Clock, wall_time
from comfywear.system.supervisor import Supervisor
from comfywear_sensors import ClimateFilter, Limits, PatientReader

__all__ = ["OutdoorSensors"]

_log = logging.getLogger(__name__)
_SAID_EVERY_S = 3600.0
# Weather stations and services speak every few minutes to an hour, of −60…55 °C (the records of inhabited places).
_LIMITS = {"air_temp_c": Limits(-60.0, 55.0, step=3.0, per_s=0.1), "humidity_pct": Limits(0.0, 100.0)}


class OutdoorSensors:
    """What the settings name for outdoors; `tick` belongs to one thread.

    Attributes:
        readers: Each one's reader, in the order of the settings; empty where the weather plays no part.
    """

    def __init__(self, folder: Path, settings: OutdoorsSettings, clock: Clock = wall_time) -> None:
        self.readers = [PatientReader(uri, every_s=settings.every_s) for uri in settings.uris]
        # A service says the same for hours when the weather stays; what comes rarely is not smoothed.
        self._filter = ClimateFilter(
            "the outdoors",
            stale_after_s=settings.stale_after_s,
            time_constant_s=0.0,
            stuck_after_s=0.0,
            limits=_LIMITS,
        )
        self._days = OutdoorDays(folder)
        self._clock = clock
        self._said = Cadence(_SAID_EVERY_S, _SAID_EVERY_S)

    def tick(self, now_s: float) -> Outdoors | None:
        """Note the temperature of `now_s` (monotonic), and what is known now; None where nothing is named."""
        if not self.readers:
            return None
        air = self._filter.climate(now_s)
        self._days.note(air.air_temp_c, now_s, self._local())
        try:
            self._days.keep(now_s)
        except StoreError as error:
            if self._said.due("store", str(error), now_s):
                _log.error("%s", error)
        return Outdoors(air, self._days.running_mean_c(), self._days.days())

    def add_workers(self, supervisor: Supervisor) -> None:
        """A worker a reader."""
        for number, reader in enumerate(self.readers):
            again = any(other.source == reader.source for other in self.readers[:number])
            name = f"outdoors {reader.source}" + (f" ({number + 1})" if again else "")
            supervisor.add(name, partial(read_sensor, reader, [self._filter]))

    def close(self) -> None:
        """Let go of the sensors."""
        for reader in self.readers:
            reader.close()

    def _local(self) -> datetime | None:
        ts, time_ok = self._clock()
        return datetime.fromisoformat(ts).astimezone() if ts and time_ok else None
