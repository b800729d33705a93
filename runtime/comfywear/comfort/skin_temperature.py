"""ThermalWear: what clothing does to the body in this air, as a modelled mean skin temperature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from comfywear.comfort.assumed import AIR_SPEED_M_S, MET, assumed
from comfywear.comfort.clothing.absorptance import ABSORPTANCE, absorptance_of
from comfywear.comfort.clothing.ensemble import as_clothing
from comfywear.comfort.standards.air import dynamic_clo
from comfywear.comfort.standards.solar import Posture, solar_gain
from comfywear.comfort.standards.twonode import Position, skin_temperature, two_node
from comfywear.records import Clothing, ColourShare, SkinTemperature
from comfywear.texts import Text

__all__ = ["Sunshine", "ThermalWear", "comfort_zone"]

# What the two-node model was made for: steady, moderate surroundings (ASHRAE 55-2020, appendix D).
_RANGES = (
    ("air temperature", "°C", 5.0, 45.0),
    ("mean radiant temperature", "°C", 5.0, 60.0),
    ("air speed", "m/s", 0.0, 3.0),
    ("humidity", "%", 0.0, 100.0),
    ("activity", "met", 0.8, 4.0),
    ("clothing", "clo", 0.0, 4.0),
)


@dataclass(frozen=True, slots=True)
class Sunshine:
    """Sunshine that reaches the person, as SolarCal takes it (ASHRAE 55 appendix C).

    Attributes:
        direct_w_m2: Direct-beam radiation outside, W/m².
        altitude_deg: Altitude of the sun, 0…90°.
        angle_deg: Between the sun and the front of the person, 0…180°.
        transmittance: Of window and blind together, 0…1.
        sky_view: Share of the sky that the person sees, 0…1.
        body_exposed: Share of the body that the sun reaches, 0…1.
        posture: "sitting", "standing" or "supine".
        diffuse_w_m2: Diffuse radiation on the horizontal outside, W/m²; None: a fifth of the beam (a clear sky).
    """

    direct_w_m2: float
    altitude_deg: float = 45.0
    angle_deg: float = 90.0
    transmittance: float = 0.6
    sky_view: float = 0.2
    body_exposed: float = 0.5
    posture: Posture = "sitting"
    diffuse_w_m2: float | None = None

    def delta_mrt(self, absorptance: float) -> float:
        """By how many K it raises the mean radiant temperature of somebody of this absorptance; NaN: not possible."""
        gain = solar_gain(
            self.altitude_deg, self.angle_deg, self.direct_w_m2, self.transmittance, self.sky_view, self.body_exposed,
            absorptance, self.posture, sol_radiation_diffuse=self.diffuse_w_m2,
        )  # fmt: skip
        return float(gain.delta_mrt)


class ThermalWear:
    """Modelled mean skin temperature from clothing, colour, air and, where they are known, sun, air speed, activity."""

    model = "gagge-two-node-1986"

    def estimate(
        self,
        air_temp_c: float | None,
        humidity_pct: float | None,
        clothing: Clothing | float,
        *,
        colours: Iterable[ColourShare] = (),
        met: float | None = None,
        met_sd: float | None = None,
        air_speed_m_s: float | None = None,
        radiant_temp_c: float | None = None,
        solar: Sunshine | None = None,
        position: Position = "sitting",
    ) -> SkinTemperature:
        """The state of the body after an hour in these surroundings.

        Args:
            air_temp_c: °C; None gives a record without a value and the reason.
            humidity_pct: Relative humidity, %; None likewise.
            clothing: From `clothing_of` or `clothing_of_names`, or a number of clo.
            colours: Of the clothing, for its absorptance; they matter only with `solar`.
            met: Activity, met; None assumes 1.1 (seated, light office work).
            met_sd: Standard deviation of the activity, met; None where it is not known.
            air_speed_m_s: None assumes 0.1 (still air).
            radiant_temp_c: Mean radiant temperature, °C; None assumes the air's.
            solar: Sunshine on the person; None means none.
            position: "sitting" or "standing"; it sets the share of the body that radiates.
        """
        clothing = as_clothing(clothing)
        given = {"met": met, "air_speed_m_s": air_speed_m_s, "radiant_temp_c": radiant_temp_c}
        known = {name: float(value) for name, value in given.items() if value is not None}
        assumptions = [*clothing.assumptions, *assumed(known)]
        activity, speed = known.get("met", MET), known.get("air_speed_m_s", AIR_SPEED_M_S)
        if air_temp_c is None or humidity_pct is None:
            missing = Text("no air temperature") if air_temp_c is None else Text("no humidity")
            return self._nothing(missing, assumptions)
        tdb, rh = float(air_temp_c), float(humidity_pct)
        tr = known.get("radiant_temp_c", tdb)
        for value, (name, unit, low, high) in zip((tdb, tr, speed, rh, activity, clothing.clo), _RANGES, strict=True):
            if not (isfinite(value) and low <= value <= high):
                return self._nothing(
                    Text(
                        "{name} {value} {unit} is outside the model ({low}…{high} {unit})",
                        name=name,
                        value=f"{value:g}",
                        unit=unit,
                        low=f"{low:g}",
                        high=f"{high:g}",
                    ),
                    assumptions,
                )
        clo = dynamic_clo(clothing.clo, activity)
        absorptance = absorptance_of(colours)
        warmer = 0.0
        if solar is None:
            assumptions.append("no sunshine was given, so that the colour of the clothing has no effect")
        else:
            warmer = solar.delta_mrt(absorptance.value)
            if not isfinite(warmer):
                return self._nothing(Text("the sunshine is not possible: see the ranges of Sunshine"), assumptions)
            if tr + warmer > 80.0:
                return self._nothing(
                    Text("the sunshine adds {warmer} K: more than the model holds for", warmer=f"{warmer:.0f}"),
                    assumptions,
                )
            assumptions.append(
                f"shortwave absorptance {absorptance.value:.2f} ({absorptance.low:.2f}…{absorptance.high:.2f})"
            )
        base = two_node(tdb, tr + warmer, speed, rh, activity, clo, position=position)
        skin = base.t_skin
        sensitivities = _sensitivities(
            skin, (tdb, tr + warmer, speed, rh, activity, clo), position, radiant_temp_c is None
        )
        sensitivities["colour white to black"] = 0.0
        if solar is not None:
            white, black = (
                skin_temperature(tdb, tr + solar.delta_mrt(ABSORPTANCE[name].value), speed, rh, activity, clo, position)
                for name in ("white", "black")
            )
            sensitivities["colour white to black"] = black - white
            sensitivities["sunshine"] = skin - skin_temperature(tdb, tr, speed, rh, activity, clo, position)
        busier = skin
        if met_sd:
            active = min(activity + met_sd, _RANGES[4][3])
            busier = skin_temperature(tdb, tr + warmer, speed, rh, active, dynamic_clo(clothing.clo, active), position)
        if not isfinite(skin):
            return self._nothing(Text("the model has no answer for these numbers"), assumptions)
        return SkinTemperature(
            skin_temp_c=skin,
            core_temp_c=base.t_core,
            skin_wettedness=base.w,
            zone_c=comfort_zone(activity),
            sensitivities=sensitivities,
            model=self.model,
            assumptions=tuple(assumptions),
            activity_k=None if met_sd is None else abs(busier - skin),
        )

    def _nothing(self, reason: str, assumptions: list[str]) -> SkinTemperature:
        return SkinTemperature(None, None, None, None, {}, self.model, tuple(assumptions), reason)


def comfort_zone(met: float) -> tuple[float, float]:
    """Mean skin temperatures (low, high) in °C at which people of this activity feel neutral.

    Fanger's comfort skin temperature 35.7 − 0.0275 (M − W), W/m² (Fanger 1970; ISO 7730), give or take 0.5 K.
    """
    middle = 35.7 - 0.0275 * 58.15 * met
    return middle - 0.5, middle + 0.5


def _sensitivities(
    skin: float, inputs: tuple[float, float, float, float, float, float], position: Position, walls_follow: bool
) -> dict[str, float]:
    """Change of the skin temperature in K by a step of every input; the walls follow the air where nobody measured."""
    tdb, tr, v, rh, met, clo = inputs
    humid = 10.0 if rh <= 90.0 else -10.0  # near saturation the step is taken downwards and turned around
    return {
        "air_temp +1 K": skin_temperature(tdb + 1.0, tr + walls_follow, v, rh, met, clo, position) - skin,
        "humidity +10 %": (skin_temperature(tdb, tr, v, rh + humid, met, clo, position) - skin) * humid / 10.0,
        "clothing +0.1 clo": skin_temperature(tdb, tr, v, rh, met, clo + 0.1, position) - skin,
        "air_speed +0.1 m/s": skin_temperature(tdb, tr, v + 0.1, rh, met, clo, position) - skin,
    }
