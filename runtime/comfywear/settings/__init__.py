"""The settings: one file of TOML, a module a table.

Names are loaded when they are used: the camera's process needs one of the tables.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfywear.settings.budget import BudgetSettings
    from comfywear.settings.camera import CameraSettings
    from comfywear.settings.climate import ClimateSettings, SensorSettings
    from comfywear.settings.comfort import ComfortSettings
    from comfywear.settings.device import DeviceSettings
    from comfywear.settings.file import Settings, json_schema, load, sections, state_folder, warnings
    from comfywear.settings.mqtt import MqttSettings
    from comfywear.settings.vision import VisionSettings
    from comfywear.settings.zones import ZoneSettings

__all__ = [
    "BudgetSettings",
    "CameraSettings",
    "ClimateSettings",
    "ComfortSettings",
    "DeviceSettings",
    "MqttSettings",
    "SensorSettings",
    "Settings",
    "VisionSettings",
    "ZoneSettings",
    "json_schema",
    "load",
    "sections",
    "state_folder",
    "warnings",
]

_HOMES = {
    "BudgetSettings": "comfywear.settings.budget",
    "CameraSettings": "comfywear.settings.camera",
    "ClimateSettings": "comfywear.settings.climate",
    "ComfortSettings": "comfywear.settings.comfort",
    "DeviceSettings": "comfywear.settings.device",
    "MqttSettings": "comfywear.settings.mqtt",
    "SensorSettings": "comfywear.settings.climate",
    "VisionSettings": "comfywear.settings.vision",
    "ZoneSettings": "comfywear.settings.zones",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES.get(name, "comfywear.settings.file")), name)
