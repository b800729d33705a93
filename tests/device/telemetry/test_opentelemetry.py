"""OpenTelemetry: off unless its variables ask, whole traces where they do, harmless where the collector is away."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from otlp_collector import collecting

from comfywear import settings as settings_file
from comfywear.demo.scene import sample_photo
from comfywear.device.device import Device
from comfywear.device.telemetry.opentelemetry import NO_TRACES, OpenTelemetry, traces_of, wanted
from comfywear.settings import Settings
from ports import free_port
from waiting import until

sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="needs OpenTelemetry (pip install 'comfywear[otel]')")
ZONES = {"south": ("desk", "sofa"), "north": ("sofa",)}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def kept() -> tuple[OpenTelemetry, Any]:
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans = InMemorySpanExporter()
    provider = sdk.TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return OpenTelemetry(ZONES, provider), spans


def test_a_trace_goes_from_the_frame_over_its_zones_to_their_messages(kept: tuple[OpenTelemetry, Any]) -> None:
    traces, spans = kept
    with traces.frame("south"):
        pass
    for zone in ("desk", "sofa"):
        with traces.comfort(zone):
            pass
        with traces.message(zone, f"zone/{zone}/comfort"):
            pass
    frame, *rest = spans.get_finished_spans()
    assert [span.name for span in rest] == ["comfort", "message"] * 2
    assert frame.parent is None
    assert {span.context.trace_id for span in rest} == {frame.context.trace_id}
    for comfort, message in (rest[:2], rest[2:]):
        assert comfort.parent.span_id == frame.context.span_id
        assert message.parent.span_id == comfort.context.span_id
    assert rest[3].attributes["messaging.destination.name"] == "zone/sofa/comfort"


def test_a_frame_is_estimated_once_and_an_estimate_said_once_a_topic(kept: tuple[OpenTelemetry, Any]) -> None:
    traces, spans = kept
    with traces.comfort("desk"), traces.message("desk", "a"):
        pass
    assert spans.get_finished_spans() == (), "no frame led to this"
    with traces.frame("north"):
        pass
    for _ in range(3):
        with traces.comfort("sofa"):
            pass
        for topic in ("a", "b"):
            with traces.message("sofa", topic):
                pass
    assert [span.name for span in spans.get_finished_spans()] == ["frame", "comfort", "message", "message"]


def test_what_fails_within_a_frame_is_in_its_span_and_raised(kept: tuple[OpenTelemetry, Any]) -> None:
    traces, spans = kept
    with pytest.raises(ValueError, match="torn"), traces.frame("south"):
        raise ValueError("torn")
    (frame,) = spans.get_finished_spans()
    assert frame.status.status_code.name == "ERROR"
    with traces.comfort("desk"):
        pass
    assert len(spans.get_finished_spans()) == 1, "a frame that failed leads to no estimate"


@pytest.mark.parametrize(
    ("environ", "signals"),
    [
        ({}, {}),
        ({"OTEL_SERVICE_NAME": "office"}, {}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, {"TRACES": "otlp", "METRICS": "otlp"}),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, {"TRACES": "otlp"}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, {"METRICS": "otlp"}),
        ({"OTEL_TRACES_EXPORTER": "console"}, {"TRACES": "console"}),
        ({"OTEL_METRICS_EXPORTER": " OTLP "}, {"METRICS": "otlp"}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "True"}, {}),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, {}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, {}),
    ],
)
def test_the_standard_variables_switch_it_on(environ: dict[str, str], signals: dict[str, str]) -> None:
    assert wanted(environ) == signals


def test_what_is_not_known_is_said_with_what_is(caplog: pytest.LogCaptureFixture) -> None:
    wanted({"OTEL_TRACES_EXPORTER": "zipkin"})
    wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert "zipkin is not known here: otlp, console, none" in caplog.text
    assert "grpc: only http/protobuf is spoken here" in caplog.text


def test_off_it_is_one_object_and_the_sdk_is_not_imported() -> None:
    assert traces_of(Settings(), {}) is NO_TRACES
    assert NO_TRACES.frame("a") is NO_TRACES.message("b", "c")
    code = "import sys; import comfywear.device.device; sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


def test_without_the_extra_it_says_what_to_install_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert traces_of(Settings(), {"OTEL_TRACES_EXPORTER": "otlp"}) is NO_TRACES
    assert "pip install 'comfywear[otel]'" in caplog.text


def device_settings(folder: Path, port: int) -> Settings:
    pictures = folder / "pictures"
    pictures.mkdir()
    shutil.copy(sample_photo(), pictures / "one.jpg")
    config = folder / "device.toml"
    config.write_text(
        f"[device]\nid = 'd1'\nsite = 'lab'\nstate_dir = '{folder / 'state'}'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {port}\ninterval_s = 0.5\n"
        f"[camera]\nsource = 'images://{pictures}'\nloop = true\nfps = 2\n[[sensors]]\nuri = 'fake://'\n"
    )
    return settings_file.load(config)


def test_a_device_tells_a_collector_its_traces_and_metrics(
    tmp_path: Path, mosquitto: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "200")
        with Device(device_settings(tmp_path, mosquitto.port)):
            until(lambda: any(s for s in collector.named("message")))
            until(lambda: "comfywear.zone.comfort_level" in collector.metrics)
            until(lambda: collector.metrics["comfywear.frames"].sum.data_points[0].as_double > 0)
        frames = {span.span_id: span for span in collector.named("frame")}
        comforts = {span.span_id: span for span in collector.named("comfort")}
        for message in collector.named("message"):
            comfort = comforts[message.parent_span_id]
            frame = frames[comfort.parent_span_id]
            assert message.trace_id == comfort.trace_id == frame.trace_id
            assert frame.start_time_unix_nano < comfort.start_time_unix_nano < message.start_time_unix_nano
        topics = {each.value.string_value for span in collector.named("message") for each in span.attributes}
        assert "comfywear/v1/lab/d1/zone/room/comfort" in topics
        assert collector.resource["service.name"] == "comfywear"
        assert collector.resource["service.instance.id"] == "d1"
        assert collector.resource["deployment.environment"] == "test"
        assert collector.metrics["comfywear.rss_mb"].gauge.data_points[0].as_double > 1
        assert collector.metrics["comfywear.frames"].sum.is_monotonic


def test_a_collector_that_is_away_is_said_once_and_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"http://127.0.0.1:{free_port()}/v1/traces")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setattr("comfywear.device.telemetry.opentelemetry._SELDOM._next_s", float("-inf"), raising=True)
    traces = traces_of(Settings())
    with traces.frame("camera"):
        pass
    until(lambda: "opentelemetry" in {record.name.split(".")[0] for record in caplog.records})
    traces.close()
    assert len([record for record in caplog.records if record.name.startswith("opentelemetry.exporter")]) == 1
    until(lambda: not [each for each in threading.enumerate() if each.name == "opentelemetry-end"])
