"""One TOML file becomes typed, validated settings; every field says its title, meaning, unit and default.

`docs/settings.md` and the JSON Schema are generated from the same fields.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from comfywear.errors import SettingsError, UsageError
from comfywear.feedback.buttons import parse_button_uri
from comfywear.places import state_home
from comfywear.settings_feedback import ButtonSettings, CaptureSettings, VotesSettings
from comfywear.settings_home import HomeassistantSettings
from comfywear.settings_learning import LearningSettings, SiteSettings
from comfywear.settings_mqtt import MqttSettings as MqttSettings
from comfywear.settings_types import Fraction, Name, Positive
from comfywear.settings_types import Section as _Section
from comfywear.settings_updates import UpdatesSettings, faults
from comfywear.settings_web import WebSettings
from comfywear.toml_lines import explain, parse
from comfywear.web.access import is_loopback
from comfywear_sensors import BadSensorURI, check_uri


def _machine_name() -> str:
    """A topic-safe name from the host name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", socket.gethostname())[:64].strip("-") or "comfywear"


class DeviceSettings(_Section, frozen=True):
    """Who this device is and where it keeps what it must not lose."""

    site: Annotated[Name, Meta(title="Site", description="First part of every MQTT topic: the building.")] = "home"
    id: Annotated[
        str,
        Meta(
            title="Device id",
            description="Second part of every topic; empty = the host name. Two devices must never share one.",
            pattern="^[A-Za-z0-9_-]{0,64}$",
        ),
    ] = ""
    state_dir: Annotated[
        str,
        Meta(
            title="State folder",
            description="Votes, unsent messages and the control socket. Empty = $STATE_DIRECTORY (set by systemd), "
            "else ~/.local/state/comfywear.",
        ),
    ] = ""

    def name(self) -> str:
        """The device id, from the host where the settings give none."""
        return self.id or _machine_name()


class CameraSettings(_Section, frozen=True):
    """Where pictures come from. They never leave the device."""

    source: Annotated[
        str,
        Meta(
            title="Source",
            description="v4l2:///dev/video0, rtsp://host/path, file:///clip.mp4, images:///folder, or the path of a "
            "photo. Empty = no camera: climate and votes only.",
        ),
    ] = ""
    fps: Annotated[
        Positive,
        Meta(title="Frame rate", description="Frames looked at in a second, at most.", extra={"unit": "1/s"}),
    ] = 2.0
    loop: Annotated[bool, Meta(title="Loop", description="Begin a recording again at its end.")] = False


class VisionSettings(_Section, frozen=True):
    """How pictures are looked at."""

    detector: Annotated[
        str,
        Meta(
            title="Detector",
            description="A shipped or imported model (comfywear models list), or the path of a *.card.json.",
        ),
    ] = "detector"
    garments: Annotated[
        str,
        Meta(
            title="Garment detector",
            description="The model that finds garments on each person's part of the picture where the detector finds "
            "persons only; empty = none.",
        ),
    ] = "detector"
    attributes: Annotated[str, Meta(title="Attribute model", description="Name or card path; empty = none.")] = (
        "attributes"
    )
    engine: Annotated[
        Literal["auto", "onnxruntime", "litert", "xnnpack", "cuda", "tensorrt"],
        Meta(
            title="Engine",
            description="auto = what is fastest here: each that is installed is tried at the first start, in a "
            "process of its own, and the choice is kept (docs/models.md).",
        ),
    ] = "auto"
    precision: Annotated[
        Literal["int8", "fp16"],
        Meta(
            title="Precision",
            description="fp16 = float16 weights, float32 arithmetic: every engine gives the same answers. int8 is "
            "faster (up to twice, where the processor has 8-bit instructions) and a little less accurate.",
        ),
    ] = "fp16"
    threads: Annotated[
        Annotated[int, Meta(ge=1, le=16)], Meta(title="Threads", description="Threads an engine may use.")
    ] = 2
    attribute_interval_s: Annotated[
        Positive,
        Meta(
            title="Attribute interval",
            description="How often a person's clothing and colours are looked at again.",
            extra={"unit": "s"},
        ),
    ] = 10.0
    reidentify: Annotated[
        bool,
        Meta(
            title="Know persons again",
            description="Who leaves and comes back soon keeps the number, known by the clothes; in memory alone.",
        ),
    ] = True
    reidentify_min: Annotated[
        Annotated[float, Meta(gt=0, le=60)],
        Meta(title="Remembered", description="For how long after they left.", extra={"unit": "min"}),
    ] = 5.0


