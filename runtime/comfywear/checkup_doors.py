"""Whether what the settings name is there and answers: camera, sensors, buttons, broker."""

from __future__ import annotations

import grp
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from paho.mqtt.enums import MQTTProtocolVersion

from comfywear.broker import broker_settings
from comfywear.checkup import Finding
from comfywear.errors import ComfyWearError
from comfywear.publishing.connection import Connection
from comfywear.settings import MqttSettings, SensorSettings, Settings
from comfywear.settings_feedback import ButtonSettings

__all__ = ["access", "broker", "buttons", "camera", "doors", "sensors"]

PATIENCE_S = 15.0
_POLL_S = 0.2
_NODE = re.compile(r"/dev/[^\s?#]+")


def doors(settings: Settings) -> Iterator[Finding]:
    """All of them, one after the other."""
    yield camera(settings)
    yield from sensors(settings.sensors)
    yield from buttons(settings.buttons)
    yield broker(settings.mqtt)


def access(uri: str) -> Finding | None:
    """What keeps this user from the device file that `uri` names; None when nothing does, or it names none."""
    found = _NODE.search(uri)
    path = Path(found[0]) if found else Path(f"/dev/i2c-{uri[6:].split('/')[0]}") if uri.startswith("i2c://") else None
    if path is None:
        return None
    if not path.exists():
        return Finding(uri, "fault", f"{path} is not there", "plug it in; `comfywear sensors list` shows what is there")
    if os.access(path, os.R_OK | os.W_OK):
        return None
    group = _group(path.stat().st_gid)
    return Finding(
        uri, "fault", f"{path} may not be used by this user", f"sudo usermod -aG {group} $USER, then log in again"
    )


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def camera(settings: Settings, patience_s: float = PATIENCE_S) -> Finding:
    """Whether the camera gives a picture."""
    source = settings.camera.source
    if not source:
        return Finding("camera", "note", "none is named: comfort is then said for usual clothes", "camera.source")
    from comfywear.vision.camera import open_camera, parse_camera_uri

    try:
        shown = parse_camera_uri(source).shown
        barred = access(shown)
        if barred:
            return Finding("camera", barred.state, barred.said, barred.do)
        began_s = time.monotonic()
        with open_camera(source, fps=settings.camera.fps) as opened:
            while time.monotonic() - began_s < patience_s:
                frame = opened.latest(_POLL_S)
                if frame is not None:
                    height, width = frame.image.shape[:2]
                    took_s = time.monotonic() - began_s
                    return Finding("camera", "good", f"{shown}: {width} × {height} after {took_s:.1f} s")
                if opened.state.name in ("gone", "ended"):
                    return Finding("camera", "fault", f"{shown}: {opened.state.reason}", "see docs/vision.md, Cameras")
    except ComfyWearError as error:
        return Finding("camera", "fault", str(error), "see docs/vision.md, Cameras")
    return Finding("camera", "fault", f"{shown}: no picture in {patience_s:g} s", "see docs/vision.md, Cameras")


def sensors(named: Sequence[SensorSettings], patience_s: float = PATIENCE_S) -> Iterator[Finding]:
    """Whether each sensor says something."""
    from comfywear_sensors import source_of

    for each in named:
        shown = source_of(each.uri)
        barred = access(each.uri)
        if barred:
            yield Finding("sensor", barred.state, f"{shown}: {barred.said}", barred.do)
        else:
            yield _reading(each.uri, shown, patience_s)
    if not named:
        yield Finding(
            "sensor", "warning", "none is named: there is no comfort without the air", "comfywear sensors list"
        )


def _reading(uri: str, shown: str, patience_s: float) -> Finding:
    """The first reading of a sensor."""
    from comfywear_sensors import BadSensorURI, PatientReader

    hint = f"comfywear sensors watch '{shown}'; docs/sensors.md"
    try:
        with closing(PatientReader(uri, every_s=0.5, retry_s=(0.5, 2.0))) as reader:
            began_s = time.monotonic()
            while time.monotonic() - began_s < patience_s and not reader.hopeless:
                reading = reader.poll(1.0)
                if reading is not None:
                    air, damp = reading.air_temp_c, reading.humidity_pct
                    said = ", ".join(
                        text
                        for text in (air is not None and f"{air:.1f} °C", damp is not None and f"{damp:.0f} %")
                        if text
                    )
                    return Finding("sensor", "good", f"{shown}: {said or 'neither temperature nor humidity'}")
            return Finding("sensor", "fault", f"{shown}: {reader.error or f'silent for {patience_s:g} s'}", hint)
    except BadSensorURI as error:
        return Finding("sensor", "fault", str(error), hint)


def buttons(named: Sequence[ButtonSettings]) -> Iterator[Finding]:
    """Whether this user may use the buttons' devices; nothing is pressed, so nothing more can be known."""
    for each in named:
        uri = "gpio:///dev/gpiochip0" if each.source.startswith("gpio://") else each.source
        barred = access(uri)
        if barred:
            yield Finding("buttons", barred.state, f"{each.source}: {barred.said}", barred.do)
        else:
            yield Finding("buttons", "good", f"{each.source}: may be used; press one to see that it is heard")


def broker(mqtt: MqttSettings) -> Finding:
    """Whether the broker lets this device in; nothing is published."""
    if not mqtt.host:
        return Finding("broker", "note", "none is named: messages wait on this device", "mqtt.host")
    place = f"{mqtt.host}:{mqtt.port}"
    try:
        # An id of its own, so that a running device is not thrown out.
        connection = Connection(broker_settings(mqtt), f"comfywear-doctor-{os.getpid()}", MQTTProtocolVersion.MQTTv5)
        connection.open()
    except ComfyWearError as error:
        return Finding("broker", "fault", str(error), "see docs/mqtt.md")
    connection.close()
    return Finding("broker", "good", f"{place} lets this device in" + (" (TLS)" if mqtt.tls else ", without TLS"))
