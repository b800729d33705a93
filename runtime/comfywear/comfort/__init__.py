"""Thermal comfort: the standards, clothing, ThermalWear and ComfyWear. Pure: numpy only, no clock, no logging.

The standards beyond PMV and SET, and the setpoint, are imported when they are used: an estimate does not wait for them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from comfywear.comfort.clothing.absorptance import ABSORPTANCE, Absorptance, absorptance_of
from comfywear.comfort.clothing.ensemble import TYPICAL_INDOOR, clothing_of, clothing_of_names
from comfywear.comfort.comfort_vote import ComfyWear
from comfywear.comfort.site import COUNTRIES, Site, climate_of
from comfywear.comfort.skin_temperature import Sunshine, ThermalWear
from comfywear.comfort.standards.air import (
    dynamic_clo,
    mean_radiant_temperature,
    operative_temperature,
    relative_air_speed,
)
from comfywear.comfort.standards.pmv import PmvPpd, cooling_effect, outside_standard, pmv_ppd
from comfywear.comfort.standards.solar import SolarGain, solar_gain
from comfywear.comfort.standards.twonode import TwoNode, set_tmp, two_node
from comfywear.comfort.votes.scale import SCALE, VoteScale, level_of
from comfywear.records import Clothing

if TYPE_CHECKING:
    from comfywear.comfort.setpoint import Preferred, neutral_temperature_c, preferred_temperature
    from comfywear.comfort.standards.adapted_pmv import (
        athb_pmv,
        pmv_adaptive,
        pmv_expectancy,
    )
    from comfywear.comfort.standards.adaptive import (
        AdaptiveAshrae,
        AdaptiveEn,
        adaptive_ashrae,
        adaptive_en,
        next_running_mean,
        running_mean,
    )
    from comfywear.comfort.standards.heat import (
        DISCOMFORT_WORDS,
        HEAT_INDEX_WORDS,
        HUMIDEX_WORDS,
        discomfort_index_c,
        heat_index_c,
        humidex,
        natural_wet_bulb_c,
        wbgt_c,
        wbgt_indoors_c,
    )
    from comfywear.comfort.standards.local import (
        ankle_draft_pct,
        vertical_gradient_pct,
    )
    from comfywear.comfort.standards.moist_air import (
        absolute_humidity_g_m3,
        dew_point_c,
        enthalpy_kj_kg,
        humidity_at,
        humidity_ratio_g_kg,
        saturation_pa,
        vapour_pressure_pa,
        wet_bulb_c,
        wet_bulb_stull_c,
    )
    from comfywear.comfort.standards.mould import (
        MOULD_HUMIDITY_PCT,
        NEW_BUILDING_FRSI,
        Mould,
        critical_humidity_pct,
        mould,
        surface_temperature_c,
    )
    from comfywear.comfort.standards.outdoors import (
        apparent_temperature_c,
        likely_clo,
        net_effective_temperature_c,
        wind_chill_c,
    )
    from comfywear.comfort.standards.utci import (
        UTCI_WORDS,
        utci_c,
    )

__all__ = [
    "ABSORPTANCE",
    "COUNTRIES",
    "DISCOMFORT_WORDS",
    "HEAT_INDEX_WORDS",
    "HUMIDEX_WORDS",
    "MOULD_HUMIDITY_PCT",
    "NEW_BUILDING_FRSI",
    "SCALE",
    "TYPICAL_INDOOR",
    "UTCI_WORDS",
    "Absorptance",
    "AdaptiveAshrae",
    "AdaptiveEn",
    "Clothing",
    "ComfyWear",
    "Mould",
    "PmvPpd",
    "Preferred",
    "Site",
    "SolarGain",
    "Sunshine",
    "ThermalWear",
    "TwoNode",
    "VoteScale",
    "absolute_humidity_g_m3",
    "absorptance_of",
    "adaptive_ashrae",
    "adaptive_en",
    "ankle_draft_pct",
    "apparent_temperature_c",
    "athb_pmv",
    "climate_of",
    "clothing_of",
    "clothing_of_names",
    "cooling_effect",
    "critical_humidity_pct",
    "dew_point_c",
    "discomfort_index_c",
    "dynamic_clo",
    "enthalpy_kj_kg",
    "heat_index_c",
    "humidex",
    "humidity_at",
    "humidity_ratio_g_kg",
    "level_of",
    "likely_clo",
    "mean_radiant_temperature",
    "mould",
    "natural_wet_bulb_c",
    "net_effective_temperature_c",
    "neutral_temperature_c",
    "next_running_mean",
    "operative_temperature",
    "outside_standard",
    "pmv_adaptive",
    "pmv_expectancy",
    "pmv_ppd",
    "preferred_temperature",
    "relative_air_speed",
    "running_mean",
    "saturation_pa",
    "set_tmp",
    "solar_gain",
    "surface_temperature_c",
    "two_node",
    "utci_c",
    "vapour_pressure_pa",
    "vertical_gradient_pct",
    "wbgt_c",
    "wbgt_indoors_c",
    "wet_bulb_c",
    "wet_bulb_stull_c",
    "wind_chill_c",
]

_HOMES = {
    "setpoint": ("Preferred", "neutral_temperature_c", "preferred_temperature"),
    "standards.adapted_pmv": ("athb_pmv", "pmv_adaptive", "pmv_expectancy"),
    "standards.adaptive": (
        "AdaptiveAshrae",
        "AdaptiveEn",
        "adaptive_ashrae",
        "adaptive_en",
        "next_running_mean",
        "running_mean",
    ),
    "standards.heat": (
        "DISCOMFORT_WORDS",
        "HEAT_INDEX_WORDS",
        "HUMIDEX_WORDS",
        "discomfort_index_c",
        "heat_index_c",
        "humidex",
        "natural_wet_bulb_c",
        "wbgt_c",
        "wbgt_indoors_c",
    ),
    "standards.local": ("ankle_draft_pct", "vertical_gradient_pct"),
    "standards.moist_air": (
        "absolute_humidity_g_m3",
        "dew_point_c",
        "enthalpy_kj_kg",
        "humidity_at",
        "humidity_ratio_g_kg",
        "saturation_pa",
        "vapour_pressure_pa",
        "wet_bulb_c",
        "wet_bulb_stull_c",
    ),
    "standards.mould": (
        "MOULD_HUMIDITY_PCT",
        "NEW_BUILDING_FRSI",
        "Mould",
        "critical_humidity_pct",
        "mould",
        "surface_temperature_c",
    ),
    "standards.outdoors": ("apparent_temperature_c", "likely_clo", "net_effective_temperature_c", "wind_chill_c"),
    "standards.utci": ("UTCI_WORDS", "utci_c"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"comfywear.comfort.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