class BudgetSettings(_Section, frozen=True):
    """What looking at pictures may cost (docs/vision.md says what is shed first)."""

    cpu_share: Annotated[
        Annotated[float, Meta(gt=0, le=1)],
        Meta(title="Processor share", description="Part of all processors that looking may take; 1 = no limit."),
    ] = 1.0
    latency_ms: Annotated[
        Annotated[float, Meta(ge=0)],
        Meta(
            title="Latency",
            description="A frame should be looked at within so long; 0 = no target.",
            extra={"unit": "ms"},
        ),
    ] = 0.0
    hot_c: Annotated[
        Annotated[float, Meta(ge=0, le=120)],
        Meta(
            title="Hot",
            description="Looking is cut from 10 K below this temperature of the machine, and least at it; 0 = never.",
            extra={"unit": "°C"},
        ),
    ] = 80.0
    memory_mb: Annotated[
        Annotated[float, Meta(ge=0)],
        Meta(
            title="Memory",
            description="When the device's processes together use more, looking is closed and opened anew; 0 = two "
            "thirds of what the machine (or its control group) has.",
            extra={"unit": "MB"},
        ),
    ] = 0.0


class ZoneSettings(_Section, frozen=True):
    """A part of the room that has its own climate, people and votes."""

    name: Annotated[Name, Meta(title="Name", description="Stands in topics: letters, digits, _ and -.")]
    polygon: Annotated[
        list[tuple[Fraction, Fraction]],
        Meta(
            title="Polygon",
            description="Corners [x, y] in parts of the picture's width and height; empty = the whole picture.",
        ),
    ] = msgspec.field(default_factory=list)


class SensorSettings(_Section, frozen=True):
    """A temperature and humidity sensor."""

    uri: Annotated[
        str,
        Meta(
            title="URI",
            description="serial:///dev/serial/by-id/…?baud=9600, replay:///file.csv, and others (docs/sensors.md).",
        ),
    ]
    zone: Annotated[str, Meta(title="Zone", description="Whose air it measures; empty = the first zone.")] = ""
    temp_offset_k: Annotated[
        float, Meta(title="Temperature offset", description="Added to every reading.", extra={"unit": "K"})
    ] = 0.0
    temp_gain: Annotated[
        Positive,
        Meta(title="Temperature gain", description="Every reading is multiplied by it, then the offset added."),
    ] = 1.0
    humidity_offset_pct: Annotated[
        float, Meta(title="Humidity offset", description="Added to every reading.", extra={"unit": "%"})
    ] = 0.0
    humidity_gain: Annotated[
        Positive, Meta(title="Humidity gain", description="Every reading is multiplied by it, then the offset added.")
    ] = 1.0
    every_s: Annotated[
        Positive,
        Meta(title="Interval", description="How often a sensor is asked that waits to be asked.", extra={"unit": "s"}),
    ] = 2.0


class ClimateSettings(_Section, frozen=True):
    """When a reading is believed, and for how long."""

    stale_after_s: Annotated[
        Positive,
        Meta(title="Stale after", description="Without a reading for so long, values are null.", extra={"unit": "s"}),
    ] = 120.0
    time_constant_s: Annotated[
        Annotated[float, Meta(ge=0)],
        Meta(title="Time constant", description="Of the smoothing of every value; 0 = none.", extra={"unit": "s"}),
    ] = 30.0
    stuck_after_s: Annotated[
        Annotated[float, Meta(ge=0)],
        Meta(
            title="Stuck after",
            description="A sensor that says exactly the same for so long is not used; 0 = never.",
            extra={"unit": "s"},
        ),
    ] = 3600.0


class ComfortSettings(_Section, frozen=True):
    """What no sensor says and the models assume."""

    met: Annotated[
        Annotated[float, Meta(ge=0.8, le=4)],
        Meta(
            title="Activity", description="1.0 seated, 1.2 light office work, 1.6 standing work.", extra={"unit": "met"}
        ),
    ] = 1.1
    air_speed_m_s: Annotated[
        Annotated[float, Meta(ge=0, le=2)],
        Meta(title="Air speed", description="Where no sensor measures it.", extra={"unit": "m/s"}),
    ] = 0.1


