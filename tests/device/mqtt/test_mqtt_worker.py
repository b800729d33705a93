"""Votes and messages on their way from the device to the spool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear.device.mqtt.mqtt_worker import open_spool, spool_metrics
from comfywear.errors import StoreError
from comfywear.publishing.messages.device import MetricsMessage
from comfywear.publishing.spool.file import FIRST
from comfywear.settings.mqtt import MqttSettings


def test_the_settings_become_the_spools_limits(tmp_path: Path) -> None:
    mqtt = MqttSettings(spool_mb=2, spool_days=3, write_mb_per_day=4, confirm_by=["archive"], confirm_days=5)
    limits = open_spool(tmp_path, "d1", mqtt, "en").limits
    assert (limits.bytes, limits.age_s) == (2_000_000, 3 * 86_400)
    assert (limits.written_bytes_a_day, limits.confirm_s) == (4e6, 5 * 86_400)
    assert open_spool(tmp_path / "other", "d1", MqttSettings(), "en").limits.confirm_s is None


def test_every_figure_of_the_spool_has_a_field_in_the_metrics_message(tmp_path: Path) -> None:
    assert set(spool_metrics(open_spool(tmp_path, "d1", MqttSettings(), "en"))) <= set(MetricsMessage.__struct_fields__)


def test_stores_that_cannot_be_read_leave_gaps_in_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that became read-only: the device must still say how it is."""
    path = tmp_path / "device.toml"
    path.write_text(f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n")

    def unreadable(*_: object) -> Any:
        raise StoreError("attempt to write a readonly database")

    device = Device(settings_file.load(path))
    whole = device.metrics()
    with monkeypatch.context() as disk:
        disk.setattr(device.link.spool, "health", unreadable)
        disk.setattr(device.voting.store, "count", unreadable)
        gaps = device.metrics()
    assert gaps.keys() == whole.keys()
    assert [whole["votes"], whole["spool_rows"]] == [0, 0]
    assert [gaps["votes"], gaps["spool_rows"]] == [None, None]
    device.stop()


def test_a_vote_that_the_spool_refuses_is_kept_and_handed_on_once_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "device.toml"
    path.write_text(f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n")
    device = Device(settings_file.load(path))
    spool = device.link.spool
    really = spool.accept

    def full(*args: Any, **options: Any) -> int:
        raise StoreError("the disk is full")

    monkeypatch.setattr(spool, "accept", full)
    vote = device.voting.vote("room", 4, "test")  # it is stored, so it counts
    device.voting.retry()
    device.voting.retry()
    assert caplog.text.count("the disk is full") == 1
    monkeypatch.setattr(spool, "accept", really)
    device.voting.retry()
    device.voting.retry()
    said = [json.loads(row.payload) for row in spool.waiting(FIRST, 10)]
    assert [each["id"] for each in said if "level" in each] == [vote.id]
    device.stop()
