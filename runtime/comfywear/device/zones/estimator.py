"""From the air and the people of a zone to what goes out about it: the comfort room's models, put together. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from comfywear.comfort import ComfyWear, Site, Sunshine, ThermalWear, absorptance_of, clothing_of, set_tmp
from comfywear.comfort.clothing.ensemble import TYPICAL_INDOOR
from comfywear.comfort.votes.levels import Taught
from comfywear.records import (
    Climate,
    Clothing,
    ColourShare,
    Garment,
    Person,
    PersonEstimate,
    Preferred,
    ZoneActivity,
    ZoneEstimate,
)
from comfywear.settings import ComfortSettings

AGAIN_S, KEPT_S = 1.0, 60.0
_GARMENT_STEP = 0.05


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of a zone's moment beside its air, its people and its place; None: nothing.

    Attributes:
        sun: Sunshine on the people.
        activity: What they do; None: as `comfort.met` says.
    """

    sun: Sunshine | None = None
    activity: ZoneActivity | None = None


_NOTHING_ELSE = Around()


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
        known: Mapping[int, PersonEstimate] | None = None,
        around: Around = _NOTHING_ELSE,
    ) -> ZoneEstimate:
        """The estimate for the persons of one zone in its air.

        Args:
            climate: The air.
            persons: Who is seen there.
            site: What is known of the place.
            taught: What votes taught about the zone.
            known: By track number, estimates of persons in this air that still hold.
            around: What else is known.
        """
        held = known or {}
        people = tuple(
            replace(held[person.track_id], person=person)
            if person.track_id in held
            else self._person(climate, person, around)
            for person in persons
        )
        activity = self._activity(around)
        felt, sunshine = _in_the_sun(climate, persons, around.sun)
        clothing = mean_clothing([each.clothing for each in people])
        comfort = self._comfywear.estimate(
            climate.air_temp_c,
            climate.humidity_pct,
            clothing,
            met=activity.met,
            met_sd=activity.met_sd or 0.0,
            air_speed_m_s=self._air_speed(climate),
            radiant_temp_c=felt.radiant_temp_c,
            site=site,
            taught=taught,
        )
        comfort = replace(comfort, set_c=self._set_c(felt, clothing, activity.met))
        comfort = replace(comfort, assumptions=(*comfort.assumptions, *sunshine, *activity.assumptions))
        return ZoneEstimate(climate, people, clothing, comfort, activity=activity)

    def liked(self, estimate: ZoneEstimate, taught: Taught | None) -> Preferred:
        """What the zone of an estimate likes, with what votes taught about it."""
        from comfywear.comfort.setpoint import preferred_temperature

        return preferred_temperature(self._comfywear, estimate.comfort.inputs, taught)

    def models(self) -> dict[str, str]:
        """The ids of the models by role."""
        return {
            "thermalwear": self._thermalwear.model,
            "comfywear": self._comfywear.estimate(None, None, TYPICAL_INDOOR).model,
        }

    def _person(self, climate: Climate, person: Person, around: Around) -> PersonEstimate:
        clothing, activity = clothing_of(person), self._activity(around)
        skin = self._thermalwear.estimate(
            climate.air_temp_c,
            climate.humidity_pct,
            clothing,
            met=activity.met,
            met_sd=activity.met_sd,
            air_speed_m_s=self._air_speed(climate),
            radiant_temp_c=climate.radiant_temp_c,
            colours=_colours(person),
            solar=around.sun,
        )
        return PersonEstimate(person, clothing, skin)

    def _activity(self, around: Around) -> ZoneActivity:
        return around.activity or ZoneActivity(self._settings.met, None, "settings")

    def _set_c(self, climate: Climate, clothing: Clothing, met: float) -> float | None:
        """The standard effective temperature; None without air or outside its range."""
        if climate.air_temp_c is None or climate.humidity_pct is None:
            return None
        radiant_c = climate.air_temp_c if climate.radiant_temp_c is None else climate.radiant_temp_c
        speed = self._air_speed(climate)
        found: float = set_tmp(climate.air_temp_c, radiant_c, speed, climate.humidity_pct, met, clothing.clo)
        return found if math.isfinite(found) else None

    def _air_speed(self, climate: Climate) -> float:
        measured = climate.air_speed_m_s
        return self._settings.air_speed_m_s if measured is None else measured


