"""What others may ask of the device over MQTT: commands in, replies out, and Home Assistant's picture of it.

A command can never stop the device: whatever is wrong with it, or goes wrong in carrying it out, becomes the reply.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from comfywear import __version__
from comfywear.comfort import SCALE
from comfywear.comfort.votes.asking import Question
from comfywear.device.mqtt.homeassistant import Discovery
from comfywear.device.mqtt.retained import Retained, retained_of
from comfywear.device.sight.finds import CorrectionBook
from comfywear.device.sight.privacy import Privacy
from comfywear.device.upkeep.audit import CHANGES, detail_of
from comfywear.device.upkeep.model_updates import Done, ModelUpdates, Result
from comfywear.device.upkeep.program_updates import ProgramUpdates
from comfywear.device.zones.names import ZoneNames
from comfywear.errors import ComfyWearError, UsageError
from comfywear.feedback.buttons import Call
from comfywear.learning.questions import Questions
from comfywear.publishing import Aside, Message, Publisher, Stamp, ask_message, reply_message
from comfywear.publishing.broker.connection import Incoming
from comfywear.publishing.homeassistant.discovery import Facts, discovery
from comfywear.publishing.homeassistant.update_entities import told_models
from comfywear.publishing.homeassistant.zone_entities import OPTIONAL
from comfywear.publishing.messages.commands import (
    COMMANDS,
    AskNow,
    Command,
    FindsList,
    FindsMiss,
    FindsReject,
    FindsUndo,
    Identify,
    ModelsPull,
    ModelsRollback,
    ProgramUpgrade,
    Reload,
    Sender,
    SetPrivacy,
    SetZoneName,
    read_command,
    read_sender,
)
from comfywear.records import ZoneEstimate
from comfywear.settings import Settings
from comfywear.settings.views import cameras_of
from comfywear.system import board as machine
from comfywear.system.cadence import Cadence
from comfywear.system.loopback import is_loopback
from comfywear.system.rate_limit import Bucket
from comfywear.texts import Text, encode
from comfywear_sensors.redaction import redact

__all__ = ["COMMANDS", "METRICS_EVERY_S", "MqttCommands", "ask_of", "facts_of"]

_log = logging.getLogger(__name__)

# A reply that nobody fetched by then helps nobody.
REPLY_EXPIRES_S = 60
BURST, PER_S = 10, 1.0
METRICS_EVERY_S = 60.0
_LONGEST_ERROR = 500
_LOG_REFUSED_EVERY_S = 10.0


class MqttCommands:
    """Commands, names and questions of zones, and discovery, for one device.

    Attributes:
        names: The names to show of zones.
        questions: Which question each zone shows.
        carried_out: Commands done since the start.
        refused: Commands refused since the start.

    Args:
        settings: Of the device.
        folder: The state folder.
        publisher: Carries replies and discovery; `MqttCommands` listens on it.
        again: Sends every live state again.
        learnt: The question that the learning has for a zone, or None.
        reload: Reads the settings again; raises a ComfyWearError to refuse. None where there is no file to read.
        updates: Pulls models and rolls them back; None where that cannot be asked for.
        finds: Takes corrections of what the camera finds; None where that cannot be asked for.
        privacy: Switches the cameras' privacy; None where that cannot be asked for.
        note: Has what changed the device stand in its list: what, details, from where.
        program: Has the program upgraded; None where that cannot be asked for.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        publisher: Publisher,
        *,
        again: Callable[[], None],
        learnt: Callable[[str], Question | None] = lambda _: None,
        reload: Callable[[], None] | None = None,
        updates: ModelUpdates | None = None,
        finds: CorrectionBook | None = None,
        privacy: Privacy | None = None,
        note: Callable[[str, str, str], None] = lambda *_: None,
        program: ProgramUpdates | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        zones = [zone.name for zone in settings.zones]
        self.names = ZoneNames(folder, zones)
        self.questions = Questions(learnt, clock)
        self._identified_until_s = float("-inf")
        self.carried_out = self.refused = 0
        self._publisher = publisher
        self._reload = reload
        self._updates, self._finds, self._privacy, self._program = updates, finds, privacy, program
        self._note = note
        self._clock = clock
        self._bucket = Bucket(BURST, PER_S, clock)
        self._full_said = False
        self._refused_log = Cadence(_LOG_REFUSED_EVERY_S, _LOG_REFUSED_EVERY_S)

        house = settings.homeassistant
        facts = facts_of(
            settings, restarts=reload is not None, packaged=program is not None and program.state() is not None
        )
        self._measured: set[str] = set()
        self._models: tuple[str, ...] = ()

        def describe(told: Collection[str]) -> Mapping[str, dict[str, object]]:
            # What was once told stays while the zone is there: a sensor that is away does not take its entity along.
            shown = {zone: self.names.shown(zone) for zone in zones}
            now = replace(facts, models=self._models or told_models(told))
            return discovery(house.prefix, publisher.topics, shown, now, {*told, *self._measured})

        self._discovery = Discovery(
            publisher, folder, enabled=house.enabled, prefix=house.prefix, describe=describe, again=again
        )
        kept = retained_of(
            publisher.topics,
            zones,
            [camera.name for camera in settings.cameras],
            [line.name for line in settings.lines],
            privacy=bool(cameras_of(settings)),
        )
        self._retained = Retained(publisher, folder, f"{settings.mqtt.host}:{settings.mqtt.port}", kept)
        publisher.listen(publisher.topics.command_filter, self.take)

    def tick(self, now_s: float, estimates: Mapping[str, ZoneEstimate] | None = None) -> None:
        """Tell Home Assistant what is to be told at `now_s` (monotonic), of what is measured too."""
        found = {
            f"{key}-{zone}"
            for zone, estimate in (estimates or {}).items()
            for key, field in OPTIONAL.items()
            if getattr(estimate.climate, field) is not None
        }
        models = tuple(each.name for each in self._updates.updates()) if self._updates else ()
        if not (found <= self._measured and set(models) <= set(self._models)):
            self._measured |= found
            self._models = tuple(dict.fromkeys((*self._models, *models)))
            self._discovery.change()
        self._discovery.tick(now_s)
        self._retained.tick()

    @property
    def showing(self) -> bool:
        """Whether the device shows which one it is now: on its page and by the lights of its buttons."""
        return self._clock() < self._identified_until_s

    def call(self, zone: str) -> Call:
        """What is wanted of the people at the buttons of `zone`."""
        if self.showing:
            return "here"
        return "ask" if self.questions.of(zone) else "quiet"

    def set_zone_name(self, zone: str | None, name: str) -> tuple[str, str]:
        """Give a zone a name to show; it goes out at once. Errors as `ZoneNames.set`."""
        zone, shown = self.names.set(zone, name)
        self._discovery.change()
        return zone, shown

    def take(self, message: Incoming) -> None:
        """Carry out a command that came, and reply; never raises."""
        name = message.topic.rsplit("/", 1)[-1]
        sender = read_sender(message.payload)
        wanted = sender.reply_to if message.response_topic is None else message.response_topic
        result: Result = {}
        error: str | None = None
        try:
            if not self._bucket.take():
                raise _TooManyError(
                    Text("too many commands: {burst} at once, then {per} a second", burst=BURST, per=f"{PER_S:g}")
                )
            self._full_said = False
            if message.retained:
                raise UsageError(Text("a retained command would be carried out again at every connection"))
            if wanted is not None and not self._publisher.topics.may_answer_at(wanted):
                raise UsageError(Text("replies go to {base}/reply/… alone", base=self._publisher.topics.base))
            later = partial(self._reply, name, sender, wanted, message.correlation)
            command = read_command(name, message.payload)
            result = self._carry_out(command, later)
            if what := CHANGES.get(type(command)):
                self._note(what, detail_of(command), f"MQTT, {sender.id}" if sender.id else "MQTT")
        except _TooManyError as refusal:
            if self._full_said:
                self.refused += 1
                return  # one reply says it; a flood is not answered with a flood
            self._full_said, error = True, str(refusal)
        except ComfyWearError as refusal:
            error = str(refusal)
        except Exception as failure:  # a bug in what carries it out must not take the publisher down
            error = redact(Text("the device failed at it: {why}", why=f"{type(failure).__name__}: {failure}"))
            _log.debug("command %s failed", name, exc_info=True)
        self._count(name, error)
        self._reply(name, sender, wanted, message.correlation, error, result)

    def _carry_out(self, command: Command, later: Done) -> Result:
        """What came of a command; `later` sends another reply where it goes on."""
        if isinstance(command, Identify):
            return self._identify(command.seconds)
        if isinstance(command, AskNow):
            zone = self.names.check(command.zone)
            return {"zone": zone, "question": self.questions.ask_now(zone).text}
        if isinstance(command, SetZoneName):
            zone, shown = self.set_zone_name(command.zone, command.name)
            return {"zone": zone, "name": shown}
        if isinstance(command, ModelsPull | ModelsRollback):
            return self._change_model(command, later)
        if isinstance(command, ProgramUpgrade):
            if self._program is None:
                raise UsageError(Text("the program cannot be upgraded on this device"))
            return self._program.ask()
        if isinstance(command, SetPrivacy):
            return self._set_privacy(command)
        if isinstance(command, FindsList | FindsReject | FindsMiss | FindsUndo):
            return self._correct(command)
        assert isinstance(command, Reload)
        if self._reload is None:
            raise UsageError(Text("this device was started without a settings file that could be read again"))
        self._reload()
        return {"settings": Text("read again; the device starts anew with them")}

    def _change_model(self, command: ModelsPull | ModelsRollback, later: Done) -> Result:
        if self._updates is None:
            raise UsageError(Text("models cannot be changed on this device"))
        if isinstance(command, ModelsRollback):
            return self._updates.roll_back(command.model, Text("by MQTT command"))
        self._updates.pull(command.url, later)
        return {"url": command.url, "state": Text("being pulled")}

    def _correct(self, command: FindsList | FindsReject | FindsMiss | FindsUndo) -> Result:
        if self._finds is None:
            raise UsageError(Text("finds cannot be corrected on this device"))
        if isinstance(command, FindsList):
            return {name: encode(rows).decode() for name, rows in self._finds.listed().items()}
        if isinstance(command, FindsReject):
            return {"correction": self._finds.reject(command.person)}
        if isinstance(command, FindsMiss):
            return {"correction": self._finds.miss(command.box, command.camera)}
        return {"correction": command.correction, "kind": self._finds.undo(command.correction).kind}

    def _set_privacy(self, command: SetPrivacy) -> Result:
        if self._privacy is None:
            raise UsageError(Text("the privacy of cameras cannot be switched on this device"))
        state = self._privacy.switch(command.on, command.camera, "over MQTT")
        return {each.camera: each.reason or Text("may look") for each in state}

    def _identify(self, seconds: float) -> Result:
        _log.warning("this is %s: somebody asked it to show itself for %g s", self._publisher.topics.device, seconds)
        self._identified_until_s = self._clock() + seconds
        return {"seconds": seconds}

    def _count(self, name: str, error: str | None) -> None:
        if error is None:
            self.carried_out += 1
            _log.info("command %s carried out", name)
            return
        self.refused += 1
        if self._refused_log.due("command", None, self._clock()):
            _log.warning("command %r refused (%d so far): %s", name[:64], self.refused, error[:_LONGEST_ERROR])

    def _reply(
        self,
        name: str,
        sender: Sender,
        wanted: str | None,
        correlation: bytes | None,
        error: str | None,
        result: Result,
    ) -> None:
        topics = self._publisher.topics
        known = name if name in COMMANDS else "unknown"
        topic = wanted if wanted is not None and topics.may_answer_at(wanted) else topics.reply(known)
        said = reply_message(
            known,
            self._publisher.spool.stamp(),
            id=sender.id,
            error=None if error is None else error[:_LONGEST_ERROR],
            result=result,
        )
        self._publisher.say(
            Aside(
                topic, encode(said, self._publisher.spool.language), expiry_s=REPLY_EXPIRES_S, correlation=correlation
            )
        )


