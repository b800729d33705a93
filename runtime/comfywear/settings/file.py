"""One TOML file becomes typed, validated settings; every field says its title, meaning, unit and default.

`docs/settings.md` and the JSON Schema are generated from the same fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comfywear.errors import SettingsError, UsageError
from comfywear.settings.budget import BudgetSettings
from comfywear.settings.building import BacnetSettings, ModbusSettings, bacnet_faults, opened
from comfywear.settings.button_uri import parse_button_uri
from comfywear.settings.camera import (
    CameraSettings,
    DewarpSettings,
    MaskSettings,
    NamedCameraSettings,
    camera_faults,
)
from comfywear.settings.climate import ClimateSettings, SelfHeatingSettings, SensorSettings
from comfywear.settings.comfort import ComfortSettings
from comfywear.settings.device import DeviceSettings
from comfywear.settings.feedback import ButtonSettings, CaptureSettings, VotesSettings
from comfywear.settings.homeassistant import HomeassistantSettings
from comfywear.settings.learning import LearningSettings, SiteSettings
from comfywear.settings.lines import LineSettings, line_faults
from comfywear.settings.mqtt import MqttSettings
from comfywear.settings.outdoors import OutdoorsSettings
from comfywear.settings.privacy import PrivacySettings, privacy_faults
from comfywear.settings.setpoint import (
    SetpointSettings,
    ThermostatSettings,
    setpoint_faults,
    thermostat_faults,
)
from comfywear.settings.together import broker_faults, file_doubts, web_faults, zone_doubts, zone_faults
from comfywear.settings.toml_lines import explain, not_finite, parse, pointed
from comfywear.settings.types import Section
from comfywear.settings.updates import UpdatesSettings, faults
from comfywear.settings.views import camera_list_faults, cameras_of, view_faults, views_of
from comfywear.settings.vision import VisionSettings
from comfywear.settings.web import TokenSettings, WebSettings
from comfywear.settings.zones import ScheduleSettings, SunSettings, ViewSettings, ZoneSettings
from comfywear.system.loopback import is_loopback
from comfywear.system.paths import state_home
from comfywear.texts import ENGLISH, Text, languages
from comfywear_sensors import BadSensorURI, check_uri, source_of

_FILES = {
    "mqtt": ("password_file", "ca_file", "client_cert", "client_key"),
    "web": ("token_file", "certificate_key"),
    "updates": ("ca_file", "root"),
}


class Settings(Section, frozen=True):
    """The whole file."""

    device: Annotated[DeviceSettings, Meta(title="Device")] = DeviceSettings()
    camera: Annotated[CameraSettings, Meta(title="Camera")] = CameraSettings()
    cameras: Annotated[list[NamedCameraSettings], Meta(title="Cameras")] = msgspec.field(default_factory=list)
    privacy: Annotated[PrivacySettings, Meta(title="Privacy")] = PrivacySettings()
    vision: Annotated[VisionSettings, Meta(title="Vision")] = VisionSettings()
    budget: Annotated[BudgetSettings, Meta(title="Budget")] = BudgetSettings()
    zones: Annotated[list[ZoneSettings], Meta(title="Zones", min_length=1)] = msgspec.field(
        default_factory=lambda: [ZoneSettings(name="room")]
    )
    lines: Annotated[list[LineSettings], Meta(title="Lines")] = msgspec.field(default_factory=list)
    sensors: Annotated[list[SensorSettings], Meta(title="Sensors")] = msgspec.field(default_factory=list)
    climate: Annotated[ClimateSettings, Meta(title="Climate")] = ClimateSettings()
    outdoors: Annotated[OutdoorsSettings, Meta(title="Outdoors")] = OutdoorsSettings()
    comfort: Annotated[ComfortSettings, Meta(title="Comfort")] = ComfortSettings()
    setpoint: Annotated[SetpointSettings, Meta(title="Setpoint")] = SetpointSettings()
    thermostats: Annotated[list[ThermostatSettings], Meta(title="Thermostats")] = msgspec.field(default_factory=list)
    site: Annotated[SiteSettings, Meta(title="Site")] = SiteSettings()
    learning: Annotated[LearningSettings, Meta(title="Learning")] = LearningSettings()
    mqtt: Annotated[MqttSettings, Meta(title="MQTT")] = MqttSettings()
    votes: Annotated[VotesSettings, Meta(title="Votes")] = VotesSettings()
    buttons: Annotated[list[ButtonSettings], Meta(title="Buttons")] = msgspec.field(default_factory=list)
    capture: Annotated[CaptureSettings, Meta(title="Capture")] = CaptureSettings()
    homeassistant: Annotated[HomeassistantSettings, Meta(title="Home Assistant")] = HomeassistantSettings()
    web: Annotated[WebSettings, Meta(title="Page")] = WebSettings()
    updates: Annotated[UpdatesSettings, Meta(title="Updates of models")] = UpdatesSettings()
    modbus: Annotated[ModbusSettings, Meta(title="Modbus")] = ModbusSettings()
    bacnet: Annotated[BacnetSettings, Meta(title="BACnet")] = BacnetSettings()


def load(path: str | Path) -> Settings:
    """Read and check a settings file.

    Raises:
        SettingsError: With file, line and field, for a file that cannot be read, is not TOML, or holds a field or a
            value that is not allowed.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            Text("{path}: the settings file cannot be read ({why})", path=path, why=error.strerror)
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            Text("{path}: not a text file (byte {start} is not UTF-8)", path=path, start=error.start)
        ) from error
    return checked(parse(text, str(path)), text, str(path))


