"""A roll-out stops by itself: the rule, and a collector that hears devices by a real broker."""

from __future__ import annotations

import hashlib
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from paho.mqtt.publish import single

from comfywear.cli import main
from comfywear.collect.rollout_watch import RolloutGuard, RolloutPlace, RolloutRule
from comfywear.publishing.messages.device import MetaMessage, ReleaseInfo, ScaleInfo
from comfywear_models import Card, ModelFile
from comfywear_models.release import Answer, SampleAnswers, build
from comfywear_models.repository import Repository, create
from comfywear_models.rollouts import Rollout
from waiting import until

GRAPH = b"a graph"
META = MetaMessage(
    device="d", epoch="e", seq=None, ts=None, time_ok=False, site="home", version="1", zones=["room"], sources=[],
    models=[], scale=ScaleInfo(id="comfort-5", words=["a", "b", "c", "d", "e"]),
)  # fmt: skip


def took(version: str, before: str = "1") -> ReleaseInfo:
    return ReleaseInfo(name="m", version=version, before=before, last="kept", last_version=version)


def back(version: str, now: str = "shipped") -> ReleaseInfo:
    before = None if now == "shipped" else "shipped"
    return ReleaseInfo(name="m", version=now, before=before, last="rolled back", last_version=version, reason="slow")


def faults(rule: RolloutRule, **fields: Any) -> dict[str, tuple[str, str]]:
    return rule.faults({"m": Rollout("2", **fields)})


def test_more_than_the_threshold_stops_and_less_does_not() -> None:
    rule = RolloutRule(0.1)
    for number in range(18):
        rule.hear(f"d{number}", [took("2")])
    for number in range(18, 20):
        rule.hear(f"d{number}", [back("2", "1")])
    assert faults(rule) == {}  # 2 of 20 are not more than a tenth
    rule.hear("d0", [back("2", "1")])
    assert faults(rule) == {"m": ("2", "3 of the 20 devices that took it rolled it back")}
    assert faults(rule, halted="already") == {}


def test_what_is_said_again_counts_once_and_what_recovers_counts_as_good() -> None:
    rule = RolloutRule(0.4)
    rule.hear("a", [took("2")])
    for _ in range(5):
        rule.hear("b", [back("2")])
    assert faults(rule) == {"m": ("2", "1 of the 2 devices that took it rolled it back")}
    rule.hear("b", [took("2")])
    assert faults(rule) == {}


def test_another_release_and_devices_that_took_none_do_not_count() -> None:
    rule = RolloutRule(0.0)
    rule.hear("a", [back("1")])
    rule.hear("b", [ReleaseInfo(name="m", version="shipped", last="refused", last_version="2")])
    rule.hear("c", [took("2")])
    assert faults(rule) == {}
    rule.hear("c", [back("2", "1")])
    rule.hear("c", [took("3")])
    assert faults(rule) == {"m": ("2", "1 of the 1 devices that took it rolled it back")}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "m.onnx").write_bytes(GRAPH)
    file = ModelFile("m.onnx", "onnxruntime", "fp16", hashlib.sha256(GRAPH).hexdigest(), len(GRAPH))
    create(tmp_path / "releases", tmp_path / "keys", {})
    made = Repository(tmp_path / "releases", [tmp_path / "keys"])
    card = Card("m", "2", "attributes", "logits", {"height": 8, "width": 4}, ["a"], "Apache-2.0", [file])
    manifest = build(card, tmp_path, [SampleAnswers("m.onnx", [Answer([1], [0.5], 0.1)])])
    made.add(card, tmp_path, manifest, 0.1)
    online = tmp_path / "online"
    online.mkdir(mode=0o700)
    for role in ("timestamp", "snapshot", "rollouts"):
        (tmp_path / "keys" / f"{role}-1.pem").rename(online / f"{role}-1.pem")
    return Repository(tmp_path / "releases", [online])


def say(port: int, device: str, *releases: ReleaseInfo) -> None:
    message = msgspec.structs.replace(META, device=device, releases=list(releases))
    topic = f"comfywear/v1/home/{device}/meta"
    single(topic, msgspec.json.encode(message), 1, retain=True, hostname="127.0.0.1", port=port)


def test_a_collector_stops_what_devices_roll_back(
    mosquitto: Any, collect: Any, tmp_path: Path, repository: Repository
) -> None:
    """Also from what devices said while it was away; it goes on by command."""
    words = ["--db", tmp_path / "c.db", "--broker", f"127.0.0.1:{mosquitto.port}", "--rollouts", tmp_path / "releases"]
    words += ["--rollout-keys", tmp_path / "online", "--halt-above", "0.4"]
    collector = collect(*words)
    until(lambda: "collecting from" in collector.said())
    for device in ("a", "b", "c"):
        say(mosquitto.port, device, took("2"))
    say(mosquitto.port, "d", back("2"))
    collector.end(signal.SIGKILL)
    say(mosquitto.port, "c", back("2"))
    assert repository.rollouts()["m"].halted == ""
    collector = collect(*words)
    until(lambda: repository.rollouts()["m"].halted)
    assert repository.rollouts()["m"].halted == "2 of the 4 devices that took it rolled it back"
    assert "the roll-out of m 2 is stopped" in collector.said()
    assert collector.end() == 0


def test_what_comes_in_pieces_is_judged_as_a_whole(tmp_path: Path, repository: Repository) -> None:
    """After a start the broker hands on what it kept: first, as it happens, of one that rolled back."""
    guard = RolloutGuard(RolloutPlace(tmp_path / "releases", tmp_path / "online", 0.4))

    def hear(device: str, info: ReleaseInfo, now_s: float) -> None:
        message = msgspec.structs.replace(META, device=device, releases=[info])
        guard.hear(f"comfywear/v1/home/{device}/meta", msgspec.json.encode(message), now_s)
        guard.act(now_s)

    guard.begin(0.0)
    hear("d", back("2"), 0.1)
    guard.act(9.0)
    for number, device in enumerate(("a", "b", "c")):
        hear(device, took("2"), 11.0 + number)
    guard.act(60.0)
    assert repository.rollouts()["m"].halted == ""
    hear("c", back("2"), 70.0)
    guard.act(71.0)
    assert repository.rollouts()["m"].halted == ""
    guard.act(73.0)
    assert repository.rollouts()["m"].halted == "2 of the 4 devices that took it rolled it back"


def test_what_it_needs_to_stop_roll_outs_is_asked_for_at_the_start(
    tmp_path: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["collect", "--db", str(tmp_path / "c.db"), "--rollouts", str(tmp_path / "releases")]
    assert main(common) == 2
    assert "--rollouts and --rollout-keys go together" in capsys.readouterr().err
    assert main([*common, "--rollout-keys", str(tmp_path / "none")]) == 2
    assert "no private key" in capsys.readouterr().err
    common[-1] = str(tmp_path / "nothing")
    assert main([*common, "--rollout-keys", str(tmp_path / "online")]) == 2
    assert "no repository of releases" in capsys.readouterr().err
