"""What the first run's page asks: the draft that is kept, what is there, and what works of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from comfywear.device.upkeep.secret_files import named_secrets, put_secrets
from comfywear.device.upkeep.settings_desk import without_null
from comfywear.doctor import doors, machine
from comfywear.doctor.machine import Finding
from comfywear.errors import StoreError, UsageError
from comfywear.settings import CameraSettings, Settings, warnings
from comfywear.settings.changes import changes_of, restored, shown_values
from comfywear.settings.draft import DraftFault, checked_draft
from comfywear.settings.edit import edited
from comfywear.settings.form import settings_form
from comfywear.settings.on_disk import SettingsOnDisk
from comfywear.settings.toml_lines import parse
from comfywear.settings.views import cameras_of
from comfywear.setup.live import LiveCamera, LiveSensors, found_cameras, found_sensors
from comfywear.setup.network import NetworkCameras
from comfywear.system.files import replace_file
from comfywear.system.loopback import is_loopback
from comfywear.system.paths import given_state_home
from comfywear.texts import Text, encode, together
from comfywear.web.setup_form import (
    SETUP_STEPS,
    AskStreams,
    FoundDoor,
    FoundStreams,
    NetworkCamera,
    SensorNow,
    SetupDraft,
    SetupFinding,
    SetupState,
    SetupStep,
)
from comfywear_sensors.redaction import redact

__all__ = ["DRAFT", "SetupAssistant"]

DRAFT = "setup.json"
PATIENCE_S = 10.0

_HEAD = """# The settings of this device, made on its page; docs/settings.md describes every field.

