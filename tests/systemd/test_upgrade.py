"""The upgrader, in a world of stubs for apt, dpkg and systemd, with a real control socket: what it does when."""

from __future__ import annotations

import importlib.util
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from comfywear.feedback import ControlServer

SOURCE = Path(__file__).resolve().parents[2] / "systemd/upgrade/upgrade.py"
# One program under five names; what is so lies in files of $WORLD.
STUB = r"""#!/bin/bash
here=$PWD
echo "$(basename "$0") $*" >>"$WORLD/calls"
case "$(basename "$0") $*" in
  "dpkg-query "*Status*) cat "$WORLD/status" ;;
  "dpkg-query "*) cat "$WORLD/installed" ;;
  "apt-cache policy comfywear")
    candidate=$(cat "$WORLD/candidate")
    if grep -qs "version $candidate$" "$REFUSED"; then candidate=$(cat "$WORLD/installed"); fi
    printf 'comfywear:\n  Installed: %s\n  Candidate: %s\n' "$(cat "$WORLD/installed")" "$candidate" ;;
  "dpkg --compare-versions "*) exec /usr/bin/dpkg "$@" ;;
  "dpkg --configure -a") echo "install ok installed" >"$WORLD/status" ;;
  "apt-get "*" update") if [ -e "$WORLD/offline" ]; then echo "E: no route"; exit 100; fi ;;
  "apt-get "*" download "*)
    if [ -e "$WORLD/not-kept" ]; then echo "E: Version was not found"; exit 100; fi
    version=${*: -1}; touch "$here/comfywear_${version#*=}_amd64.deb" ;;
  "apt-get "*" install "*)
    fd=$(sed 's/.*APT::Status-Fd=\([0-9]*\).*/\1/' <<<"$*"); what=${*: -1}
    if [ -e "$WORLD/unfit" ]; then echo "E: it does not fit"; exit 100; fi
    printf 'dlstatus:1:50.5:x\npmstatus:comfywear:75:y\n' >&"$fd"
    case "$what" in /*) if [ -e "$WORLD/no-return" ]; then echo "E: broken"; exit 100; fi ;; esac
    case "$what" in *=*) version=${what#*=} ;; *) version=${what##*/comfywear_}; version=${version%_amd64.deb} ;; esac
    echo "$version" >"$WORLD/installed" ;;
  "systemctl show "*)
    if grep -qsx "$(cat "$WORLD/installed")" "$WORLD/dead"; then
      printf 'ActiveState=activating\nMainPID=0\nNRestarts=%s\n' "$(cat "$WORLD/restarts")"
    else printf 'ActiveState=%s\nMainPID=7\nNRestarts=0\n' "$(cat "$WORLD/active")"; fi ;;
  "systemctl start "*) ;;
  *) echo "unexpected: $0 $*" >&2; exit 99 ;;
esac
"""


