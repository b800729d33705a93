"""What is taken where nothing was measured, and the sentences that say so; shared by ThermalWear and ComfyWear."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["AIR_SPEED_M_S", "MET", "assumed"]

MET = 1.1
"""Seated, light office work (ASHRAE 55-2020, table 5.2.1.2: typing)."""

AIR_SPEED_M_S = 0.1
"""Still air indoors (ASHRAE 55-2020, appendix D)."""


def assumed(known: Mapping[str, float]) -> list[str]:
    """Sentences for activity, air speed and radiant temperature that are not in `known`."""
    sentences = {
        "met": f"activity {MET:g} met (seated, light office work) was assumed",
        "air_speed_m_s": f"still air ({AIR_SPEED_M_S:g} m/s) was assumed",
        "radiant_temp_c": "the walls were taken to be as warm as the air",
    }
    return [sentence for name, sentence in sentences.items() if name not in known]
