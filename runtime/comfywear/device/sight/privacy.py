"""The privacy switch: which cameras may not look, who said so, kept over restarts, and the pin that outranks all.

Where it is not known what was switched (a damaged file, a pin that cannot be read), a camera does not look.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from comfywear.errors import ComfyWearError, DeviceNotRunningError, SourceError, StoreError, UsageError
from comfywear.feedback.buttons.gpio import GpioSwitchPin
from comfywear.feedback.control import ask
from comfywear.records import CameraPrivacy
from comfywear.settings import Settings, state_folder
from comfywear.settings.button_uri import GpioSwitch, parse_switch_uri
from comfywear.settings.views import ONLY, cameras_of, which_camera
from comfywear.system.json_file import save_json
from comfywear.system.supervisor import Pulse, Supervisor
from comfywear.texts import Text, builtins, recalled

__all__ = ["FILE_NAME", "By", "Privacy", "check_may_look", "private_cameras"]

_log = logging.getLogger(__name__)

FILE_NAME = "privacy.json"
PIN_EVERY_S = 0.1

By = Literal["over MQTT", "on the page", "by command"]
_SWITCHED: Mapping[By, str] = {
    "over MQTT": Text("switched over MQTT"),
    "on the page": Text("switched on the page"),
    "by command": Text("switched by command"),
}


class _Switched(msgspec.Struct, frozen=True):
    on: bool
    why: str


class _File(msgspec.Struct, frozen=True):
    cameras: dict[str, _Switched] = {}


class SwitchPin(Protocol):
    """An open switch; its errors are `SourceError`s."""

    def closed(self) -> bool:
        """Whether it is closed now."""

    def close(self) -> None:
        """Give the pin back."""


class Privacy:
    """The privacy of a device's cameras; every method may be called from any thread.

    Args:
        settings: Of the device.
        folder: The state folder.
        open_pin: Opens the switch.
    """

    def __init__(
        self, settings: Settings, folder: Path, open_pin: Callable[[GpioSwitch], SwitchPin] = GpioSwitchPin
    ) -> None:
        self._begins = {name: camera.private for name, camera in cameras_of(settings).items()}
        self._path = folder / FILE_NAME
        self._lock = threading.Lock()
        self._switched = _kept(self._path, list(self._begins))
        pin = settings.privacy.pin
        self._spec = parse_switch_uri(pin) if pin and self._begins else None
        self._open_pin = open_pin
        self._pin_closed: bool | None = None

    def reason(self, camera: str) -> str | None:
        """Why a camera may not look; None while it may."""
        if held := self._held():
            return held
        switched = self._switched.get(camera)
        if switched is None:
            return Text("private: so the settings begin") if self._begins.get(camera) else None
        return Text("private: {why}", why=recalled(switched.why)) if switched.on else None

    def state(self) -> list[CameraPrivacy]:
        """Each camera's."""
        held = self._held() is not None
        return [CameraPrivacy(name, self.reason(name), held) for name in self._begins]

    def switch(self, on: bool, camera: str | None, by: By) -> list[CameraPrivacy]:
        """Switch a camera's privacy, or that of all (None); kept when this returns. Returns each camera's.

        Raises:
            UsageError: When there is no such camera, or the switch at the pin holds them.
            StoreError: When it cannot be kept: what was to be private is so until the next start, what was to look
                does not.
        """
        if not self._begins:
            raise UsageError(Text("there is no camera in the settings that could be private"))
        names = list(self._begins) if camera is None else [which_camera(camera, list(self._begins))]
        if not on and (held := self._held()):
            raise UsageError(Text("{held}; it cannot be switched off from elsewhere", held=held))
        with self._lock:
            said = _Switched(on, _SWITCHED[by])
            switched = {**self._switched, **{name: said for name in names if self._is_other(name, on)}}
            if on:
                self._switched = switched  # at once, whatever the disk says
            try:
                save_json(self._path, _File(switched))
            except StoreError as error:
                if on:
                    raise StoreError(
                        Text("{why}; it is private now, and a restart would forget it", why=error)
                    ) from error
                raise
            self._switched = switched
        _log.info("privacy %s: %s, switched %s", "on" if on else "off", ", ".join(names), by)
        return self.state()

    def _is_other(self, name: str, on: bool) -> bool:
        """Whether switching changes anything; who was first to make a camera private is kept."""
        switched = self._switched.get(name)
        return switched is None or switched.on != on

    def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a command: `do` is "show", "on" or "off"; `camera` is left out for all.

        Raises:
            UsageError: When it is not understood, or as `switch`.
            StoreError: As `switch`.
        """
        do, camera = request.get("do"), request.get("camera")
        if do not in ("show", "on", "off") or not isinstance(camera, str | None):
            raise UsageError(Text("privacy takes do = show, on or off, and camera, a name"))
        state = self.state() if do == "show" else self.switch(do == "on", camera, "by command")
        return {"cameras": [builtins(each) for each in state]}

    def add_worker(self, supervisor: Supervisor) -> None:
        """Have the supervisor watch the pin, where there is one."""
        if self._spec is not None:
            supervisor.add("privacy switch", self._watch)

    def _watch(self, pulse: Pulse) -> None:
        assert self._spec is not None
        try:
            with closing(self._open_pin(self._spec)) as pin:
                while pulse.wait(PIN_EVERY_S):
                    self._note(pin.closed())
        finally:
            self._pin_closed = None

    def read_pin(self) -> None:
        """Read the pin once, where there is one and no worker reads it; what fails leaves the cameras private."""
        if self._spec is None:
            return
        try:
            with closing(self._open_pin(self._spec)) as pin:
                self._pin_closed = pin.closed()
        except ComfyWearError as error:
            _log.debug("%s", error)

    def _note(self, closed: bool) -> None:
        if closed != self._pin_closed:
            self._pin_closed = closed
            _log.info("the privacy switch is %s", "closed: no camera looks" if closed else "open")

    def _held(self) -> str | None:
        """Why the switch at the pin lets no camera look."""
        if self._spec is None or self._pin_closed is False:
            return None
        if self._pin_closed:
            return Text("private: the switch at GPIO {pin} is closed", pin=self._spec.pin)
        return Text("private: the switch at GPIO {pin} is not read", pin=self._spec.pin)


def _kept(path: Path, cameras: Sequence[str]) -> dict[str, _Switched]:
    """What was switched, by camera; all of them private where the file does not say."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).cameras
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeError, RecursionError) as error:
        _log.error("%s cannot be read (%s): no camera looks until it is switched again", path, error)
        return {
            name: _Switched(True, Text("{file} cannot be read; switch it again", file=FILE_NAME)) for name in cameras
        }


def check_may_look(settings: Settings, cameras: Sequence[str]) -> None:
    """That all of these cameras may look now.

    Raises:
        SourceError: Where one may not.
    """
    private = private_cameras(settings)
    for name in cameras:
        if name in private:
            which = "the camera" if name == ONLY else f"the camera {name}"
            raise SourceError(
                Text(
                    "{which} is {private}; comfywear privacy off lets it look again", which=which, private=private[name]
                )
            )


def private_cameras(settings: Settings) -> dict[str, str]:
    """Cameras of the settings that may not look now, with the reason: for commands beside the device."""
    folder = state_folder(settings)
    try:
        found = [
            msgspec.convert(each, CameraPrivacy) for each in ask(folder, {"verb": "privacy", "do": "show"})["cameras"]
        ]
    except DeviceNotRunningError:
        privacy = Privacy(settings, folder)
        privacy.read_pin()
        found = privacy.state()
    return {each.camera: each.reason for each in found if each.reason}