class World:
    """A machine with `0.1.0` installed, ready and heard, and `0.2.0` in its repository."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.state, self.device = folder / "world", folder / "state", folder / "device"
        tools = folder / "tools"
        for each in (self.folder, self.state, self.device, tools):
            each.mkdir()
        for name in ("apt-get", "apt-cache", "dpkg", "dpkg-query", "systemctl"):
            (tools / name).write_text(STUB)
            (tools / name).chmod(0o755)
        self.say(installed="0.1.0", candidate="0.2.0", status="install ok installed", active="active", restarts="0")
        self.refused = folder / "refused"
        self.module = _load()
        monkeypatch.setattr(self.module, "REFUSED", self.refused)
        monkeypatch.setattr(self.module, "_STEP_S", 0.01)
        monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
        monkeypatch.setenv("WORLD", str(self.folder))
        monkeypatch.setenv("REFUSED", str(self.refused))

    def say(self, **facts: str) -> None:
        for name, text in facts.items():
            (self.folder / name).write_text(f"{text}\n")

    def said(self, name: str) -> str:
        return (self.folder / name).read_text().strip()

    def run(self, what: str = "run", *words: str, minutes: str = "0.005", hold: str = "0.02") -> int:
        places = ["--state", str(self.state), "--device", str(self.device)]
        code: int = self.module.main([what, *words, "--minutes", minutes, "--hold", hold, *places])
        return code

    def noted(self, name: str = "state") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.state / f"{name}.json").read_text())
        return found

    def calls(self) -> str:
        return (self.folder / "calls").read_text()

    def answer(self, _: Any) -> dict[str, Any]:
        mute = self.said("installed") in (self.folder / "mute").read_text().split() if self.has("mute") else False
        return {"broker": "away" if mute else "connected", "metrics": {"acknowledged": 0 if mute else 3}}

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("comfywear_upgrade", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world, stop = World(tmp_path, monkeypatch), threading.Event()
    server = ControlServer(world.device, {"status": world.answer})
    serving = threading.Thread(target=server.run, args=(stop,))
    serving.start()
    yield world
    stop.set()
    serving.join()


def test_a_good_version_is_taken_over_and_both_packages_are_kept(world: World) -> None:
    assert world.run() == 0
    assert world.said("installed") == "0.2.0"
    said = {name: world.noted()[name] for name in ("outcome", "installed", "other", "phase")}
    assert said == {"outcome": "upgraded", "installed": "0.2.0", "other": "0.1.0", "phase": "idle"}
    assert sorted(path.name for path in (world.state / "packages").iterdir()) == [
        "comfywear_0.1.0_amd64.deb", "comfywear_0.2.0_amd64.deb",
    ]  # fmt: skip
    assert not (world.state / "trial.json").exists()
    assert "--force-confold" in world.calls()


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"dead": "0.2.0"}, "it did not say that it is ready within 0.005 minutes"),
        ({"dead": "0.2.0", "restarts": "6"}, "it ended 6 times by itself"),
        ({"mute": "0.2.0"}, "the broker heard nothing of it within 0.005 minutes"),
    ],
)
def test_a_version_that_is_worse_than_the_one_before_goes_again_and_is_not_taken_twice(
    world: World, facts: dict[str, str], reason: str
) -> None:
    world.say(**facts)
    assert world.run() == 1
    assert world.said("installed") == "0.1.0"
    state = world.noted()
    assert (state["outcome"], state["installed"], state["available"]) == ("rolled back", "0.1.0", "0.1.0")
    assert state["reason"] == reason
    assert "Pin: version 0.2.0\nPin-Priority: -1\n" in world.refused.read_text()
    assert world.run() == 0
    assert world.noted()["outcome"] == "newest"
    assert world.calls().count(" install comfywear=0.2.0") == 1
    world.say(candidate="0.3.0")
    assert world.run() == 0
    assert world.said("installed") == "0.3.0", "a later one is"


def test_a_device_that_had_no_broker_need_not_be_heard(world: World) -> None:
    world.say(mute="0.1.0 0.2.0")
    assert world.run() == 0
    assert world.said("installed") == "0.2.0"


def test_a_device_that_somebody_stopped_is_not_judged_by_that(world: World) -> None:
    world.say(active="inactive", mute="0.1.0 0.2.0")
    assert world.run() == 0
    assert world.said("installed") == "0.2.0"


@pytest.mark.parametrize(
    ("trouble", "reason"), [("not-kept", "there would be no way back"), ("unfit", "apt did not install it: E: it does")]
)
def test_what_cannot_be_done_changes_nothing_and_is_said(world: World, trouble: str, reason: str) -> None:
    world.say(**{trouble: ""})
    assert world.run() == 2
    assert world.said("installed") == "0.1.0"
    assert world.noted()["outcome"] == "refused"
    assert reason in world.noted()["reason"]
    assert not (world.state / "trial.json").exists()


def test_sources_that_do_not_answer_are_said_and_what_is_known_of_them_holds(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.say(offline="")
    assert world.run() == 0
    assert "not all of apt's sources answer (E: no route)" in capsys.readouterr().out
    assert world.said("installed") == "0.2.0"


def test_what_something_else_installs_is_judged_where_there_is_a_way_back(world: World) -> None:
    assert world.run("note") == 0
    assert world.noted() == {"phase": "idle", "percent": None, "installed": "0.1.0", "available": "0.2.0"}
    world.say(installed="0.2.0", dead="0.2.0")  # as dpkg leaves it
    assert world.run("begin", "0.1.0") == 0
    assert world.noted("trial") == {"from": "0.1.0", "to": "0.2.0", "active": True, "published": True}
    assert world.run("judge") == 1
    assert world.said("installed") == "0.1.0"
    assert world.run("begin", "0.0.9") == 1, "nothing of that is kept"
    assert world.run("judge") == 0, "and nothing is judged"


def test_a_cut_of_power_in_the_middle_is_taken_up_again(world: World) -> None:
    assert world.run("note") == 0
    trial = {"from": "0.1.0", "to": "0.2.0", "active": True, "published": True}
    (world.state / "trial.json").write_text(json.dumps(trial))
    world.say(installed="0.2.0", status="install ok half-configured")
    assert world.run("judge", minutes="1") == 0
    assert "dpkg --configure -a" in world.calls()
    assert world.noted()["outcome"] == "upgraded"


def test_a_version_that_cannot_be_brought_back_is_a_case_for_people(world: World) -> None:
    world.say(dead="0.2.0", **{"no-return": ""})
    assert world.run() == 1
    assert world.noted()["outcome"] == "failed"
    assert "0.1.0 did not come back: E: broken" in world.noted()["reason"]


def test_notes_that_are_damaged_are_begun_anew(world: World) -> None:
    for name in ("state", "good"):
        (world.state / f"{name}.json").write_text("{torn")
    assert world.run() == 0
    assert world.noted()["outcome"] == "upgraded"


def test_the_wish_of_the_device_is_taken_away_when_it_is_followed(world: World) -> None:
    (world.device / "upgrade-wanted").touch()
    assert world.run("note") == 0
    assert (world.device / "upgrade-wanted").exists()
    assert world.run() == 0
    assert not (world.device / "upgrade-wanted").exists()


def test_progress_is_noted_as_apt_says_it(world: World) -> None:
    lines = ["dlstatus:1:50.5:x\n", "nonsense\n", "pmstatus:c:75:y\n", "pmstatus:c\n"]
    assert list(world.module._progress(iter(lines))) == [("fetching", 50), ("installing", 75)]