def checked(data: dict[str, Any], text: str, path: str) -> Settings:
    """The settings that a file's content is.

    Args:
        data: The content.
        text: The file's text, where the lines that are named stand.
        path: What the file is called in what is said.

    Raises:
        SettingsError: Its argument is an `Explained`: what is wrong, and where.
    """
    try:
        settings = msgspec.convert(data, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(explain(str(error), text, path, field_names(), choices())) from error
    for field, value in not_finite(data):
        raise SettingsError(pointed(Text("a number is wanted, not {value}", value=f"{value:g}"), field, text, path))
    _check_together(settings, text, path)
    return settings


def state_folder(settings: Settings) -> Path:
    """The folder of votes, unsent messages and the control socket; it need not exist yet."""
    if settings.device.state_dir:
        return Path(settings.device.state_dir).expanduser()
    return state_home()


def secret_files(settings: Settings) -> dict[str, str]:
    """The files that the settings name for what must not be shown (and for what proves others), by field."""
    found = {
        f"{table}.{field}": getattr(getattr(settings, table), field)
        for table, fields in _FILES.items()
        for field in fields
    }
    found |= {f"web.tokens.{number}": each.file for number, each in enumerate(settings.web.tokens)}
    return {field: file for field, file in found.items() if file}


def warnings(settings: Settings) -> Iterator[str]:
    """What may be meant and probably is not, in a sentence each."""
    cameras = cameras_of(settings)
    for name in cameras:
        polygons = {zone: view.polygon for zone, view in views_of(settings, name).items()}
        yield from zone_doubts(polygons, name if len(cameras) > 1 else "")
    if not settings.vision.attributes:
        for zone in settings.zones:
            if any(not view.floor for view in zone.views):
                yield (
                    Text(
                        "zones: {name} is seen by two cameras, and nothing tells whom both see: they count twice; "
                        "give vision.attributes, or floor points",
                        name=zone.name,
                    )
                )
    for table, fields in _FILES.items():
        for field in fields:
            yield from file_doubts(f"{table}.{field}", getattr(getattr(settings, table), field))
    for each in settings.web.tokens:
        yield from file_doubts("web.tokens.file", each.file)
    yield from opened(settings.modbus, settings.bacnet)


def _check_together(settings: Settings, text: str, path: str) -> None:
    """What one field alone cannot show: zones that are named twice or not at all, polygons that are no area."""
    names = [zone.name for zone in settings.zones]
    message: str
    for field, fault in zone_faults(settings.zones):
        raise SettingsError(pointed(fault, f"zones{field}", text, path))
    if settings.device.language != ENGLISH and settings.device.language not in languages():
        message = Text(
            "No language is named {name}; there are: {names}",
            name=repr(settings.device.language),
            names=", ".join(languages()),
        )
        raise SettingsError(pointed(message, "device.language", text, path))
    for field, fault in camera_list_faults(settings.camera, settings.cameras):
        raise SettingsError(pointed(fault, field, text, path))
    for field, fault in view_faults(settings.zones, list(cameras_of(settings))):
        raise SettingsError(pointed(fault, field, text, path))
    polygons = {
        camera: {zone: view.polygon for zone, view in views_of(settings, camera).items()}
        for camera in cameras_of(settings)
    }
    for field, fault in line_faults(settings.lines, polygons):
        raise SettingsError(pointed(fault, field, text, path))
    for field, fault in broker_faults(settings.mqtt):
        raise SettingsError(pointed(fault, f"mqtt.{field}", text, path))
    for field, fault in bacnet_faults(settings.bacnet):
        raise SettingsError(pointed(fault, f"bacnet.{field}", text, path))
    for field, uri in (
        ("camera.source", settings.camera.source),
        *((f"cameras[{index}].source", each.source) for index, each in enumerate(settings.cameras)),
        *((f"sensors[{index}].uri", each.uri) for index, each in enumerate(settings.sensors)),
        *((f"outdoors.uris[{index}]", uri) for index, uri in enumerate(settings.outdoors.uris)),
        *((f"buttons[{index}].source", each.source) for index, each in enumerate(settings.buttons)),
        ("privacy.pin", settings.privacy.pin),
    ):
        if "…" in uri:
            said = Text(
                "The … is a placeholder: put the whole name there (`comfywear sensors list` and `cameras list` help)"
            )
            raise SettingsError(pointed(said, field, text, path))
    for index, sensor in enumerate(settings.sensors):
        try:
            check_uri(sensor.uri)
        except BadSensorURI as error:
            raise SettingsError(pointed(str(error), f"sensors[{index}].uri", text, path)) from error
        if sensor.zone and sensor.zone not in names:
            message = Text(
                "No zone is named {zone}; the zones are: {zones}", zone=repr(sensor.zone), zones=", ".join(names)
            )
            raise SettingsError(pointed(message, f"sensors[{index}].zone", text, path))

    for index, uri in enumerate(settings.outdoors.uris):
        try:
            check_uri(uri)
        except BadSensorURI as error:
            raise SettingsError(pointed(str(error), f"outdoors.uris[{index}]", text, path)) from error
        if uri in settings.outdoors.uris[:index] or uri in [sensor.uri for sensor in settings.sensors]:
            message = f"{source_of(uri)} is named twice: it is outdoors once, or in a zone"
            raise SettingsError(pointed(message, f"outdoors.uris[{index}]", text, path))
    for index, zone in enumerate(settings.zones):
        if zone.sun is not None and (settings.site.latitude is None or settings.site.longitude is None):
            message = Text("Where the sun stands is not known: give site.latitude and site.longitude")
            raise SettingsError(pointed(message, f"zones[{index}].sun", text, path))
        if zone.sun is not None and not settings.outdoors.uris:
            message = Text("Nobody says how the sun shines: name a source of irradiance in outdoors.uris")
            raise SettingsError(pointed(message, f"zones[{index}].sun", text, path))
    for index, buttons in enumerate(settings.buttons):
        try:
            parse_button_uri(buttons.source)
        except UsageError as error:
            raise SettingsError(pointed(str(error), f"buttons[{index}].source", text, path)) from error
        if buttons.zone and buttons.zone not in names:
            message = Text(
                "No zone is named {zone}; the zones are: {names}", zone=repr(buttons.zone), names=", ".join(names)
            )
            raise SettingsError(pointed(message, f"buttons[{index}].zone", text, path))
    for field, fault in privacy_faults(settings.privacy, settings.buttons):
        raise SettingsError(pointed(fault, f"privacy.{field}", text, path))
    for table, camera in (
        ("camera", settings.camera),
        *((f"cameras[{index}]", each) for index, each in enumerate(settings.cameras)),
    ):
        for field, fault in camera_faults(camera):
            raise SettingsError(pointed(fault, f"{table}.{field}", text, path))
    for field, fault in setpoint_faults(settings.setpoint):
        raise SettingsError(pointed(fault, f"setpoint.{field}", text, path))
    for field, fault in thermostat_faults(settings.thermostats, names):
        raise SettingsError(pointed(fault, f"thermostats{field}", text, path))
    if settings.homeassistant.view and settings.web.shown_view == "off":
        message = Text('There is no view that could be sent: choose one with web.view, "room" or "sketch"')
        raise SettingsError(pointed(message, "homeassistant.view", text, path))
    for field, fault in web_faults(settings.web):
        raise SettingsError(pointed(fault, f"web.{field}", text, path))
    for field, fault in faults(settings.updates):
        raise SettingsError(pointed(fault, f"updates.{field}", text, path))
    if (
        settings.web.enabled
        and not is_loopback(settings.web.host)
        and not (settings.web.token_file or settings.web.tokens)
    ):
        message = Text("This opens the page to the network: name a web.token_file with its password, or use 127.0.0.1")
        raise SettingsError(pointed(message, "web.host", text, path))


@cache
def field_names() -> dict[str, list[str]]:
    """Names of the allowed fields by table ("" for the file itself)."""
    tables: dict[str, list[str]] = {"": list(Settings.__struct_fields__)}
    for table, section in sections().items():
        tables[table] = list(section.__struct_fields__)
    for part in ("mask", "dewarp"):
        tables[f"cameras.{part}"] = tables[f"camera.{part}"]
    return tables


@cache
def choices() -> dict[str, list[str]]:
    """The words that a field takes, by "table.field"; fields that take any are left out."""
    definitions = json_schema()["$defs"]
    found: dict[str, list[str]] = {}
    for table, section in sections().items():
        for name, field in definitions[section.__name__]["properties"].items():
            items = field.get("items")
            words = field.get("enum") or (items.get("enum") if isinstance(items, dict) else None)
            if words:
                found[f"{table}.{name}"] = [str(word) for word in words]
    return found


def sections() -> dict[str, type[Section]]:
    """The tables of the file in order, with their types (lists of tables with the type of one)."""
    return {
        "device": DeviceSettings,
        "camera": CameraSettings,
        "camera.mask": MaskSettings,
        "camera.dewarp": DewarpSettings,
        "cameras": NamedCameraSettings,
        "privacy": PrivacySettings,
        "vision": VisionSettings,
        "budget": BudgetSettings,
        "zones": ZoneSettings,
        "zones.views": ViewSettings,
        "lines": LineSettings,
        "zones.schedule": ScheduleSettings,
        "zones.sun": SunSettings,
        "sensors": SensorSettings,
        "sensors.self_heating": SelfHeatingSettings,
        "climate": ClimateSettings,
        "outdoors": OutdoorsSettings,
        "comfort": ComfortSettings,
        "setpoint": SetpointSettings,
        "thermostats": ThermostatSettings,
        "site": SiteSettings,
        "learning": LearningSettings,
        "mqtt": MqttSettings,
        "votes": VotesSettings,
        "buttons": ButtonSettings,
        "capture": CaptureSettings,
        "homeassistant": HomeassistantSettings,
        "web": WebSettings,
        "web.tokens": TokenSettings,
        "updates": UpdatesSettings,
        "modbus": ModbusSettings,
        "bacnet": BacnetSettings,
    }


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return msgspec.json.schema(Settings)
