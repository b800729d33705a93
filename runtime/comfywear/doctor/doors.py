"""Whether what the settings name is there and answers: camera, sensors, buttons, broker."""

from __future__ import annotations

import grp
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Literal

from paho.mqtt.enums import MQTTProtocolVersion

from comfywear.device.mqtt.mqtt_worker import broker_settings
from comfywear.device.sight.privacy import private_cameras
from comfywear.doctor.building import building
from comfywear.doctor.machine import Finding
from comfywear.errors import ComfyWearError, UsageError
from comfywear.publishing.broker.connection import Connection
from comfywear.settings import CameraSettings, MqttSettings, SensorSettings, Settings
from comfywear.settings.feedback import ButtonSettings
from comfywear.settings.views import cameras_of
from comfywear.settings.web import WebSettings
from comfywear.system.listening import listen
from comfywear.texts import Text
from comfywear.web import page_tls, read_token
from comfywear.web.tls import OWN

__all__ = ["access", "broker", "buttons", "camera", "cameras", "doors", "outdoors", "page", "sensors"]

PATIENCE_S = 15.0
_POLL_S = 0.2
_CAMERAS = Text("comfywear cameras list; docs/vision.md, Cameras")
_LOGIN = Text(
    "correct user name and password in camera.source; it is not tried again for ten minutes, since cameras lock"
)
_NODE = re.compile(r"/dev/[^\s?#]+")


def doors(settings: Settings, patience_s: float = PATIENCE_S) -> Iterator[Finding]:
    """All of them, one after the other; camera and each sensor are given `patience_s` for a first word."""
    yield from cameras(settings, patience_s)
    yield from sensors(settings.sensors, patience_s)
    yield from outdoors(settings.outdoors.uris, patience_s)
    yield from buttons(settings.buttons)
    yield broker(settings.mqtt)
    if settings.web.enabled:
        yield page(settings.web)
    yield from building(settings)


def page(web: WebSettings) -> Finding:
    """Whether the page's password can be read and its port is free."""
    try:
        read_token(web.token_file)
        for each in web.tokens:
            read_token(each.file, "web.tokens.file")
        if web.certificate != OWN:
            page_tls(web.certificate, web.certificate_key, Path())
        with listen(web.host, web.port, "the page", "set web.host and web.port") as listener:
            port = listener.getsockname()[1]
    except UsageError as error:
        return Finding(
            Text("page"), "fault", str(error), Text("docs/page.md; a file of one line, readable by the device's user")
        )
    except ComfyWearError as error:
        return Finding(
            Text("page"),
            "fault",
            str(error),
            Text("sudo ss -ltnp 'sport = :{port}' shows who listens there", port=web.port),
        )
    return Finding(
        Text("page"),
        "good",
        Text("{host} port {port} is free", host=web.host, port=port if web.port else Text("(any)")),
    )


def access(uri: str, listed_by: str = "comfywear sensors list") -> Finding | None:
    """What keeps this user from the device file that `uri` names; None when nothing does, or it names none.

    `listed_by` is the command that lists what is there.
    """
    found = _NODE.search(uri)
    path = Path(found[0]) if found else Path(f"/dev/i2c-{uri[6:].split('/')[0]}") if uri.startswith("i2c://") else None
    if path is None:
        return None
    if not os.path.exists(path):  # noqa: PTH110 - a folder that may not be looked into is no error
        return Finding(
            uri,
            "fault",
            Text("{path} is not there", path=path),
            Text("plug it in; `{listed_by}` shows what is there", listed_by=listed_by),
        )
    if os.access(path, os.R_OK | os.W_OK):
        return None
    group = _group(path.stat().st_gid)
    return Finding(
        uri,
        "fault",
        Text("{path} may not be used by this user", path=path),
        Text("sudo usermod -aG {group} $USER, then log in again", group=group),
    )


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def cameras(settings: Settings, patience_s: float = PATIENCE_S) -> Iterator[Finding]:
    """Whether each camera gives a picture; of several each is named."""
    found = cameras_of(settings)
    private = private_cameras(settings) if found else {}
    for name, each in found.items():
        if name in private:
            finding = Finding(Text("camera"), "note", private[name], Text("comfywear privacy off lets it look again"))
        else:
            finding = camera(each, patience_s)
        yield finding if len(found) == 1 else replace(finding, what=Text("camera {name}", name=name))
    if not found:
        yield Finding(
            Text("camera"), "note", Text("none is named: comfort is then said for usual clothes"), "camera.source"
        )


def camera(named: CameraSettings, patience_s: float = PATIENCE_S) -> Finding:
    """Whether a camera gives a picture."""
    from comfywear.vision.camera import open_configured, parse_camera_uri

    try:
        shown = parse_camera_uri(named.source).shown
        barred = access(shown, "comfywear cameras list")
        if barred:
            return Finding(Text("camera"), barred.state, barred.said, barred.do)
        began_s = time.monotonic()
        with open_configured(named) as opened:
            while time.monotonic() - began_s < patience_s:
                frame = opened.latest(_POLL_S)
                if frame is not None:
                    height, width = frame.image.shape[:2]
                    took_s = time.monotonic() - began_s
                    return Finding(
                        Text("camera"),
                        "good",
                        Text(
                            "{shown}: {width} × {height} after {took} s",
                            shown=shown,
                            width=width,
                            height=height,
                            took=f"{took_s:.1f}",
                        ),
                    )
                if opened.state.name in ("gone", "ended"):
                    reason = opened.state.reason or ""
                    do = _LOGIN if "(401)" in reason or "(403)" in reason else _CAMERAS
                    said = reason if reason.startswith(shown) else Text("{shown}: {why}", shown=shown, why=reason)
                    return Finding(Text("camera"), "fault", said, do)
    except ComfyWearError as error:
        return Finding(Text("camera"), "fault", str(error), _CAMERAS)
    return Finding(
        Text("camera"),
        "fault",
        Text("{shown}: no picture in {patience} s", shown=shown, patience=f"{patience_s:g}"),
        _CAMERAS,
    )


