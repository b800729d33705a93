"""What is said of the people in a zone: what they wear, how warm their skin is by the model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.publishing.messages.fields import (
    NOT_A_NUMBER,
    Message,
    Probability,
    Reason,
    Stamp,
    Zone,
    described,
    finite,
    mean_of,
    round_to,
    share_of,
    stamped,
)
from comfywear.records import (
    Clothing,
    ColourShare,
    Garment,
    Person,
    SkinTemperature,
)

PersonView = tuple[Person, Clothing | None, SkinTemperature | None]


class ColourItem(msgspec.Struct, frozen=True, kw_only=True):
    """A colour of a garment."""

    name: Annotated[str, Meta(description="Basic colour term.")]
    share: Probability
    rgb: Annotated[str, Meta(description="sRGB.", pattern="^#[0-9a-f]{6}$")]


class GarmentItem(msgspec.Struct, frozen=True, kw_only=True):
    """A garment with its colours, heaviest first."""

    kind: str
    probability: Probability
    colours: list[ColourItem] = []
    alternatives: Annotated[dict[str, float], Meta(description="Other kinds that it may be.")] = {}


class ClothingItem(msgspec.Struct, frozen=True, kw_only=True):
    """Insulation of what is worn."""

    clo: Annotated[float | None, described("Insulation of the ensemble.", "clo")]
    clo_sd: Annotated[float | None, described("Its standard deviation.", "clo")]
    assumed: Annotated[list[str], Meta(description="Garments not seen but counted.")] = []


class SkinItem(msgspec.Struct, frozen=True, kw_only=True):
    """Modelled mean skin temperature: never a measurement."""

    skin_temp_c: Annotated[float | None, described("Modelled mean skin temperature.", "°C")]
    neutral_low_c: Annotated[float | None, described("Lower end of the neutral zone of this activity.", "°C")] = None
    neutral_high_c: Annotated[float | None, described("Upper end of the neutral zone of this activity.", "°C")] = None
    skin_wettedness: Annotated[float | None, Meta(description="0…1.")] = None
    model: str
    reason: Reason = None
    activity_k: Annotated[
        float | None, described("Its change by one standard deviation of the activity; null where not known.", "K")
    ] = None


class PersonItem(msgspec.Struct, frozen=True, kw_only=True):
    """A person: a number that lasts while they are in the picture, and what they wear."""

    id: Annotated[int, Meta(description="Track number; not an identity, new after a few minutes' absence.")]
    score: Probability
    seen_s: Annotated[float | None, described("How long they have been there.", "s")]
    garments: list[GarmentItem]
    clothing: ClothingItem | None = None
    skin: SkinItem | None = None


class PeopleMessage(Message, frozen=True, kw_only=True):
    """Who is in a zone, by clothing alone (retained)."""

    schema: Literal["comfywear/v1/people"] = "comfywear/v1/people"
    zone: Zone
    state: Annotated[Literal["seen", "missing"], Meta(description='"missing": the camera gives no picture.')]
    count: Annotated[int | None, Meta(description="Persons in the zone; null when the camera is missing.")]
    persons: list[PersonItem]
    mean_clo: Annotated[float | None, described("Mean insulation of their clothing; null without persons.", "clo")] = (
        None
    )
    mean_skin_temp_c: Annotated[
        float | None, described("Mean of their modelled mean skin temperatures; null without any.", "°C")
    ] = None
    present: Annotated[
        int | None, Meta(description="Persons in the zone without the flicker of single frames; null when not known.")
    ] = None
    shed: Annotated[list[str], Meta(description="What is put off to hold the processor's budget, in sentences.")] = (
        msgspec.field(default_factory=list)
    )
    grey: Annotated[
        bool, Meta(description="True while the picture has no colours (infrared light): garments' are not known.")
    ] = False
    reason: Reason = None


def people_message(
    zone: str,
    persons: Sequence[PersonView],
    stamp: Stamp,
    *,
    missing_reason: str | None = None,
    present: int | None = None,
    shed: Sequence[str] = (),
    grey: bool = False,
) -> PeopleMessage:
    """Who is in `zone`; `missing_reason` says why there is no picture, when there is none.

    `present` is the debounced count, `shed` what is put off to hold the processor's budget; with `grey` the picture has
    no colours.
    """
    missing = missing_reason is not None
    clo = [clothing.clo for _, clothing, _ in persons if clothing is not None]
    skin = [found.skin_temp_c for _, _, found in persons if found is not None and found.skin_temp_c is not None]
    return PeopleMessage(
        **stamped(stamp),
        zone=zone,
        state="missing" if missing else "seen",
        count=None if missing else len(persons),
        persons=[] if missing else [_person(*view) for view in persons],
        mean_clo=None if missing else mean_of(clo),
        mean_skin_temp_c=None if missing else mean_of(skin),
        present=None if missing else present,
        shed=[] if missing else list(shed),
        grey=grey and not missing,
        reason=missing_reason,
    )


def _person(person: Person, clothing: Clothing | None, skin: SkinTemperature | None) -> PersonItem:
    return PersonItem(
        id=int(person.track_id),
        score=share_of(person.score),
        seen_s=round_to(person.seen_s, 1),
        garments=[_garment(garment) for garment in person.garments],
        clothing=clothing_item(clothing) if clothing else None,
        skin=_skin(skin) if skin else None,
    )


def _garment(garment: Garment) -> GarmentItem:
    return GarmentItem(
        kind=garment.kind,
        probability=share_of(garment.probability),
        colours=[_colour(colour) for colour in garment.colours],
        alternatives=finite(garment.alternatives, 3),
    )


@lru_cache(maxsize=256)  # a garment keeps its colours for hundreds of frames
def _colour(colour: ColourShare) -> ColourItem:
    red, green, blue = (int(value) for value in colour.rgb)
    return ColourItem(name=colour.name, share=share_of(colour.share), rgb=f"#{red:02x}{green:02x}{blue:02x}")


def clothing_item(clothing: Clothing) -> ClothingItem:
    """Insulation of what is worn, as messages say it."""
    assumed = [name for name, _, how in clothing.items if how == "assumed"]
    return ClothingItem(clo=round_to(clothing.clo, 2), clo_sd=round_to(clothing.clo_sd, 2), assumed=assumed)


def _skin(skin: SkinTemperature) -> SkinItem:
    low, high = skin.zone_c or (None, None)
    temperature = round_to(skin.skin_temp_c, 2)
    lost = temperature is None and skin.skin_temp_c is not None
    return SkinItem(
        skin_temp_c=temperature,
        neutral_low_c=round_to(low, 2),
        neutral_high_c=round_to(high, 2),
        skin_wettedness=round_to(skin.skin_wettedness, 3),
        model=skin.model,
        reason=skin.reason or (NOT_A_NUMBER if lost else None),
        activity_k=round_to(skin.activity_k, 2),
    )
