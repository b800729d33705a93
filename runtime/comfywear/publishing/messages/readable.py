"""Messages as people read them: one short block each. Pure; what came from outside is cleaned before it is shown."""

from __future__ import annotations

from collections.abc import Sequence

from comfywear.errors import UsageError
from comfywear.publishing.messages.answer import GoneMessage, ReplyMessage
from comfywear.publishing.messages.deletion import DeletionMessage
from comfywear.publishing.messages.device import (
    CameraMessage,
    HealthMessage,
    MetaMessage,
    MetricsMessage,
    PrivacyMessage,
    StatusMessage,
)
from comfywear.publishing.messages.fields import Message
from comfywear.publishing.messages.kinds import read_message
from comfywear.publishing.messages.line import CrossingMessage, LineMessage
from comfywear.publishing.messages.people import ClothingItem, ColourItem, GarmentItem, PeopleMessage, PersonItem
from comfywear.publishing.messages.setpoint import SetpointMessage
from comfywear.publishing.messages.topics import BACKLOG
from comfywear.publishing.messages.updates import ModelUpdate, ProgramUpdate, UpdatesMessage
from comfywear.publishing.messages.vote import AskMessage, VoteMessage
from comfywear.publishing.messages.zone import ClimateMessage, ComfortMessage, OccupancyMessage, PresenceMessage

# The seven-point thermal sensation scale (ISO 7730, ASHRAE 55).
SENSATIONS = ("cold", "cool", "slightly cool", "neutral", "slightly warm", "warm", "hot")
_BARS = "▁▂▃▄▅▆▇█"
JPEG = b"\xff\xd8\xff"
"""How a picture begins."""
_NO_TIME = "--:--:--"
_INDENT = " " * (len(_NO_TIME) + 2)


def readable(topic: str, payload: bytes) -> str:
    """A block of one or more lines for a message as it came; what is not a comfywear message is said to be none."""
    if payload.startswith(JPEG):
        return clean(f"{topic}: a picture, {len(payload) / 1000:.0f} kB of JPEG")
    try:
        message = read_message(payload)
    except UsageError as error:
        return clean(f"{topic}: {error}")
    block = readable_message(message)
    return f"{block} (late)" if f"/{BACKLOG}/" in topic else block


def readable_message(message: Message) -> str:
    """A block of one or more lines: time, place, and what was said."""
    time = (message.ts or "")[11:19] or _NO_TIME
    first, *more = _body(message)
    return "\n".join([f"{time}  {clean(first)}", *(f"{_INDENT}{clean(line)}" for line in more)])


def bars(probabilities: Sequence[float]) -> str:
    """A character a probability, the highest of them full."""
    top = max(probabilities, default=0.0)
    if top <= 0:
        return ""
    return "".join(_BARS[round(max(0.0, value) / top * (len(_BARS) - 1))] for value in probabilities)


def sensation(vote: float) -> str:
    """The word of the thermal sensation scale that is nearest to a vote of −3…+3."""
    return SENSATIONS[min(max(round(vote), -3), 3) + 3]