def facts_of(settings: Settings, *, restarts: bool, packaged: bool = False) -> Facts:
    """What Home Assistant is told of the device beside its zones."""
    web = settings.web
    reachable = web.enabled and web.port and not is_loopback(web.host)
    host = socket.gethostname() if web.host in ("0.0.0.0", "::") else web.host  # noqa: S104 - compared, not bound
    scheme = "https" if web.certificate else "http"
    return Facts(
        version=__version__,
        interval_s=settings.mqtt.interval_s,
        metrics_every_s=METRICS_EVERY_S,
        words=SCALE.words,
        hardware=machine.board(),
        serial=machine.serial(),
        page_url=f"{scheme}://{f'[{host}]' if ':' in host else host}:{web.port}" if reachable else None,
        board_temp=machine.hottest_c() is not None,
        restarts=restarts,
        cameras=tuple(camera.name for camera in settings.cameras),
        lines=tuple(line.name for line in settings.lines),
        sees=bool(cameras_of(settings)),
        views=tuple(cameras_of(settings)) if settings.homeassistant.view else (),
        weather=bool(settings.outdoors.uris),
        packaged=packaged,
        upgrades=packaged and settings.updates.program,
    )


def ask_of(zone: str, asked: Question | None, stamp: Stamp) -> Message:
    """The message of the question that stands in a zone, or that none does."""
    if asked is None:
        return ask_message(zone, None, stamp)
    return ask_message(zone, asked.text, stamp, why=asked.why, requested=asked.requested)


class _TooManyError(UsageError):
    """More commands than the device takes."""
