"""OpenTelemetry for those who have it: traces of frame → comfort → message, and metrics.

Off unless the standard variables ask for it (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_EXPORTER`, …: "SDK
configuration" at opentelemetry.io). Then alone the SDK is imported, an extra; its two threads, which send, are its own.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Protocol, final

from comfywear import __version__
from comfywear.device.telemetry.metric_names import COUNTERS, ZONE_VALUES, descriptions, of_zone
from comfywear.records import ZoneEstimate
from comfywear.settings import Settings
from comfywear.settings.views import cameras_of, views_of

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import SpanContext

__all__ = ["NO_TRACES", "OpenTelemetry", "Traces", "traces_of", "wanted"]

_log = logging.getLogger(__name__)

MISSING = "OpenTelemetry is asked for, but not installed: pip install 'comfywear[otel]'"
_SIGNALS = ("TRACES", "METRICS")
_EXPORTERS = ("otlp", "console", "none")
_END_S = 3.0
_SAID_EVERY_S = 3600.0
_FRESH_S = 1.0

Metrics = Callable[[], Mapping[str, float | None]]
Estimates = Callable[[], Mapping[str, ZoneEstimate]]


class Traces(Protocol):
    """Hears where the work is on its way from picture to message, and reads how the device is doing."""

    def frame(self, camera: str) -> AbstractContextManager[object]:
        """Around all that is done with a frame of a camera."""

    def comfort(self, zone: str) -> AbstractContextManager[object]:
        """Around estimating a zone."""

    def message(self, zone: str, topic: str) -> AbstractContextManager[object]:
        """Around handing a zone's message over."""

    def observe(self, metrics: Metrics, estimates: Estimates) -> None:
        """Have both read whenever metrics are sent: by the names of the metrics message, and by zone."""

    def close(self) -> None:
        """Send what waits, within seconds."""


@final
class _NoTraces:
    """What costs nothing: no argument is looked at, and every answer is the same."""

    __slots__ = ()
    _NOTHING: Final[AbstractContextManager[object]] = nullcontext()

    def frame(self, camera: str) -> AbstractContextManager[object]:  # noqa: ARG002 - the protocol's, as all below
        return self._NOTHING

    def comfort(self, zone: str) -> AbstractContextManager[object]:  # noqa: ARG002
        return self._NOTHING

    def message(self, zone: str, topic: str) -> AbstractContextManager[object]:  # noqa: ARG002
        return self._NOTHING

    def observe(self, metrics: Metrics, estimates: Estimates) -> None:
        pass

    def close(self) -> None:
        pass


NO_TRACES: Final[Traces] = _NoTraces()