def _body(message: Message) -> list[str]:
    if isinstance(message, ClimateMessage):
        return [f"{message.zone}: {_air(message)}"]
    if isinstance(message, PeopleMessage):
        return _people(message)
    if isinstance(message, ComfortMessage):
        return _comfort(message)
    if isinstance(message, SetpointMessage):
        return _setpoint(message)
    if isinstance(message, VoteMessage):
        return [vote_line(message)]
    if isinstance(message, StatusMessage):
        reason = f" ({message.reason})" if message.reason else ""
        return [f"{message.device}: {message.state}{reason}"]
    if isinstance(message, MetaMessage):
        models = ", ".join(model.id for model in message.models) or "no models"
        zones, sources = ", ".join(message.zones), ", ".join(source.uri for source in message.sources) or "no sources"
        return [f"{message.device}: comfywear {message.version}, zones {zones}", f"{sources}; {models}"]
    if isinstance(message, MetricsMessage):
        return [f"{message.device}: {_metrics(message)}"]
    if isinstance(message, UpdatesMessage):
        lines = [_update("program", message.program)] if message.program else []
        return [*lines, *(_update(each.name, each) for each in message.models)] or [f"{message.device}: no models"]
    if isinstance(message, CameraMessage):
        return [f"camera {message.camera}: {message.reason or message.state}", *(f"  {what}" for what in message.shed)]
    if isinstance(message, PrivacyMessage):
        return [f"camera {each.camera}: {each.reason or 'may look'}" for each in message.cameras] or ["no camera"]
    if isinstance(message, HealthMessage):
        lines = [
            f"  {each.name}{f' ({each.about})' if each.about else ''} for {each.age_s:.0f} s: {each.reason}"
            for each in message.troubles
        ]
        return [f"{message.device}: {'all is well' if message.state == 'good' else 'degraded'}", *lines]
    if isinstance(message, OccupancyMessage):
        since = f" since {message.since}" if message.since else ""
        count = f" by {message.count}" if message.count else ""
        return [f"{message.zone}: {message.state}{count}{since}{f' ({message.reason})' if message.reason else ''}"]
    if isinstance(message, PresenceMessage):
        return [f"{message.zone}: person {message.id} {message.kind}, {message.count} there"]
    if isinstance(message, CrossingMessage):
        return [
            f"line {message.line}: person {message.id} {message.kind}; today {message.entered} in, {message.left} out"
        ]
    if isinstance(message, LineMessage):
        day = f" on {message.day}" if message.day else ""
        return [f"line {message.line}: {message.entered} in, {message.left} out{day}"]
    if isinstance(message, AskMessage):
        return [f"{message.zone}: {message.question or 'no question'}"]
    if isinstance(message, DeletionMessage):
        return [f"{message.device}: deleted, so delete your copies: {', '.join(message.votes)}"]
    if isinstance(message, GoneMessage):
        ranges = ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in message.ranges)
        return [f"{message.device}: gone for {message.consumer}: {ranges or 'nothing'}"]
    if isinstance(message, ReplyMessage):
        said = message.error or ", ".join(f"{name} {value}" for name, value in message.result.items()) or "done"
        return [f"{message.device}: {message.command}: {'' if message.ok else 'refused: '}{said}"]
    return [f"{message.device}: {type(message).__name__}"]


def _update(name: str, found: ProgramUpdate | ModelUpdate) -> str:
    newer = f", {found.available} is there" if found.available != found.installed else ""
    percent = f" {found.percent} %" if found.percent is not None else ""
    return f"{name} {found.installed}{newer}{f', {found.phase}{percent}' if found.phase != 'idle' else ''}"


def _air(message: ClimateMessage) -> str:
    if message.air_temp_c is None and message.humidity_pct is None:
        return f"no air values, {message.state} ({message.reason or 'no reason given'})"
    parts = [_number(message.air_temp_c, "°C", 1), _number(message.humidity_pct, "%", 0)]
    if message.radiant_temp_c is not None:
        parts.append(f"radiant {_number(message.radiant_temp_c, '°C', 1)}")
    if message.co2_ppm is not None:
        parts.append(_number(message.co2_ppm, "ppm CO₂", 0))
    return ", ".join(parts) + (" (simulated)" if message.simulated else "")


def _people(message: PeopleMessage) -> list[str]:
    if message.count is None:
        return [f"{message.zone}: no picture ({message.reason or 'no reason given'})"]
    count = "nobody" if message.count == 0 else "1 person" if message.count == 1 else f"{message.count} persons"
    return [f"{message.zone}: {count}", *(line for person in message.persons for line in _person(person))]