class Settings(_Section, frozen=True):
    """The whole file."""

    device: Annotated[DeviceSettings, Meta(title="Device")] = DeviceSettings()
    camera: Annotated[CameraSettings, Meta(title="Camera")] = CameraSettings()
    vision: Annotated[VisionSettings, Meta(title="Vision")] = VisionSettings()
    budget: Annotated[BudgetSettings, Meta(title="Budget")] = BudgetSettings()
    zones: Annotated[list[ZoneSettings], Meta(title="Zones", min_length=1)] = msgspec.field(
        default_factory=lambda: [ZoneSettings(name="room")]
    )
    sensors: Annotated[list[SensorSettings], Meta(title="Sensors")] = msgspec.field(default_factory=list)
    climate: Annotated[ClimateSettings, Meta(title="Climate")] = ClimateSettings()
    comfort: Annotated[ComfortSettings, Meta(title="Comfort")] = ComfortSettings()
    site: Annotated[SiteSettings, Meta(title="Site")] = SiteSettings()
    learning: Annotated[LearningSettings, Meta(title="Learning")] = LearningSettings()
    mqtt: Annotated[MqttSettings, Meta(title="MQTT")] = MqttSettings()
    votes: Annotated[VotesSettings, Meta(title="Votes")] = VotesSettings()
    buttons: Annotated[list[ButtonSettings], Meta(title="Buttons")] = msgspec.field(default_factory=list)
    capture: Annotated[CaptureSettings, Meta(title="Capture")] = CaptureSettings()
    homeassistant: Annotated[HomeassistantSettings, Meta(title="Home Assistant")] = HomeassistantSettings()
    web: Annotated[WebSettings, Meta(title="Page")] = WebSettings()
    updates: Annotated[UpdatesSettings, Meta(title="Updates of models")] = UpdatesSettings()


def load(path: str | Path) -> Settings:
    """Read and check a settings file.

    Raises:
        SettingsError: With file, line and field, for a file that cannot be read, is not TOML, or holds a field or a
            value that is not allowed.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: the settings file cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not a text file (byte {error.start} is not UTF-8)") from error
    data = parse(text, str(path))
    try:
        settings = msgspec.convert(data, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(explain(str(error), text, str(path), field_names())) from error
    _check_together(settings, text, str(path))
    return settings


def state_folder(settings: Settings) -> Path:
    """The folder of votes, unsent messages and the control socket; it need not exist yet."""
    if settings.device.state_dir:
        return Path(settings.device.state_dir).expanduser()
    return state_home()


def _check_together(settings: Settings, text: str, path: str) -> None:
    """What one field alone cannot show: zones that are named twice or not at all, polygons that are no area."""
    names = [zone.name for zone in settings.zones]
    for index, zone in enumerate(settings.zones):
        where = f"$.zones[{index}]"
        if zone.name in names[:index]:
            raise SettingsError(explain(f"Two zones are named {zone.name!r} - at `{where}.name`", text, path))
        if 0 < len(zone.polygon) < 3:
            raise SettingsError(explain(f"A polygon needs three corners or more - at `{where}.polygon`", text, path))
    for index, sensor in enumerate(settings.sensors):
        try:
            check_uri(sensor.uri)
        except BadSensorURI as error:
            raise SettingsError(explain(f"{error} - at `$.sensors[{index}].uri`", text, path)) from error
        if sensor.zone and sensor.zone not in names:
            known = ", ".join(names)
            message = f"No zone is named {sensor.zone!r}; the zones are: {known} - at `$.sensors[{index}].zone`"
            raise SettingsError(explain(message, text, path))

    for index, buttons in enumerate(settings.buttons):
        try:
            parse_button_uri(buttons.source)
        except UsageError as error:
            raise SettingsError(explain(f"{error} - at `$.buttons[{index}].source`", text, path)) from error
        if buttons.zone and buttons.zone not in names:
            message = f"No zone is named {buttons.zone!r}; the zones are: {', '.join(names)}"
            raise SettingsError(explain(f"{message} - at `$.buttons[{index}].zone`", text, path))
    for field, fault in faults(settings.updates):
        raise SettingsError(explain(f"{fault} - at `$.updates.{field}`", text, path))
    if settings.web.enabled and not is_loopback(settings.web.host) and not settings.web.token_file:
        message = "This opens the page to the network: name a web.token_file with its password, or use 127.0.0.1"
        raise SettingsError(explain(f"{message} - at `$.web.host`", text, path))


def field_names() -> dict[str, list[str]]:
    """Names of the allowed fields by table ("" for the file itself)."""
    tables: dict[str, list[str]] = {"": list(Settings.__struct_fields__)}
    for table, section in sections().items():
        tables[table] = list(section.__struct_fields__)
    return tables


def sections() -> dict[str, type[_Section]]:
    """The tables of the file in order, with their types (lists of tables with the type of one)."""
    return {
        "device": DeviceSettings,
        "camera": CameraSettings,
        "vision": VisionSettings,
        "budget": BudgetSettings,
        "zones": ZoneSettings,
        "sensors": SensorSettings,
        "climate": ClimateSettings,
        "comfort": ComfortSettings,
        "site": SiteSettings,
        "learning": LearningSettings,
        "mqtt": MqttSettings,
        "votes": VotesSettings,
        "buttons": ButtonSettings,
        "capture": CaptureSettings,
        "homeassistant": HomeassistantSettings,
        "web": WebSettings,
        "updates": UpdatesSettings,
    }


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return msgspec.json.schema(Settings)