@final
class OpenTelemetry:
    """The SDK as the device uses it.

    A trace begins with a frame. The first estimate of each of its zones that is made afterwards goes on with it, and so
    does the first message on each topic about that estimate. What no frame led to (a reading, a pause) has no trace.

    Args:
        zones: Those that each camera sees.
        tracers: Makes spans; None = no traces.
        meters: Reads metrics; None = no metrics.
    """

    def __init__(
        self,
        zones: Mapping[str, Sequence[str]],
        tracers: TracerProvider | None = None,
        meters: MeterProvider | None = None,
    ) -> None:
        self._zones, self._providers = zones, [each for each in (tracers, meters) if each is not None]
        self._tracer = tracers.get_tracer("comfywear") if tracers else None
        self._meter = meters.get_meter("comfywear") if meters else None
        # Each is written by one worker and read by another; a dict's single steps are whole.
        self._seen: dict[str, SpanContext] = {}
        self._felt: dict[str, SpanContext] = {}
        self._said: dict[tuple[str, str], SpanContext] = {}

    @contextmanager
    def frame(self, camera: str) -> Iterator[None]:
        """As `Traces.frame`."""
        with self._span("frame", None, {"comfywear.camera": camera}) as context:
            yield
        if context is not None:
            self._seen.update(dict.fromkeys(self._zones.get(camera, ()), context))

    @contextmanager
    def comfort(self, zone: str) -> Iterator[None]:
        """As `Traces.comfort`."""
        frame = self._seen.pop(zone, None)
        if frame is None:
            yield
            return
        with self._span("comfort", frame, {"comfywear.zone": zone}) as context:
            yield
        if context is not None:
            self._felt[zone] = context

    @contextmanager
    def message(self, zone: str, topic: str) -> Iterator[None]:
        """As `Traces.message`."""
        comfort = self._felt.get(zone)
        if comfort is None or self._said.get((zone, topic)) is comfort:
            yield
            return
        self._said[zone, topic] = comfort
        with self._span("message", comfort, {"messaging.system": "mqtt", "messaging.destination.name": topic}):
            yield

    def observe(self, metrics: Metrics, estimates: Estimates) -> None:
        """As `Traces.observe`."""
        if self._meter is None:
            return
        from opentelemetry.metrics import Observation

        newest = _Cached(metrics)

        def read(name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
            def callback(_: CallbackOptions) -> Iterable[Observation]:
                value = newest().get(name)
                return [] if value is None else [Observation(float(value))]

            return callback

        def read_zones(name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
            def callback(_: CallbackOptions) -> Iterable[Observation]:
                values = ((zone, of_zone(each)[name]) for zone, each in estimates().items())
                return [
                    Observation(float(value), {"comfywear.zone": zone}) for zone, value in values if value is not None
                ]

            return callback

        for name, text in descriptions().items():
            make = self._meter.create_observable_counter if name in COUNTERS else self._meter.create_observable_gauge
            make(f"comfywear.{name}", [read(name)], description=text)
        for name, text in ZONE_VALUES.items():
            self._meter.create_observable_gauge(f"comfywear.zone.{name}", [read_zones(name)], description=text)

    def close(self) -> None:
        """As `Traces.close`."""

        def end() -> None:
            for each in self._providers:
                each.shutdown()

        # It sends what waits, and tries for a quarter of a minute where nobody listens: not worth waiting for.
        ending = threading.Thread(target=end, name="opentelemetry-end", daemon=True)
        ending.start()
        ending.join(_END_S)

    @contextmanager
    def _span(
        self, name: str, parent: SpanContext | None, attributes: Mapping[str, str]
    ) -> Iterator[SpanContext | None]:
        if self._tracer is None:
            yield None
            return
        from opentelemetry.context import Context
        from opentelemetry.trace import NonRecordingSpan, set_span_in_context

        above = set_span_in_context(NonRecordingSpan(parent), Context()) if parent is not None else Context()
        with self._tracer.start_as_current_span(name, above, attributes=attributes) as span:
            yield span.get_span_context()


class _Cached:
    """What a costly question was answered a moment ago: each metric of one reading asks it."""

    def __init__(self, ask: Metrics) -> None:
        self._ask = ask
        self._answer: Mapping[str, float | None] = {}
        self._asked_s = float("-inf")

    def __call__(self) -> Mapping[str, float | None]:
        if time.monotonic() - self._asked_s > _FRESH_S:
            self._answer, self._asked_s = self._ask(), time.monotonic()
        return self._answer


class _Seldom(logging.Filter):
    """A collector that is away is said once an hour, not at every attempt."""

    _next_s = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether `record` is said."""
        if record.levelno < logging.WARNING or time.monotonic() < self._next_s:
            return record.levelno < logging.WARNING
        self._next_s = time.monotonic() + _SAID_EVERY_S
        return True


_SELDOM = _Seldom()


def wanted(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The exporter ("otlp" or "console") of each signal ("TRACES", "METRICS") that the variables ask for.

    A name that is not known is logged, and that signal is off: no variable keeps a device from starting.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return {}
    found = {}
    for signal in _SIGNALS:
        endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
        default = "otlp" if any(environ.get(name) for name in endpoints) else "none"
        exporter = environ.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() or default
        if exporter not in _EXPORTERS:
            _log.warning("OTEL_%s_EXPORTER=%s is not known here: %s", signal, exporter[:40], ", ".join(_EXPORTERS))
        elif exporter != "none":
            found[signal] = exporter
    for name in ("OTEL_EXPORTER_OTLP_PROTOCOL", *(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL" for signal in _SIGNALS)):
        if found and environ.get(name, "http/protobuf") != "http/protobuf":
            _log.warning("%s=%s: only http/protobuf is spoken here, to port 4318 mostly", name, environ[name][:40])
            return {}
    return found


def traces_of(settings: Settings, environ: Mapping[str, str] = os.environ) -> Traces:
    """What the standard variables ask for; `NO_TRACES` where they ask for nothing, or the extra is not installed.

    Args:
        settings: Of the device, whose names become attributes of the resource; the variables override them.
        environ: The variables; the SDK itself reads those of the process.
    """
    signals = wanted(environ)
    if not signals:
        return NO_TRACES
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
    except ImportError as error:
        _log.warning("%s (%s)", MISSING, error)
        return NO_TRACES
    identity = {"service.name": "comfywear", "service.version": __version__, "comfywear.site": settings.device.site}
    identity["service.instance.id"] = settings.device.name()
    resource = Resource.create(identity).merge(OTELResourceDetector().detect())
    for exporter in (OTLPSpanExporter, OTLPMetricExporter):
        logging.getLogger(exporter.__module__).addFilter(_SELDOM)
    tracers, meters = None, None
    if "TRACES" in signals:
        tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        spans = OTLPSpanExporter() if signals["TRACES"] == "otlp" else ConsoleSpanExporter()
        tracers.add_span_processor(BatchSpanProcessor(spans))
    if "METRICS" in signals:
        sent = OTLPMetricExporter() if signals["METRICS"] == "otlp" else ConsoleMetricExporter()
        meters = MeterProvider([PeriodicExportingMetricReader(sent)], resource, shutdown_on_exit=False)
    _log.info("OpenTelemetry: %s", ", ".join(f"{name.lower()} by {how}" for name, how in signals.items()))
    return OpenTelemetry({name: tuple(views_of(settings, name)) for name in cameras_of(settings)}, tracers, meters)