def _person(person: PersonItem) -> list[str]:
    facts = [f"person {person.id}"]
    if person.clothing is not None:
        facts.append(_clo(person.clothing))
    if person.skin is not None and person.skin.skin_temp_c is not None:
        facts.append(f"skin {person.skin.skin_temp_c:.1f} °C (modelled)")
    return [", ".join(facts), *(f"  {_garment(garment)}" for garment in person.garments)]


def _garment(garment: GarmentItem) -> str:
    colours = ", ".join(_colour(colour) for colour in garment.colours[:3])
    likely = "" if garment.probability is None else f" {100 * garment.probability:.0f} %"
    return f"{garment.kind}{likely}" + (f": {colours}" if colours else "")


def _colour(colour: ColourItem) -> str:
    return colour.name if colour.share is None else f"{colour.name} {100 * colour.share:.0f} %"


def _clo(clothing: ClothingItem) -> str:
    if clothing.clo is None:
        return "clothing not known"
    spread = f" ± {clothing.clo_sd:.2f}" if clothing.clo_sd is not None else ""
    return f"{clothing.clo:.2f}{spread} clo"


def _comfort(message: ComfortMessage) -> list[str]:
    if message.expected_vote is None:
        return [f"{message.zone}: no comfort value ({message.reason or 'no reason given'})"]
    parts = [f"feels {sensation(message.expected_vote)} ({message.expected_vote:+.1f})"]
    if message.level is not None:
        parts.append(f"comfort {message.level} of 5")
    if message.decision is not None:
        parts.append(f"wants {message.decision}")
    if message.ppd_pct is not None:
        parts.append(f"{message.ppd_pct:.0f} % dissatisfied")
    lines = [f"{message.zone}: {', '.join(parts)}"]
    if message.probabilities:
        lines.append(f"cold {bars(message.probabilities)} hot")
    return lines + list(message.advice[:1])


def _setpoint(message: SetpointMessage) -> list[str]:
    liked = f"not known what is liked ({message.reason or 'no reason given'})"
    if message.preferred_c is not None:
        liked = f"{message.preferred_c:.1f} °C would please most"
        low, high = message.low_80_c, message.high_80_c
        if low is not None and high is not None and low <= message.preferred_c <= high:
            liked += f", {low:.1f} to {high:.1f} °C is fine"
    if message.setpoint_c is not None:
        liked += f"; setpoint {message.setpoint_c:.1f} °C ({message.why})"
    return [f"{message.zone}: {liked}", *(f"  {each.topic}: {each.why}" for each in message.thermostats)]


def vote_line(vote: VoteMessage) -> str:
    """A vote with its moment, such as "desk: vote 4 (comfortable) with 23.4 °C, 45 %, 0.62 ± 0.10 clo"."""
    moment = []
    if vote.climate is not None and vote.climate.air_temp_c is not None:
        moment.append(_number(vote.climate.air_temp_c, "°C", 1))
    if vote.climate is not None and vote.climate.humidity_pct is not None:
        moment.append(_number(vote.climate.humidity_pct, "%", 0))
    if vote.clothing is not None and vote.clothing.clo is not None:
        moment.append(_clo(vote.clothing))
    undone = "taken back: " if vote.undone else ""
    return f"{vote.zone}: {undone}vote {vote.level} ({vote.words})" + (f" with {', '.join(moment)}" if moment else "")


def _metrics(message: MetricsMessage) -> str:
    known = [
        (message.frames_per_s, "frames a second", 1),
        (message.rss_mb, "MB", 0),
        (message.spool_rows, "messages waiting", 0),
        ((message.spool_dropped_telemetry or 0) + (message.spool_dropped_events or 0) or None, "dropped", 0),
    ]
    return ", ".join(_number(value, what, digits) for value, what, digits in known if value is not None) or "metrics"


def _number(value: float | None, unit: str, digits: int) -> str:
    return f"– {unit}" if value is None else f"{value:.{digits}f} {unit}"


def clean(text: str) -> str:
    """`text` on one line, without characters that could steer a terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)
