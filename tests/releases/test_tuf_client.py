"""Models from a TUF repository: taken over, keys rotated, devices of the old format migrated, turns waited for."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from made import PRIVATE, PUBLIC, release
from repositories import FAST, Market
from servers import Server

from children import Child
from comfywear.cli import main
from comfywear.doctor import machine as checkup
from comfywear.errors import UsageError
from comfywear.releases import tuf_client
from comfywear.releases.pulling import pull
from comfywear.system.clock import WallTime
from comfywear_models import find, verify
from comfywear_models.release import new_key
from comfywear_models.repository import ANCHOR, Repository
from comfywear_models.rollouts import place_of
from waiting import until


@pytest.fixture
def market(tmp_path: Path, server: Server) -> Market:
    made = Market(tmp_path, server)
    made.offer("2")
    return made


def config(market: Market, more: str = "") -> Path:
    path = market.folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{market.folder / 'state'}'\n[mqtt]\nhost = ''\n"
        "[vision]\ndetector = 'tiny'\nattributes = ''\nengine = 'onnxruntime'\nthreads = 1\n"
        f"[updates]\nslower_at_most = 100\nrepository = '{market.server.url}'\n"
        + (more or f"root = '{market.keys / ANCHOR}'\n")
    )
    return path


def test_the_command_takes_over_what_is_new_and_says_when_nothing_is(
    market: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["models", "pull", "--config", str(config(market))]
    assert main(command) == 0
    assert "tiny 2 is in service on trial, after 1" in capsys.readouterr().out
    assert main(command) == 2
    assert "has nothing new for this device: tiny 2: is in service" in capsys.readouterr().err


def test_a_memory_stick_with_a_copy_of_the_repository_will_do(market: Market) -> None:
    assert market.pull(str(market.kept()))[0].version == "2"


def test_a_device_follows_the_rotation_of_every_key(market: Market) -> None:
    assert market.pull()[0].version == "2"
    for role in ("root", "targets", "snapshot", "timestamp", "rollouts", "tiny", "root"):
        market.repository.rotate(role)
    market.offer("3")
    assert market.pull()[0].version == "3"
    kept = market.releases.folder / "repository"
    assert json.loads((kept / "root.json").read_bytes())["signed"]["version"] == 6


def test_a_device_that_slept_through_rotations_catches_up(market: Market) -> None:
    for _ in range(5):
        market.repository.rotate("root")
    market.repository.rotate("timestamp")
    assert market.pull()[0].version == "2"


def test_a_threshold_is_raised_by_a_rotation(market: Market) -> None:
    market.repository.rotate("tiny", (2, 3))
    market.offer("3")
    assert market.pull()[0].version == "3"
    shutil.move(market.keys / "tiny-2.pem", market.folder)
    shutil.move(market.keys / "tiny-3.pem", market.folder)
    lonely = Repository(market.server.folder, [market.keys])
    with pytest.raises(ValueError, match="2 of the 3 keys of the role 'tiny' must sign, and 1 lie"):
        lonely.renew(["tiny"])


# Devices of the old format.


def test_a_device_of_the_old_format_is_brought_over_once(market: Market) -> None:
    """It knows `updates.keys` alone, and has a release of the old format in service."""
    old = {"keys": [PUBLIC], "root": ""}
    market.refused("was never introduced", **old)
    market.repository.introduce(new_key()[0])
    market.refused("none of the 1 trusted keys has signed", **old)
    market.repository.introduce(PRIVATE)
    assert market.pull(**old)[0].version == "2"
    slots = market.releases.slots("tiny")
    assert (slots.version, slots.before) == ("2", "1")
    # From now on the old key opens nothing: neither single releases nor another root.
    single = release(market.folder / "stick", "3")
    with pytest.raises(UsageError, match="takes models from its repository alone"):
        pull(market.releases, str(single), market.settings(**old), rules=FAST)
    (market.server.folder / "introduction.json").write_bytes(b"{}")
    market.repository.rotate("root")
    market.offer("3")
    assert market.pull(**old)[0].version == "3"
    asked = [line for line in market.server.asked if line == "introduction.json"]
    assert len(asked) == 3


def test_what_was_in_service_before_is_not_fallen_behind(market: Market) -> None:
    """The state of the old format says what was newest."""
    market.offer("5", days=0)
    market.refused("before one that was in service here", keys=[PUBLIC], root=str(market.keys / ANCHOR))


def test_a_root_in_the_settings_ends_the_old_format(market: Market, capsys: pytest.CaptureFixture[str]) -> None:
    single = release(market.folder / "stick", "3")
    path = config(market, f"root = '{market.keys / ANCHOR}'\nkeys = ['{PUBLIC}']\n")
    assert main(["models", "pull", str(single), "--config", str(path)]) == 2
    assert "no single release any more: name the repository" in capsys.readouterr().err
    assert market.old_model_works()


def test_what_cannot_be_a_root_is_said(market: Market) -> None:
    market.refused(
        r"updates\.root .*none.json: cannot be read", error=UsageError, root=str(market.folder / "none.json")
    )
    (market.folder / "bad.json").write_bytes(b"[]")
    market.refused("it is damaged, or no repository of models", root=str(market.folder / "bad.json"))
    market.refused(r"updates\.root names no root", error=UsageError, root="")


def test_without_the_time_nothing_is_believed_from_afar(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuf_client, "wall_time", lambda: WallTime(None, False))
    market.refused("the clock of this device is not set")
    assert market.pull(str(market.kept()))[0].version == "2"


def test_doctor_says_until_when_that_holds_which_was_heard_last(market: Market) -> None:
    assert [each.what for each in checkup.releases(market.folder / "state")] == ["model tiny"]
    market.pull()
    *_, good = checkup.releases(market.folder / "state")
    assert (good.what, good.state) == ("models' repository", "good")
    kept = market.releases.folder / "repository" / "timestamp.json"
    fields = json.loads(kept.read_bytes())
    fields["signed"]["expires"] = "2026-11-01T00:00:00Z"
    kept.write_text(json.dumps(fields))
    *_, ended = checkup.releases(market.folder / "state")
    assert (ended.state, ended.said) == ("note", "what it said last held until 2026-11-01 00:00 UTC")


def test_little_is_asked_when_nothing_is_new(market: Market) -> None:
    market.pull()
    before = len(market.server.asked)
    with pytest.raises(UsageError, match="nothing new"):
        market.pull()
    names = [name.rpartition(".")[0] for name in market.server.asked[before:]]
    assert [name.rpartition("/")[0] for name in names] == ["metadata", "metadata", "targets"]


# Turns.


def test_a_release_goes_to_a_share_and_a_group_first(market: Market) -> None:
    place = place_of("tiny", "2", market.settings().device.name())
    market.repository.roll_out("tiny", place - 1e-9)
    market.refused("this one's turn comes at", error=UsageError)
    market.repository.roll_out("tiny", 1.0, ["pilot"])
    market.refused("it goes to the groups pilot first, and updates.group names none", error=UsageError)
    market.refused("updates.group is 'cellar'", error=UsageError, group="cellar")
    market.repository.roll_out("tiny", min(1.0, place + 1e-9), ["pilot"])
    assert market.pull(group="pilot")[0].version == "2"


def test_whoever_waits_is_offered_what_went_to_all_before(market: Market) -> None:
    market.offer("3", share=0.0)
    assert market.pull()[0].version == "2"
    with pytest.raises(UsageError, match="tiny 3: it goes to 0% of the devices first"):
        market.pull()
    market.repository.halt("tiny", "ghosts")
    with pytest.raises(UsageError, match="tiny 3: its roll-out is stopped: ghosts"):
        market.pull()
    assert market.pull(ahead=True)[0].version == "3"
    with pytest.raises(UsageError, match="ghosts"):
        market.pull()  # not back to 2
    assert market.version == "3"


# kill -9.


def test_a_download_that_was_killed_goes_on_where_it_broke_off(market: Market) -> None:
    (file,) = (market.server.folder / "targets/tiny").glob("*.onnx")
    name = f"targets/tiny/{file.name}"
    market.server.stall[name] = 1000
    command = [sys.executable, "-m", "comfywear.cli", "models", "pull", "--config", str(config(market))]
    with Child(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert market.server.stalled.wait(60)
        until(lambda: [part for part in market.releases.folder.rglob("*.part") if part.stat().st_size == 1000])
        process.send_signal(signal.SIGKILL)
    assert market.old_model_works()
    market.server.stall.clear()
    market.server.go_on.set()
    assert market.pull()[0].version == "2"
    assert market.server.asked[-1] == f"{name} bytes=1000-"


@pytest.mark.slow
def test_a_pull_from_a_repository_needs_no_more_than_the_unit_allows(market: Market) -> None:
    """The library of the framework, too, runs with the service's system calls and memory."""
    root = Path(__file__).resolve().parents[2]
    confined = [sys.executable, str(root / "tests/systemd/confined.py"), str(root / "systemd/comfywear.service")]
    pulled = [sys.executable, "-m", "comfywear.cli", "models", "pull", str(market.server.folder)]
    command = [*confined, *pulled, "--config", str(config(market))]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if told.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert told.returncode == 0, told.stderr
    assert market.version == "2"


@pytest.mark.slow
def test_a_pull_from_a_repository_may_be_killed_at_any_moment(market: Market) -> None:
    """kill -9 at 40 moments from the start of a pull to beyond its end, the keys rotated on the way."""
    command = [sys.executable, "-m", "comfywear.cli", "models", "pull", "--config", str(config(market))]
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    whole_s = time.monotonic() - began
    chance, versions = random.Random(1), []
    for number in range(40):
        if market.version == "2":
            market.releases.roll_back("tiny", "in the test")
        if number % 10 == 0:
            market.repository.rotate("timestamp")
        assert market.old_model_works()
        with Child(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.1, 1.1) * whole_s)
            process.kill()
        card, folder = find(market.releases.card_of("tiny"))
        assert all(verify(file, folder) for file in card.files)
        assert market.version == card.version
        versions.append(card.version)
    assert set(versions) == {"1", "2"}
