"""What the weather outdoors means for each zone: adaptive comfort, and whether opening a window would help."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from comfywear.comfort import Sunshine
from comfywear.comfort.assumed import AIR_SPEED_M_S, MET
from comfywear.records import Outdoors, WindowAdvice, ZoneEstimate
from comfywear.settings import Settings

__all__ = ["ZoneWeather"]


_STEP_W_M2 = 20.0


class ZoneWeather:
    """Puts the weather beside the estimates of the zones; `of` belongs to one thread."""

    def __init__(self, settings: Settings) -> None:
        self._site = settings.site
        self._sun = {zone.name: zone.sun for zone in settings.zones}
        self._advise = settings.outdoors.window_advice
        self._before: dict[str, WindowAdvice] = {}

    def sun(self, zone: str, outdoors: Outdoors | None, unix_s: float | None) -> Sunshine | None:
        """The sun on the people of `zone` at `unix_s` (UTC; None while the clock is not set); None where there is none.

        It is rounded, so that it is a change only where it makes one.
        """
        exposed, irradiance = self._sun.get(zone), outdoors.air.irradiance_w_m2 if outdoors else None
        if exposed is None or irradiance is None or unix_s is None:
            return None
        from comfywear.comfort.standards.sun import beam_of, sun_position

        stands = sun_position(unix_s, self._site.latitude or 0.0, self._site.longitude or 0.0)
        beam = beam_of(irradiance, stands.altitude_deg)
        direct = beam.direct_w_m2 if _comes_in(stands.azimuth_deg, exposed.window_azimuth_deg) else 0.0
        shining = Sunshine(
            direct_w_m2=_to(direct, _STEP_W_M2),
            altitude_deg=min(max(_to(stands.altitude_deg, 1.0), 0.0), 90.0),
            transmittance=exposed.transmittance,
            sky_view=exposed.sky_view,
            body_exposed=exposed.body_exposed,
            diffuse_w_m2=_to(beam.diffuse_w_m2, _STEP_W_M2),
        )
        return shining if shining.direct_w_m2 or shining.diffuse_w_m2 else None

    def of(self, zone: str, estimate: ZoneEstimate, outdoors: Outdoors | None) -> ZoneEstimate:
        """The estimate of `zone` with the weather, which stands first among the advice where a window would help."""
        if outdoors is None:
            return estimate
        # Imported when there is weather: a device without waits for neither.
        from comfywear.comfort.adaptive_comfort import adaptive_comfort
        from comfywear.comfort.window import SENTENCES

        inputs, air = estimate.comfort.inputs, estimate.climate
        adaptive = adaptive_comfort(
            air.air_temp_c,
            inputs.get("radiant_temp_c"),
            outdoors.running_mean_c,
            air_speed_m_s=inputs.get("air_speed_m_s", AIR_SPEED_M_S),
            met=inputs.get("met", MET),
            cooling=self._site.cooling,
        )
        comfort, window = estimate.comfort, self._window(zone, estimate, outdoors)
        if window is not None and window.why is not None:
            comfort = replace(comfort, advice=(SENTENCES[window.why], *comfort.advice))
        return replace(estimate, comfort=comfort, outdoors=outdoors, adaptive=adaptive, window=window)

    def _window(self, zone: str, estimate: ZoneEstimate, outdoors: Outdoors) -> WindowAdvice | None:
        if not self._advise:
            return None
        from comfywear.comfort.window import WindowSituation, window_advice

        air, comfort, neutral_c = estimate.climate, estimate.comfort, None
        if air.humidity_pct is not None and comfort.expected_vote is not None:
            met, speed = comfort.inputs.get("met", MET), comfort.inputs.get("air_speed_m_s", AIR_SPEED_M_S)
            neutral_c = _neutral_c(round(air.humidity_pct), round(estimate.clothing.clo, 2), met, speed)
        now = WindowSituation(
            air.air_temp_c,
            air.humidity_pct,
            air.co2_ppm,
            outdoors.air.air_temp_c,
            outdoors.air.humidity_pct,
            comfort.decision,
            comfort.expected_vote,
            neutral_c,
        )
        found = self._before[zone] = window_advice(now, self._before.get(zone))
        return found


@lru_cache(maxsize=64)
def _neutral_c(humidity_pct: float, clo: float, met: float, air_speed_m_s: float) -> float:
    """Where PMV is 0, °C: four times a second the same question, and a millisecond each."""
    from comfywear.comfort import neutral_temperature_c

    return neutral_temperature_c(humidity_pct, clo, met, air_speed_m_s)


def _comes_in(azimuth_deg: float, window_azimuth_deg: float | None) -> bool:
    """Whether the sun shines onto a window that faces there (None: onto one of several)."""
    if window_azimuth_deg is None:
        return True
    beside = abs((azimuth_deg - window_azimuth_deg + 180.0) % 360.0 - 180.0)
    return beside < 90.0


def _to(value: float, step: float) -> float:
    return round(value / step) * step
