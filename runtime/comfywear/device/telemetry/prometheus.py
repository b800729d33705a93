"""The device's state in the text that Prometheus collects (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from comfywear.device.telemetry.metric_names import COUNTERS, ZONE_VALUES, descriptions, of_zone
from comfywear.records import Trouble, ZoneEstimate
from comfywear.system.supervisor import WorkerHealth

__all__ = ["exposition"]

# Said by the process collector, or for each worker.
_ELSEWHERE = {"rss_mb", "restarts"}


def exposition(
    identity: Mapping[str, str],
    metrics: Mapping[str, float | None],
    health: Mapping[str, WorkerHealth],
    estimates: Mapping[str, ZoneEstimate],
    *,
    connected: bool,
    troubles: Sequence[Trouble] = (),
    begun: int = 0,
) -> bytes:
    """All of it, UTF-8; what is not known is left out, as Prometheus expects it.

    Args:
        identity: Labels of the metric `comfywear_info`, such as the version.
        metrics: As in the metrics message, of which the descriptions are taken.
        health: The workers'.
        estimates: The zones'.
        connected: Whether the broker listens.
        troubles: What does not work now.
        begun: How many troubles began since the start.
    """
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    families = [
        InfoMetricFamily("comfywear", "What the device is.", value=dict(identity)),
        GaugeMetricFamily("comfywear_broker_connected", "1 while connected to the broker.", value=float(connected)),
        *_device(metrics),
        *_workers(health),
        *_troubles(troubles, begun),
        *_zones(estimates),
    ]
    registry.register(_Given(families))
    return generate_latest(registry)


class _Given:
    """Families that are already there."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _device(metrics: Mapping[str, float | None]) -> Iterator[Metric]:
    said = descriptions()
    for name, value in metrics.items():
        if value is None or name in _ELSEWHERE:
            continue
        if name in COUNTERS:
            yield CounterMetricFamily(f"comfywear_{name}", said[name], value=value)
        else:
            yield GaugeMetricFamily(f"comfywear_{name}", said[name], value=value)


def _workers(health: Mapping[str, WorkerHealth]) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "comfywear_worker_up", "1 while the worker runs and gives a sign of life.", labels=["worker"]
    )
    restarts = CounterMetricFamily(
        "comfywear_worker_restarts", "Times the worker was started again.", labels=["worker"]
    )
    for name, each in health.items():
        up.add_metric([name], float(each.state == "running"))
        restarts.add_metric([name], each.restarts)
    yield from (up, restarts)


def _troubles(troubles: Sequence[Trouble], begun: int) -> Iterator[Metric]:
    """One sample for each that is; without any, the family is empty and the counter alone speaks."""
    now = GaugeMetricFamily(
        "comfywear_trouble", "1 for each trouble that the device has now.", labels=["name", "about"]
    )
    for each in troubles:
        now.add_metric([each.name, each.about or ""], 1.0)
    yield now
    yield CounterMetricFamily("comfywear_troubles", "Troubles that began since the start.", value=begun)


def _zones(estimates: Mapping[str, ZoneEstimate]) -> Iterator[Metric]:
    for name, text in ZONE_VALUES.items():
        family = GaugeMetricFamily(f"comfywear_{name}", text, labels=["zone"])
        for zone, estimate in estimates.items():
            value = of_zone(estimate)[name]
            if value is not None:
                family.add_metric([zone], value)
        yield family
