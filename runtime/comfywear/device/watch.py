"""Watches over a running device: finds what does not work, says it, and keeps memory below its limit.

What is wrong goes out as the health message, onto the page, into `/metrics`, and with one line a change into the
journal; once an hour the journal gets a line on how things go.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from comfywear import publishing
from comfywear.device.air.climate_worker import Sensors
from comfywear.device.air.outdoors_worker import OutdoorSensors
from comfywear.device.mqtt.mqtt_worker import MqttLink
from comfywear.device.sight.vision_worker import VisionWorker
from comfywear.device.troubles import TroubleBook, sentence
from comfywear.records import Trouble, ZoneEstimate
from comfywear.settings import Settings
from comfywear.system.board import headroom_of, hottest_c
from comfywear.system.cadence import Cadence
from comfywear.system.clock import WallMoments, wall_time
from comfywear.system.memory import MemoryGuard, give_back, limit_mb
from comfywear.system.process import family_rss_mb
from comfywear.system.supervisor import Pulse, Supervisor, WorkerHealth
from comfywear.texts import Text, together

__all__ = ["Watch"]

_log = logging.getLogger(__name__)

TICK_S = 1.0
SUMMARY_EVERY_S = 3600.0
HEALTH_EVERY_S = 60.0
# Memory that is free and not returned grows by megabytes an hour otherwise: docs/reliability.md.
GIVE_BACK_EVERY_S = 300.0
_GAP_S = 1.0
# Below half of its work a hot machine no longer does what it is there for.
_HOT_HEADROOM = 0.5
# The disk is nearly full below so much, or below this part of a small one.
_LITTLE_BYTES, _LITTLE_SHARE = 500e6, 0.1
# Looking that keeps its worker busy for so much of the time, and still misses this part of the frames, is slow.
_BUSY, _MISSED = 0.9, 0.8
_SPEED_OVER_S = 30.0
# Models are loaded and the camera is opened within so long, also on a small board.
_START_S = 60.0
_DOCTOR = Text("comfywear doctor --config FILE says more")


class WatchedDevice(Protocol):
    """What is watched of a device.

    Attributes:
        settings: Of the device.
        folder: The state folder.
        link: The way to the broker.
        vision: Looks at the camera; None without one.
        sensors: Those of the device.
        outdoors: Those outdoors.
    """

    settings: Settings
    folder: Path
    link: MqttLink
    vision: VisionWorker | None
    sensors: Sensors
    outdoors: OutdoorSensors

    def estimates(self) -> Mapping[str, ZoneEstimate]:
        """The newest estimate of each zone."""

    def health(self) -> Mapping[str, WorkerHealth]:
        """How each worker is."""

    def metrics(self) -> Mapping[str, float | None]:
        """How the device is doing, by the names of the metrics message."""

    def storage_troubles(self) -> list[str]:
        """Why votes or messages cannot be kept on the disk."""


def sensor_advice(reason: str) -> str:
    """What to do about a sensor that is not heard, by the reason that its reader gives."""
    if "another program" in reason or "in use" in reason:
        return Text("end the other program: one at a time may use the sensor")
    if "permission" in reason.lower() or "may not" in reason:
        return Text("give the device's user the right to it: docs/sensors.md; {doctor}", doctor=_DOCTOR)
    return Text("look at its plug; comfywear sensors list")


class _Speed(NamedTuple):
    """Frames that were looked at, by camera, and the time that it took, at some moment."""

    at_s: float
    frames: Mapping[str, int]
    busy_s: float


class Watch:
    """The watch over one device; any thread may read `book`.

    Attributes:
        book: What is wrong now, and what was of late.
        memory: Holds the limit of memory.
    """

    def __init__(self, device: WatchedDevice) -> None:
        self._device = device
        self.book = TroubleBook()
        ceiling = device.settings.budget.memory_mb or limit_mb()
        self.memory = MemoryGuard(ceiling, reopen=device.vision.reopen if device.vision else None)
        self._health = Cadence(HEALTH_EVERY_S, _GAP_S)
        self._summary_s = time.monotonic() + SUMMARY_EVERY_S
        self._give_back_s = time.monotonic() + GIVE_BACK_EVERY_S
        self._before: Mapping[str, float | None] = {}
        self._speed = _Speed(time.monotonic(), {}, 0.0)
        self._slow: dict[str, str] = {}
        self._moments = WallMoments()

    def add_worker(self, supervisor: Supervisor) -> None:
        """Have the supervisor run it."""
        supervisor.add("watch", self.work)

    def work(self, pulse: Pulse) -> None:
        """The worker."""
        while pulse.wait(TICK_S):
            self.tick(time.monotonic())

    def tick(self, now_s: float) -> None:
        """Look at everything once; `now_s` is monotonic."""
        for change in self.book.update(self._found(now_s), now_s):
            if change.until_s is None:
                _log.warning("trouble: %s → %s", sentence(change), change.do)
            else:
                _log.info("over after %.0f s: %s", change.until_s - change.since_s, sentence(change))
        # The newest that ended counts too: one may begin and end between two messages.
        said = tuple((each.name, each.about, each.until_s) for each in (*self.book.now(), *self.book.ended()[:1]))
        if self._health.due("health", said, now_s):
            build = partial(self._message, now_s)
            self._device.link.post(self._device.link.topics.health, build)
        if now_s >= self._give_back_s:
            self._give_back_s = now_s + GIVE_BACK_EVERY_S
            give_back()
        if now_s >= self._summary_s:
            self._summary_s = now_s + SUMMARY_EVERY_S
            _log.info("%s", self.summary())

    def forget(self) -> None:
        """The health message goes out again: somebody has just begun to listen."""
        self._health.forget()

    def summary(self) -> str:
        """How things went since the last summary, in a line."""
        now = self._device.metrics()
        before, self._before = self._before, now

        def more(name: str) -> int:
            return int((now.get(name) or 0) - (before.get(name) or 0))

        names = sorted({sentence(each) for each in self.book.now()})
        parts = [
            f"up {(now['uptime_s'] or 0.0) / 3600:.1f} h",
            *([f"{more('frames')} frames"] if self._device.vision else []),
            f"{more('votes')} votes",
            f"{more('acknowledged')} messages sent",
            f"{more('spool_dropped_telemetry') + more('spool_dropped_events') + more('spool_refused')} dropped",
            f"{int(now.get('spool_rows') or 0)} waiting",
            f"{more('restarts')} workers restarted",
            f"{family_rss_mb() or 0.0:.0f} MB",
            *([f"{now['board_temp_c']:.0f} °C"] if now.get("board_temp_c") is not None else []),
        ]
        return f"the last hour: {', '.join(parts)}; {'; '.join(names) or 'all is well'}"

    def _message(self, now_s: float, stamp: publishing.Stamp) -> publishing.Message:
        since = partial(self._moments.of, now_s=now_s)
        return publishing.health_message(self.book.now(), self.book.ended(), stamp, now_s=now_s, since=since)

    def _found(self, now_s: float) -> Iterator[Trouble]:
        yield from self._eyes(now_s)
        yield from self._air()
        yield from self._weather()
        yield from self._broker()
        yield from self._storage()
        yield from self._machine(now_s)
        yield from self._workers()

    def _eyes(self, now_s: float) -> Iterator[Trouble]:
        """A camera without a picture that should give one, or whose frames are missed; with several each is named."""
        vision = self._device.vision
        if vision is None:
            return
        several = len(vision.cameras) > 1
        place: str = Text("the source of its [[cameras]]") if several else "camera.source"
        shared = [Text("{n} cameras share the engine", n=len(vision.cameras))] if several else []
        slow = self._slowness(now_s)
        for name, camera in vision.cameras.items():
            about = name if several else None
            missing, starting_s, load = camera.missing(), camera.starting_s(), camera.load()
            if camera.state() in ("private", "dark"):
                continue  # as somebody wanted it, or as nights are
            if missing and starting_s is not None and starting_s < _START_S:
                continue
            if missing:
                do = Text("look at its cable and at {place}; {doctor}", place=place, doctor=_DOCTOR)
                yield Trouble("no-camera", about, missing, do)
            elif reason := (load and load.over) or slow.get(name):
                do = Text("choose int8, a smaller model or fewer frames: docs/vision.md, Budget")
                yield Trouble("slow", about, together(reason, *shared), do)

    def _slowness(self, now_s: float) -> Mapping[str, str]:
        """By camera whether looking is busy all the time and still misses its frames; looked at now and then."""
        vision = self._device.vision
        assert vision is not None
        passed_s, frames = now_s - self._speed.at_s, {name: camera.frames for name, camera in vision.cameras.items()}
        if passed_s >= _SPEED_OVER_S:
            busy = vision.looked_s - self._speed.busy_s > _BUSY * passed_s
            self._slow = {}
            for name, camera in vision.cameras.items():
                a_second = (frames[name] - self._speed.frames.get(name, 0)) / passed_s
                if busy and 0.0 < a_second < _MISSED * camera.settings.fps:
                    self._slow[name] = Text(
                        "{a_second} frames a second are looked at of {fps}",
                        a_second=f"{a_second:.2g}",
                        fps=f"{camera.settings.fps:g}",
                    )
            self._speed = _Speed(now_s, frames, vision.looked_s)
        return self._slow

    def _air(self) -> Iterator[Trouble]:
        """A door that does not work is a trouble; a quiet sensor becomes one when what it said is stale."""
        device = self._device
        stale_after_s = device.settings.climate.stale_after_s
        named = set()
        patient = set()
        for zone, reader in device.sensors.readers:
            if reader.state in ("waiting", "up") and reader.quiet_s() <= stale_after_s:
                patient |= {zone} if reader.state == "waiting" else set()
                continue
            named.add(zone)
            reason = (
                reader.error
                or reader.said
                or Text("nothing heard for more than {stale_after} s", stale_after=f"{stale_after_s:g}")
            )
            yield Trouble("no-sensor", reader.source, reason, sensor_advice(reason))
        for zone, estimate in device.estimates().items():
            air = estimate.climate
            expected = air.state == "fresh" or (air.state == "missing" and zone in patient)
            if not expected and zone not in named and zone in {each for each, _ in device.sensors.readers}:
                yield Trouble(
                    "no-sensor", zone, air.reason or air.state, Text("docs/sensors.md says what is not believed")
                )

    def _weather(self) -> Iterator[Trouble]:
        """Who is to say the weather and does not, or says what cannot be."""
        device = self._device
        stale_after_s = device.settings.outdoors.stale_after_s
        for reader in device.outdoors.readers:
            if reader.state not in ("waiting", "up") or reader.quiet_s() > stale_after_s:
                reason = (
                    reader.error
                    or reader.said
                    or Text("nothing heard for more than {stale_after} s", stale_after=f"{stale_after_s:g}")
                )
                yield Trouble("no-sensor", reader.source, reason, sensor_advice(reason))
        weather = next((each.outdoors for each in device.estimates().values() if each.outdoors), None)
        if weather and weather.air.rejected and weather.air.state != "fresh":
            reason = weather.air.reason or weather.air.state
            yield Trouble("no-sensor", "outdoors", reason, Text("docs/sensors.md says what is not believed"))

    def _broker(self) -> Iterator[Trouble]:
        device = self._device
        if device.settings.mqtt.host and not device.link.connected:
            reason = device.link.waits or device.link.state
            yield Trouble(
                "no-broker",
                None,
                reason,
                Text("nothing is lost: messages wait on this device; {doctor}", doctor=_DOCTOR),
            )

    def _storage(self) -> Iterator[Trouble]:
        device = self._device
        try:
            disk = os.statvfs(device.folder)
        except OSError:
            disk = None
        free = disk.f_bavail * disk.f_frsize if disk else None
        full = False
        if disk and free is not None and free < min(_LITTLE_BYTES, _LITTLE_SHARE * disk.f_blocks * disk.f_frsize):
            full = True
            said = Text("{folder}: {free} MB free", folder=device.folder, free=f"{free / 1e6:.0f}")
            yield Trouble("disk-full", None, said, Text("make room, or name another device.state_dir"))
        reasons = device.storage_troubles()
        if reasons and not full:
            yield Trouble(
                "no-storage", None, together(*reasons), Text("make the folder writable, then restart the device")
            )

    def _machine(self, now_s: float) -> Iterator[Trouble]:
        hot_c, heat_c = self._device.settings.budget.hot_c, hottest_c()
        if heat_c is not None and headroom_of(heat_c, hot_c) < _HOT_HEADROOM:
            yield Trouble(
                "hot",
                None,
                Text("{heat} °C: looking is cut down", heat=f"{heat_c:.0f}"),
                Text("give it air or a heat sink"),
            )
        # While looking starts, a child that tries an engine counts too: that is over by itself.
        vision = self._device.vision
        starting = vision is not None and vision.starting_s() is not None
        if not starting and (reason := self.memory.check(now_s, family_rss_mb())):
            yield Trouble("memory", None, reason, Text("a larger budget.memory_mb, int8 or a smaller model; report it"))
        if not wall_time().time_ok:
            said = Text("the clock is not set: messages carry no time")
            yield Trouble(
                "no-clock",
                None,
                said,
                Text("sudo timedatectl set-ntp true, or fit a battery-backed clock; with chrony: docs/service.md"),
            )

    def _workers(self) -> Iterator[Trouble]:
        """Workers that do not run; one that is named here already by what it lacks is left out unless it hangs."""
        for name, health in self._device.health().items():
            if health.state == "hung":
                yield Trouble(
                    "worker", name, Text("it gives no sign of life"), Text("the watchdog restarts the service")
                )
            elif health.state != "running" and name != "vision":
                reason = health.failure or Text("it does not run")
                yield Trouble("worker", name, reason, Text("it is tried again by itself; {doctor}", doctor=_DOCTOR))
