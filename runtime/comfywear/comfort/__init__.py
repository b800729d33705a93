"""Thermal comfort: the standards, clothing, ThermalWear and ComfyWear. Pure: numpy only, no clock, no logging."""

from comfywear.comfort.absorptance import ABSORPTANCE, Absorptance, absorptance_of
from comfywear.comfort.air import (
    dynamic_clo,
    mean_radiant_temperature,
    operative_temperature,
    relative_air_speed,
)
from comfywear.comfort.clothing import TYPICAL_INDOOR, clothing_of, clothing_of_names
from comfywear.comfort.comfywear import ComfyWear
from comfywear.comfort.pmv import PmvPpd, cooling_effect, outside_standard, pmv_ppd
from comfywear.comfort.scale import SCALE, VoteScale, level_of
from comfywear.comfort.site import Site, climate_of
from comfywear.comfort.solar import SolarGain, solar_gain
from comfywear.comfort.thermalwear import Sunshine, ThermalWear
from comfywear.comfort.twonode import TwoNode, set_tmp, two_node

__all__ = [
    "ABSORPTANCE",
    "SCALE",
    "TYPICAL_INDOOR",
    "Absorptance",
    "ComfyWear",
    "PmvPpd",
    "Site",
    "SolarGain",
    "Sunshine",
    "ThermalWear",
    "TwoNode",
    "VoteScale",
    "absorptance_of",
    "climate_of",
    "clothing_of",
    "clothing_of_names",
    "cooling_effect",
    "dynamic_clo",
    "level_of",
    "mean_radiant_temperature",
    "operative_temperature",
    "outside_standard",
    "pmv_ppd",
    "relative_air_speed",
    "set_tmp",
    "solar_gain",
    "two_node",
]