def sensors(named: Sequence[SensorSettings], patience_s: float = PATIENCE_S) -> Iterator[Finding]:
    """Whether each sensor says something."""
    from comfywear_sensors import source_of

    for each in named:
        shown = source_of(each.uri)
        barred = access(each.uri)
        if barred:
            yield Finding(
                Text("sensor"), barred.state, Text("{shown}: {said}", shown=shown, said=barred.said), barred.do
            )
        else:
            yield _reading(each.uri, shown, patience_s)
    if not named:
        yield Finding(
            Text("sensor"),
            "warning",
            Text("none is named: there is no comfort without the air"),
            "comfywear sensors list",
        )


def outdoors(uris: Sequence[str], patience_s: float = PATIENCE_S) -> Iterator[Finding]:
    """Whether who is to say the weather says something; what speaks on change alone may be quiet for long."""
    from comfywear_sensors import source_of

    for uri in uris:
        shown = source_of(uri)
        barred = access(uri)
        if barred:
            yield Finding(
                Text("outdoors"), barred.state, Text("{shown}: {said}", shown=shown, said=barred.said), barred.do
            )
        else:
            yield _reading(uri, shown, patience_s, "outdoors")


def _reading(uri: str, shown: str, patience_s: float, where: Literal["sensor", "outdoors"] = "sensor") -> Finding:
    """The first reading of a sensor of a room, or of one outdoors."""
    from comfywear_sensors import BadSensorURI, PatientReader
    from comfywear_sensors.gate import no_room

    what = Text("outdoors") if where == "outdoors" else Text("sensor")
    hint = Text("comfywear sensors watch '{shown}'; docs/sensors.md", shown=shown)
    try:
        with closing(PatientReader(uri, every_s=0.5, retry_s=(0.5, 2.0))) as reader:
            began_s = time.monotonic()
            while time.monotonic() - began_s < patience_s and not reader.hopeless:
                reading = reader.poll(1.0)
                if reading is not None and where == "sensor" and (why := no_room(reading)):
                    return Finding(what, "fault", Text("{shown}: {why}", shown=shown, why=why), hint)
                if reading is not None:
                    air, damp, sun = reading.air_temp_c, reading.humidity_pct, reading.irradiance_w_m2
                    said = ", ".join(
                        text
                        for text in (
                            air is not None and f"{air:.1f} °C",
                            damp is not None and f"{damp:.0f} %",
                            sun is not None and f"{sun:.0f} W/m²",
                        )
                        if text
                    )
                    return Finding(
                        what,
                        "good",
                        Text("{shown}: {said}", shown=shown, said=said or Text("neither temperature nor humidity")),
                    )
            why = reader.error or reader.said or Text("silent for {patience} s", patience=f"{patience_s:g}")
            open_ = where == "outdoors" and reader.error is None
            return Finding(what, "warning" if open_ else "fault", Text("{shown}: {why}", shown=shown, why=why), hint)
    except BadSensorURI as error:
        return Finding(what, "fault", str(error), hint)


def buttons(named: Sequence[ButtonSettings]) -> Iterator[Finding]:
    """Whether this user may use the buttons' devices; nothing is pressed, so nothing more can be known."""
    for each in named:
        uri = "gpio:///dev/gpiochip0" if each.source.startswith("gpio://") else each.source
        barred = access(uri)
        if barred:
            yield Finding(
                Text("buttons"), barred.state, Text("{source}: {said}", source=each.source, said=barred.said), barred.do
            )
        else:
            yield Finding(
                Text("buttons"),
                "good",
                Text("{source}: may be used; press one to see that it is heard", source=each.source),
            )


def broker(mqtt: MqttSettings) -> Finding:
    """Whether the broker lets this device in; nothing is published."""
    if not mqtt.host:
        return Finding(Text("broker"), "note", Text("none is named: messages wait on this device"), "mqtt.host")
    place = f"{mqtt.host}:{mqtt.port}"
    try:
        # An id of its own, so that a running device is not thrown out.
        connection = Connection(broker_settings(mqtt), f"comfywear-doctor-{os.getpid()}", MQTTProtocolVersion.MQTTv5)
        connection.open()
    except ComfyWearError as error:
        return Finding(Text("broker"), "fault", str(error), _broker_advice(mqtt))
    connection.close()
    return Finding(
        Text("broker"),
        "good",
        Text(
            "{place} lets this device in (TLS)" if mqtt.tls else "{place} lets this device in, without TLS", place=place
        ),
    )


def _broker_advice(mqtt: MqttSettings) -> str:
    own = mqtt.host in ("localhost", "127.0.0.1", "::1")
    start = (
        Text("sudo apt install mosquitto, or name another mqtt.host")
        if own
        else Text("is the broker on, and mqtt.port right?")
    )
    return Text("{start}; docs/mqtt.md", start=start)