class Newest:
    """The newest estimate of each zone, made again when its reason changed, or after `AGAIN_S` when an input did.

    A body answers the air within minutes and clothes seldom change, so that an estimate a frame would only cost: a
    reason is somebody who comes or goes, a new look at one, air that appears or goes, a vote that taught something.
    Inputs count as changed when they differ by a tenth of a kelvin, a per cent of humidity, or .05 of a garment's
    probability; of the persons only those who changed are estimated again. After `KEPT_S` everything is.
    """

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator
        self._made: dict[str, _Made] = {}

    def zone(
        self,
        name: str,
        now_s: float,
        climate: Climate,
        persons: Sequence[Person],
        *,
        site: Site | None = None,
        taught: Taught | None = None,
        around: Around = _NOTHING_ELSE,
    ) -> ZoneEstimate:
        """As `Estimator.zone`, for the zone called `name` at `now_s` (monotonic); persons and air are always these."""
        seen = tuple((person.track_id, person.looks) for person in persons)
        reason = (seen, climate.state, climate.air_temp_c is None, climate.humidity_pct is None, around)
        made = self._made.get(name)
        same = made is not None and made.reason == reason and made.site == site and made.taught is taught
        if made is not None and same and 0.0 <= now_s - made.at_s < AGAIN_S:
            return _with(made.estimate, climate, persons)
        known: dict[int, PersonEstimate] = {}
        holds = made is not None and made.around == around and _alike(made.air, climate)
        holds = holds and made is not None and 0.0 <= now_s - made.at_s < KEPT_S
        if made is not None and holds:
            before = {each.person.track_id: each for each in made.estimate.people}
            worn = {person.track_id: person for person in made.worn}
            known = {
                person.track_id: before[person.track_id]
                for person in persons
                if person.track_id in worn and _dressed_alike(worn[person.track_id], person)
            }
        if made is not None and same and holds and len(known) == len(persons):
            return _with(made.estimate, climate, persons)
        estimate = self._estimator.zone(climate, persons, site=site, taught=taught, known=known, around=around)
        if made is None or not known:
            self._made[name] = _Made(now_s, reason, site, taught, around, climate, tuple(persons), estimate)
        else:  # whoever was not estimated again keeps the age, the air and the clothes of then
            of_then = tuple(worn[person.track_id] if person.track_id in known else person for person in persons)
            self._made[name] = _Made(made.at_s, reason, site, taught, around, made.air, of_then, estimate)
        return estimate


@dataclass(frozen=True, slots=True)
class _Made:
    """An estimate, when all of it was last made, and from which air and persons."""

    at_s: float
    reason: tuple[object, ...]
    site: Site | None
    taught: Taught | None
    around: Around
    air: Climate
    worn: tuple[Person, ...]
    estimate: ZoneEstimate


def _colours(person: Person) -> list[ColourShare]:
    return [colour for garment in person.garments for colour in garment.colours]


def _in_the_sun(climate: Climate, persons: Sequence[Person], sun: Sunshine | None) -> tuple[Climate, tuple[str, ...]]:
    """The air with the radiant temperature that people in the sun feel, and the sentence that says so."""
    if sun is None or climate.air_temp_c is None:
        return climate, ()
    absorptance = absorptance_of(colour for person in persons for colour in _colours(person)).value
    warmer_k = sun.delta_mrt(absorptance)
    walls_c = climate.air_temp_c if climate.radiant_temp_c is None else climate.radiant_temp_c
    measured = "" if climate.radiant_temp_c is not None else ", on walls as warm as the air"
    said = f"the sun adds {warmer_k:.1f} K to the mean radiant temperature (absorptance {absorptance:.2f}){measured}"
    return replace(climate, radiant_temp_c=walls_c + warmer_k), (said,)


def _with(made: ZoneEstimate, climate: Climate, persons: Sequence[Person]) -> ZoneEstimate:
    """The same estimate with the air and the persons of now."""
    pairs = zip(persons, made.people, strict=True)
    people = tuple(PersonEstimate(person, each.clothing, each.skin) for person, each in pairs)
    return replace(made, climate=climate, people=people)


def _alike(air: Climate, now: Climate) -> bool:
    """Whether two states of the air differ by less than what matters."""
    pairs = (
        (air.air_temp_c, now.air_temp_c, 0.1),
        (air.humidity_pct, now.humidity_pct, 1.0),
        (air.radiant_temp_c, now.radiant_temp_c, 0.1),
        (air.air_speed_m_s, now.air_speed_m_s, 0.05),
    )
    return all(then == new if then is None or new is None else abs(then - new) < least for then, new, least in pairs)


def _dressed_alike(then: Person, now: Person) -> bool:
    """Whether nothing changed that matters of what somebody wears; attributes change with a look alone."""
    if then.looks != now.looks or len(then.garments) != len(now.garments):
        return False
    before = {garment.kind: garment for garment in then.garments}
    return all(garment.kind in before and _same_garment(before[garment.kind], garment) for garment in now.garments)


def _same_garment(then: Garment, now: Garment) -> bool:
    if abs(then.probability - now.probability) >= _GARMENT_STEP or then.alternatives.keys() != now.alternatives.keys():
        return False
    if any(abs(share - now.alternatives[kind]) >= _GARMENT_STEP for kind, share in then.alternatives.items()):
        return False
    return [colour.name for colour in then.colours] == [colour.name for colour in now.colours]


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
