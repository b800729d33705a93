"""The demo's table, made from nothing but the messages that the consumer received."""

from __future__ import annotations

from comfywear.publishing.messages.people import PeopleMessage, PersonItem
from comfywear.publishing.messages.readable import bars, sensation
from comfywear.publishing.messages.vote import VoteMessage
from comfywear.publishing.messages.zone import ClimateMessage, ComfortMessage


def table(
    climate: ClimateMessage, people: PeopleMessage, comfort: ComfortMessage, vote: VoteMessage | None
) -> list[str]:
    """Lines of at most 80 characters: air, persons with garments and colours, comfort, vote."""
    rows: list[tuple[str, str]] = [("AIR", _air(climate))]
    for person in people.persons:
        rows += _person(person)
    rows += _comfort(comfort)
    if vote is not None:
        rows.append(("VOTE", f"{vote.level} of 5 ({vote.words})"))
    return [f"{head:<11}{text}" for head, text in rows]


def _air(climate: ClimateMessage) -> str:
    if climate.air_temp_c is None:
        return f"not known: {climate.reason}"
    humidity = "humidity not known" if climate.humidity_pct is None else f"{climate.humidity_pct:.0f} % humidity"
    return f"{climate.air_temp_c:.1f} °C, {humidity}" + (" (replayed recording)" if climate.simulated else "")


def _person(person: PersonItem) -> list[tuple[str, str]]:
    facts = []
    if person.clothing is not None and person.clothing.clo is not None:
        facts.append(f"{person.clothing.clo:.2f} ± {person.clothing.clo_sd or 0:.2f} clo")
    if person.skin is not None and person.skin.skin_temp_c is not None:
        facts.append(f"skin {person.skin.skin_temp_c:.1f} °C (modelled)")
    rows = [(f"PERSON {person.id}", ", ".join(facts) or "clothing not known")]
    for garment in person.garments:
        colours = ", ".join(f"{colour.name} {100 * (colour.share or 0):.0f} %" for colour in garment.colours[:3])
        rows.append(
            ("", f"{garment.kind:<9} {100 * (garment.probability or 0):3.0f} %   {colours or 'colour not seen'}")
        )
    return rows


def _comfort(comfort: ComfortMessage) -> list[tuple[str, str]]:
    if comfort.expected_vote is None:
        return [("COMFORT", f"not known: {comfort.reason}")]
    rows = [
        (
            "COMFORT",
            f"feels {sensation(comfort.expected_vote)} ({comfort.expected_vote:+.2f}), level {comfort.level} of 5",
        )
    ]
    rows.append(("", f"cold {bars(comfort.probabilities)} hot, most want: {comfort.decision}"))
    if comfort.pmv is not None and comfort.ppd_pct is not None:
        rows.append(("", f"PMV {comfort.pmv:+.2f}, {comfort.ppd_pct:.0f} % dissatisfied (ISO 7730)"))
    if comfort.advice:
        rows.append(("ADVICE", comfort.advice[0]))
    return rows