[device]
site = "home"  # first part of every topic
"""


class _Kept(msgspec.Struct):
    step: SetupStep
    values: dict[str, Any]


class SetupAssistant:
    """Sets one device up; from any thread.

    What was set up so far is kept in the state folder, for this user alone, so that it can be left and taken up again.

    Args:
        path: The settings file to be made.
        folder: The state folder.
        host: Where the page listens, now and later.
        port: As `host`.
        done: Called once the file is there.
    """

    def __init__(self, path: Path, folder: Path, host: str, port: int, done: Callable[[], None]) -> None:
        self._disk = SettingsOnDisk(path)
        self._folder = folder
        self._network = not is_loopback(host)
        self._done = done
        self._lock = threading.RLock()
        self._camera, self._sensors = LiveCamera(), LiveSensors()
        self._network_cameras = NetworkCameras()
        self._kept = _load(folder / DRAFT) or _Kept(
            "place", {"zones": [{"name": "room"}], "web": {"enabled": True, "host": host, "port": port}}
        )

    def state(self) -> SetupState:
        """What is set up so far, without secrets."""
        with self._lock:
            kept = self._kept
            _, faults = checked_draft(kept.values)
            return SetupState(
                str(self._disk.path), kept.step, shown_values(kept.values), settings_form(), faults, self._network
            )

    def keep(self, draft: SetupDraft) -> SetupState:
        """Keep a draft, right or not; secrets go into their files at once.

        Raises:
            UsageError: A secret cannot be one.
            StoreError: It cannot be kept.
        """
        with self._lock:
            values = restored(without_null(draft.values), self._kept.values)
            secrets, refused = named_secrets(values, draft.secrets, self._folder)
            if refused:
                raise UsageError(refused[0].text)
            put_secrets(secrets)
            self._kept = _Kept(draft.step, values)
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                replace_file(self._folder / DRAFT, encode(self._kept), mode=0o600)
            except OSError as error:
                raise StoreError(
                    Text("{folder} cannot be written ({why})", folder=self._folder, why=error.strerror)
                ) from error
            return self.state()

    def attempt(self, step: SetupStep) -> Sequence[SetupFinding]:
        """Doctor's check of a step, as far as the draft is right."""
        with self._lock:
            settings, faults = checked_draft(self._kept.values)
            self.rest()  # a camera and a serial port are opened by one at a time
            if settings is None:
                found = [_fault(each) for each in faults if step == "done" or each.path[:1] in _TABLES[step]]
                return found or [
                    SetupFinding(Text("settings"), "note", Text("another step has something to put right"), "")
                ]
            return [_told(each) for each in self._findings(step, settings)]

    def _findings(self, step: SetupStep, settings: Settings) -> Iterator[Finding]:
        last = step == "done"
        if step == "place" or last:
            yield machine.machine()
            yield machine.clock()
            yield machine.state(self._folder)
        if last:
            yield machine.models()
        if step == "camera" or last:
            yield from doors.cameras(settings, PATIENCE_S)
        if step == "sensors" or last:
            yield from doors.sensors(settings.sensors, PATIENCE_S)
        if step == "zones" or last:
            doubts = [each for each in warnings(settings) if each.startswith("zones")]
            names = ", ".join(zone.name for zone in settings.zones)
            yield from (
                Finding(Text("zones"), "warning", each, Text("draw them on the page afterwards")) for each in doubts
            )
            yield from () if doubts else (Finding(Text("zones"), "good", names),)
        if step == "broker" or last:
            yield doors.broker(settings.mqtt)
        if step == "homeassistant":
            yield _homeassistant(settings)
        if step == "password" or last:
            # This page has the port itself.
            yield doors.page(msgspec.structs.replace(settings.web, port=0))

    def cameras(self) -> Sequence[FoundDoor]:
        """USB cameras and camera modules of this machine."""
        return found_cameras()

    def network_cameras(self) -> Sequence[NetworkCamera]:
        """Those in the network that answer to ONVIF."""
        return self._network_cameras.search()

    def streams(self, asked: AskStreams) -> FoundStreams:
        """What one of them gives."""
        return self._network_cameras.streams(asked)

    def sensors(self) -> Sequence[FoundDoor]:
        """What is plugged in."""
        return found_sensors()

    def readings(self) -> Sequence[SensorNow]:
        """What the sensors of the draft say; each is given a moment."""
        with self._lock:
            given = self._kept.values.get("sensors", [])
            uris = [each.get("uri") for each in given if isinstance(each, dict)] if isinstance(given, list) else []
            return self._sensors.now([uri for uri in uris if isinstance(uri, str) and uri])

    def sketch(self) -> bytes | None:
        """What the camera of the draft sees, drawn so that nobody is to be known."""
        with self._lock:
            camera = self._chosen_camera()
            return self._camera.sketch(camera) if camera else None

    def finish(self) -> None:
        """Write the settings file; the draft is no longer needed.

        Raises:
            UsageError: Something is wrong with what was set up, or there is a file by now.
            StoreError: The file cannot be written.
        """
        with self._lock:
            settings, faults = checked_draft(self._kept.values)
            if settings is None:
                raise UsageError(together(*(_at(each) for each in faults)))
            if self._disk.text():
                raise UsageError(Text("{path} is there by now; nothing was written", path=self._disk.path))
            wanted = {"device": {}, **self._kept.values}
            home = given_state_home()  # which other commands find by the settings alone
            place = {"state_dir": str(home)} if home else {}
            wanted["device"] = {"site": "home", **place, **wanted["device"]}
            self._disk.create(edited(_HEAD, changes_of(parse(_HEAD, "x"), wanted)))
            with suppress(OSError):
                (self._folder / DRAFT).unlink()
            self.rest()
        self._done()

    def rest(self) -> None:
        """Close camera and sensors."""
        with self._lock:
            self._camera.close()
            self._sensors.close()

    def let_go(self, idle_s: float) -> None:
        """Close what nobody asked for in so long; not while something is being tried."""
        if self._lock.acquire(blocking=False):
            try:
                for each in (self._camera, self._sensors):
                    if time.monotonic() - each.asked_s >= idle_s:
                        each.close()
            finally:
                self._lock.release()

    def _chosen_camera(self) -> CameraSettings | None:
        values = {"camera": self._kept.values.get("camera", {})}
        settings, _ = checked_draft(values)
        return next(iter(cameras_of(settings).values()), None) if settings else None


_TABLES: dict[SetupStep, tuple[tuple[str], ...]] = {
    "place": (("device",), ("site",)),
    "camera": (("camera",), ("cameras",)),
    "sensors": (("sensors",),),
    "zones": (("zones",),),
    "broker": (("mqtt",),),
    "homeassistant": (("homeassistant",),),
    "password": (("web",),),
    "done": (),
}


def _homeassistant(settings: Settings) -> Finding:
    if not settings.homeassistant.enabled:
        return Finding(Text("Home Assistant"), "note", Text("it is not told of this device"))
    if not settings.mqtt.host:
        return Finding(
            Text("Home Assistant"), "note", Text("it hears of this device once there is a broker"), "mqtt.host"
        )
    return Finding(Text("Home Assistant"), "good", Text("it finds this device by itself, on the same broker"))


def _at(fault: DraftFault) -> str:
    return Text("{field}: {why}", field=".".join(map(str, fault.path)), why=fault.text)


def _fault(fault: DraftFault) -> SetupFinding:
    return SetupFinding(".".join(str(step) for step in fault.path), "fault", fault.text, "")


def _told(finding: Finding) -> SetupFinding:
    shown = replace(finding, what=redact(finding.what), said=redact(finding.said), do=redact(finding.do))
    return SetupFinding(shown.what, shown.state, shown.said, shown.do)


def _load(file: Path) -> _Kept | None:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return found if found.step in SETUP_STEPS else None
