"""From the air and the people of a zone to what goes out about it: the comfort room's models, put together. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from comfywear.comfort import ComfyWear, Site, ThermalWear, clothing_of
from comfywear.comfort.clothing import TYPICAL_INDOOR
from comfywear.comfort.levels import Taught
from comfywear.records import Climate, Clothing, Comfort, Person, SkinTemperature
from comfywear.settings import ComfortSettings

AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class PersonEstimate:
    """A person with the insulation of what they wear and their modelled skin temperature."""

    person: Person
    clothing: Clothing
    skin: SkinTemperature | None


@dataclass(frozen=True, slots=True)
class ZoneEstimate:
    """All that is known of a zone at one moment; `comfort` carries its own reason where there is none."""

    climate: Climate
    people: tuple[PersonEstimate, ...]
    clothing: Clothing
    comfort: Comfort


class Estimator:
    """The models with the settings of one device."""

    def __init__(self, settings: ComfortSettings) -> None:
        self._settings = settings
        self._thermalwear = ThermalWear()
        self._comfywear = ComfyWear()

    def zone(
        self,
        climate: Climate,
        persons: Sequence[Person],
        *,
        site: Site | None = None,
        taught: Taught | None = None,
    ) -> ZoneEstimate:
        """The estimate for the persons of one zone in its air.

        Args:
            climate: The air.
            persons: Who is seen there.
            site: What is known of the place.
            taught: What votes taught about the zone.
        """
        people = tuple(self._person(climate, person) for person in persons)
        clothing = mean_clothing([each.clothing for each in people])
        comfort = self._comfywear.estimate(
            climate.air_temp_c,
            climate.humidity_pct,
            clothing,
            met=self._settings.met,
            air_speed_m_s=self._air_speed(climate),
            radiant_temp_c=climate.radiant_temp_c,
            site=site,
            taught=taught,
        )
        return ZoneEstimate(climate, people, clothing, comfort)

    def models(self) -> dict[str, str]:
        """The ids of the models by role."""
        return {
            "thermalwear": self._thermalwear.model,
            "comfywear": self._comfywear.estimate(None, None, TYPICAL_INDOOR).model,
        }

    def _person(self, climate: Climate, person: Person) -> PersonEstimate:
        clothing = clothing_of(person)
        skin = self._thermalwear.estimate(
            climate.air_temp_c,
            climate.humidity_pct,
            clothing,
            met=self._settings.met,
            air_speed_m_s=self._air_speed(climate),
            radiant_temp_c=climate.radiant_temp_c,
            colours=[colour for garment in person.garments for colour in garment.colours],
        )
        return PersonEstimate(person, clothing, skin)

    def _air_speed(self, climate: Climate) -> float:
        measured = climate.air_speed_m_s
        return self._settings.air_speed_m_s if measured is None else measured


class Newest:
    """The newest estimate of each zone, made again when it is `AGAIN_S` old or its reason changed.

    A body answers the air within minutes and clothes seldom change, so that an estimate a frame would only cost: a
    reason is somebody who comes or goes, a new look at one, air that appears or goes, a vote that taught something.
    """

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator
        self._made: dict[str, tuple[float, tuple[object, ...], Site | None, Taught | None, ZoneEstimate]] = {}

    def zone(
        self,
        name: str,
        now_s: float,
        climate: Climate,
        persons: Sequence[Person],
        *,
        site: Site | None = None,
        taught: Taught | None = None,
    ) -> ZoneEstimate:
        """As `Estimator.zone`, for the zone called `name` at `now_s` (monotonic); persons and air are always these."""
        seen = tuple((person.track_id, person.looks) for person in persons)
        reason = (seen, climate.state, climate.air_temp_c is None, climate.humidity_pct is None)
        made_s, before, place, lesson, made = self._made.get(name, (-math.inf, (), None, None, None))
        if made and 0.0 <= now_s - made_s < AGAIN_S and before == reason and place == site and lesson is taught:
            pairs = zip(persons, made.people, strict=True)
            people = tuple(PersonEstimate(person, each.clothing, each.skin) for person, each in pairs)
            return replace(made, climate=climate, people=people)
        made = self._estimator.zone(climate, persons, site=site, taught=taught)
        self._made[name] = (now_s, reason, site, taught, made)
        return made


def mean_clothing(worn: Sequence[Clothing]) -> Clothing:
    """The clothing of a zone: the mean of its persons', or typical indoor clothing where nobody is seen.

    Its deviation holds both the error of that mean and how the persons differ.
    """
    if not worn:
        return TYPICAL_INDOOR
    if len(worn) == 1:
        return worn[0]
    mean = sum(each.clo for each in worn) / len(worn)
    error = math.sqrt(sum(each.clo_sd**2 for each in worn)) / len(worn)
    spread = math.sqrt(sum((each.clo - mean) ** 2 for each in worn) / len(worn))
    return Clothing(mean, math.hypot(error, spread), assumptions=(f"the mean of {len(worn)} persons' clothing",))
