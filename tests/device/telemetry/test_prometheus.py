"""What Prometheus reads of a real device, by its own parser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from comfywear import settings as settings_file
from comfywear.device.device import Device
from waiting import until

TOKEN = "correct horse battery"


def device_of(folder: Path, web: str = "") -> Device:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nsite = 'lab'\nstate_dir = '{folder / 'state'}'\n[[sensors]]\nuri = 'fake://'\n"
        f"[[zones]]\nname = 'desk'\n[[zones]]\nname = 'sofa'\n[web]\nenabled = true\nport = 0\n{web}\n"
    )
    return Device(settings_file.load(path))


def read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_prometheus_reads_the_device_its_workers_and_its_zones(tmp_path: Path) -> None:
    with device_of(tmp_path) as device:
        page = device.page
        assert page is not None
        until(lambda: page.server.url is not None)
        until(lambda: "desk" in device.estimates() and device.estimates()["desk"].comfort.level is not None)
        device.vote("desk", 2, "test")
        url = str(page.server.url).rstrip("/") + "/metrics"
        answer = httpx.get(url)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        found = read(answer.text)

        def value(name: str, **labels: str) -> float:
            return found[(f"comfywear_{name}", frozenset(labels.items()))]

        estimate = device.estimates()["desk"]
        assert value("votes") == 1
        assert value("broker_connected") == 0
        assert value("worker_up", worker="comfort") == 1
        assert value("worker_restarts_total", worker="comfort") == 0
        assert value("uptime_s") > 0
        assert value("connections_total") == 0
        assert estimate.climate.air_temp_c is not None
        assert value("air_temperature_celsius", zone="desk") == pytest.approx(estimate.climate.air_temp_c, abs=0.5)
        assert 0 < value("relative_humidity_ratio", zone="desk") < 1
        assert value("comfort_level", zone="desk") in (1, 2, 3, 4, 5)
        assert value("clothing_clo", zone="desk") == pytest.approx(0.65, abs=0.3)
        assert value("people", zone="desk") == 0
        with pytest.raises(KeyError):  # no sensor: it is left out, not made up
            value("air_temperature_celsius", zone="sofa")
        assert found[("process_resident_memory_bytes", frozenset())] > 1e7
        assert found[("process_open_fds", frozenset())] > 3
        (info,) = [labels for name, labels in found if name == "comfywear_info"]
        assert dict(info)["device"] == "d1"
        assert dict(info)["site"] == "lab"


def test_with_a_password_only_who_has_it_reads_the_metrics(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    with device_of(tmp_path, f"token_file = '{tmp_path / 'token'}'") as device:
        page = device.page
        assert page is not None
        until(lambda: page.server.url is not None)
        url = str(page.server.url).rstrip("/") + "/metrics"
        assert httpx.get(url, follow_redirects=False).status_code in (303, 401)
        assert "comfywear_" not in httpx.get(url, follow_redirects=True).text
        answer = httpx.get(url, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert "comfywear_uptime_s" in answer.text


def test_a_device_that_nobody_scrapes_does_not_load_the_library() -> None:
    code = "import sys; import comfywear.device.device; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
