"""What a device says by itself: each live state when it changes, and now and then all the same."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from comfywear import __version__, machine, publishing
from comfywear.cadence import Cadence
from comfywear.comfort import SCALE
from comfywear.errors import StoreError
from comfywear.estimates import Estimator, ZoneEstimate
from comfywear.looking import Looking, Sight, sha256_of, shown_camera
from comfywear.orders import COMMANDS, METRICS_EVERY_S, Orders, ask_of
from comfywear.settings import Settings
from comfywear.updating import Updating
from comfywear_sensors import source_of

__all__ = ["LiveStates", "models_of"]

_log = logging.getLogger(__name__)

# A live state that changes is sent at most this often; one that does not, at the interval of the settings.
GAP_S = 1.0


class LiveStates:
    """Offers what changed to the spool.

    Args:
        settings: Of the device.
        topics: Of the device.
        spool: Takes what goes out.
        publisher: Sends what the spool cannot keep.
        orders: Knows the questions that stand, and the zones' given names.
        updating: Knows which releases are in service.
        looking: Sees who comes and goes; None without a camera.
        models: The models that work now.
        metrics: How the device is doing.
    """

    def __init__(
        self,
        settings: Settings,
        topics: publishing.Topics,
        spool: publishing.Spool,
        publisher: publishing.Publisher,
        orders: Orders,
        updating: Updating,
        looking: Looking | None,
        models: Callable[[], list[publishing.ModelInfo]],
        metrics: Callable[[], Mapping[str, float | None]],
    ) -> None:
        self._settings, self._topics = settings, topics
        self._spool, self._publisher = spool, publisher
        self._orders, self._updating, self._looking = orders, updating, looking
        self._models, self._metrics = models, metrics
        self._cadence = Cadence(settings.mqtt.interval_s, GAP_S)
        self._slow = Cadence(METRICS_EVERY_S, GAP_S)
        self._once = Cadence(math.inf, GAP_S)

    def tick(
        self, now_s: float, estimates: Mapping[str, ZoneEstimate], sight: Sight | None, missing: str | None
    ) -> None:
        """Offer what has changed at `now_s` (monotonic); a full disk is said, and stops nothing.

        Args:
            now_s: Monotonic seconds.
            estimates: The newest of each zone.
            sight: What the camera sees; None without one.
            missing: Why nobody can be seen; None while somebody could be.
        """
        try:
            self._post_changes(now_s, estimates, sight, missing)
        except StoreError as error:
            if self._cadence.due("store", str(error), now_s):
                _log.error("%s", error)

    def post(self, topic: str, build: publishing.Build) -> None:
        """Offer a live state to the spool; while that can keep nothing, it goes out at once, outside the sequence."""
        self._spool.offer(topic, build, retain=True)
        if self._spool.complaint and self._publisher.state == "connected":
            payload = msgspec.json.encode(build(self._spool.stamp()))
            self._publisher.say(publishing.Aside(topic, payload, retain=True))

    def say_again(self) -> None:
        """Every live state goes out again: somebody has just begun to listen."""
        for cadence in (self._cadence, self._slow, self._once):
            cadence.forget()

    def _post_changes(
        self, now_s: float, estimates: Mapping[str, ZoneEstimate], sight: Sight | None, missing: str | None
    ) -> None:
        post, live = self._spool.offer, self.post
        due, topics = self._cadence.due, self._topics
        models, names, releases = self._models(), self._orders.names.given(), self._updating.state()
        if self._once.due("meta", (*(model.id for model in models), *names.items(), *releases), now_s):
            live(topics.meta, partial(self._meta, models))
        if self._slow.due("metrics", None, now_s):
            post(topics.metrics, partial(publishing.metrics_message, self._metrics()))
        for change in self._looking.changes() if self._looking else ():
            post(topics.presence(change.zone), partial(publishing.presence_message, change))
        for zone, estimate in estimates.items():
            if due(f"climate {zone}", _climate_key(estimate), now_s):
                live(topics.climate(zone), partial(publishing.climate_message, estimate.climate))
            present, shed = (sight.present.get(zone), sight.shed()) if sight else (None, ())
            if due(f"people {zone}", (missing, present, len(shed), _people_key(estimate)), now_s):
                views = [(each.person, each.clothing, each.skin) for each in estimate.people]
                build = partial(
                    publishing.people_message, zone, views, missing_reason=missing, present=present, shed=shed
                )
                live(topics.people(zone), build)
            if due(f"comfort {zone}", _comfort_key(estimate), now_s):
                live(topics.comfort(zone), partial(publishing.comfort_message, zone, estimate.comfort))
            if due(f"ask {zone}", asked := self._orders.questions.of(zone), now_s):
                live(topics.ask(zone), partial(ask_of, zone, asked))

    def _meta(self, models: list[publishing.ModelInfo], stamp: publishing.Stamp) -> publishing.Message:
        zones = [zone.name for zone in self._settings.zones]
        camera = self._settings.camera.source
        sources = [publishing.SourceInfo(kind="camera", uri=shown_camera(camera))] if camera else []
        sources += [
            publishing.SourceInfo(kind="sensor", uri=source_of(each.uri), zone=each.zone or zones[0])
            for each in self._settings.sensors
        ]
        return publishing.meta_message(
            stamp,
            site=self._topics.site,
            version=__version__,
            zones=zones,
            sources=sources,
            models=models,
            scale_id=SCALE.id,
            scale_words=SCALE.words,
            zone_names=self._orders.names.given(),
            hardware=machine.board(),
            system=machine.system(),
            commands=list(COMMANDS),
            releases=self._updating.state(),
        )


def models_of(estimator: Estimator, looking: Looking | None) -> list[publishing.ModelInfo]:
    """The models that work now, each with its role: those of comfort, and those that look."""
    found = [publishing.ModelInfo(role=role, id=name) for role, name in estimator.models().items()]
    for role, model in looking.models if looking else []:
        name = f"{model.card.name} {model.card.version} {model.precision}"
        found.append(publishing.ModelInfo(role=role, id=name, engine=model.engine_name, sha256=sha256_of(model)))
    return found


def _climate_key(estimate: ZoneEstimate) -> tuple[object, ...]:
    """What must change for the climate to go out before its time: a tenth of a degree, a percent, a state."""
    air = estimate.climate
    return (air.state, air.reason, _step(air.air_temp_c, 0.1), _step(air.humidity_pct, 1.0))


def _people_key(estimate: ZoneEstimate) -> tuple[object, ...]:
    return tuple(
        (each.person.track_id, tuple((g.kind, g.colours[0].name if g.colours else "") for g in each.person.garments))
        for each in estimate.people
    )


def _comfort_key(estimate: ZoneEstimate) -> tuple[object, ...]:
    comfort = estimate.comfort
    return (comfort.reason, comfort.level, comfort.decision, _step(comfort.expected_vote, 0.1))


def _step(value: float | None, size: float) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value / size)
