"""Settings changed on the page: written with owner, mode and comments, tried, taken back, and refused in words."""

from __future__ import annotations

import logging
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from changing import running, write
from comfywear import settings as settings_file
from comfywear import web
from comfywear.device.device import Device
from comfywear.device.runner import check_change
from comfywear.device.upkeep.settings_desk import SettingsDesk
from comfywear.device.upkeep.settings_file import SettingsFile
from comfywear.device.upkeep.settings_trial import SettingsTrial
from comfywear.errors import StoreError, UsageError
from comfywear.settings.on_disk import SettingsOnDisk
from comfywear.system.supervisor import WorkerHealth
from ports import free_port
from waiting import until


class Bench:
    """A settings file on which a device is about to run, as the page changes it."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.trial = SettingsTrial(SettingsOnDisk(path), **options)
        self.file = SettingsFile(path, lambda: None, self.trial)
        self.desk = SettingsDesk(
            self.file, path.parent / "state", lambda found: check_change(settings_file.load(path), found)
        )

    def draft(self, change: Callable[[dict[str, Any]], object], **secrets: str) -> web.SettingsDraft:
        form = self.desk.form()
        values = dict(form.values)
        change(values)
        kept = [web.SettingsSecret(list(name.split("__")), text) for name, text in secrets.items()]
        return web.SettingsDraft(form.version, values, kept)

    def save(self, change: Callable[[dict[str, Any]], object], **secrets: str) -> web.SettingsSaved:
        return self.desk.save(self.draft(change, **secrets))


def test_a_change_is_written_with_comments_owner_and_mode_and_the_file_before_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path)
    before = path.read_text()
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 23456)
    owner = path.stat()
    bench = Bench(path)
    assert bench.save(lambda v: v["zones"][0].update(met=1.4)) == web.SettingsSaved(True)
    assert path.read_text() == before + "met = 1.4\n"
    after = path.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (owner.st_uid, owner.st_gid, 0o640)
    assert path.with_name("device.toml.previous").read_text() == before
    assert bench.trial.outcome == web.SettingsOutcome("tried", "", ("zones[1].met",))
    with pytest.raises(UsageError, match="still being tried"):
        bench.save(lambda v: v["zones"][0].update(met=1.5))


def test_a_draft_that_is_wrong_or_made_from_another_file_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path)
    before = path.read_bytes()
    bench = Bench(path)
    wrong = bench.save(lambda v: v.update(camera={"fps": -1}, mqtt={"port": "x"}))
    assert {each.path for each in wrong.faults} == {("camera", "fps"), ("mqtt", "port")}
    assert not wrong.changed
    late = bench.draft(lambda v: v["zones"][0].update(met=1.4))
    path.write_text(path.read_text() + "# by hand\n")
    with pytest.raises(UsageError, match="was changed by somebody else"):
        bench.desk.save(late)
    assert path.read_bytes() == before + b"# by hand\n"
    with pytest.raises(UsageError, match="that is another device"):
        bench.save(lambda v: v["device"].update(id="d2"))
    assert bench.save(lambda v: None) == web.SettingsSaved(False)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["device.toml"]


def test_a_secret_goes_into_a_file_of_its_own_and_is_never_given_out(tmp_path: Path) -> None:
    path = write(tmp_path, "[[cameras]]\nname = 'a'\nsource = 'rtsp://me:xq7secretxq@cam/x'\n")
    bench = Bench(path)
    given = bench.draft(lambda v: v.update(mqtt={"host": "b"}), mqtt__password_file="a secret word")
    assert bench.desk.check(given) == []
    assert not (tmp_path / "state").exists(), "checking writes nothing"
    assert bench.desk.save(given).changed
    named = Path(settings_file.load(path).mqtt.password_file)
    assert named.read_text() == "a secret word\n"
    assert stat.S_IMODE(named.stat().st_mode) == 0o600
    assert stat.S_IMODE(named.parent.stat().st_mode) == 0o700
    assert named.parent == tmp_path / "state" / "secrets"
    assert "xq7secretxq" in path.read_text(), "what was cut out for the form is still in the file"
    told = str(bench.desk.form())
    assert "a secret word" not in told
    assert "xq7secretxq" not in told
    bench.trial.take_back("for the test")
    assert not named.exists()
    assert "password_file" not in path.read_text()


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("web__token_file", "short", "10 characters or more"),
        ("mqtt__password_file", "two\nlines", "one line"),
        ("mqtt__host", "x", "no file with a secret"),
        ("camera__x__token_file", "x", "no file with a secret"),
    ],
)
def test_a_secret_that_cannot_be_is_refused_at_its_field(tmp_path: Path, field: str, text: str, said: str) -> None:
    bench = Bench(write(tmp_path))
    result = bench.save(lambda v: None, **{field: text})
    assert not result.changed
    (fault,) = result.faults
    assert fault.path == tuple(field.split("__"))
    assert said in fault.text


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.chmod(0o444), "may not be written by the device"),
        (lambda path: path.write_text("# Ansible managed: do not change\n" + path.read_text()), "managed elsewhere"),
    ],
    ids=["read-only", "managed"],
)
def test_a_file_that_is_kept_by_somebody_else_says_so(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    path = write(tmp_path)
    spoil(path)
    before = path.read_bytes()
    bench = Bench(path)
    assert said in str(bench.desk.form().barred)
    with pytest.raises(UsageError, match=said):
        bench.save(lambda v: v["zones"][0].update(met=1.4))
    assert path.read_bytes() == before


def test_a_link_stays_one_and_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = write(tmp_path / "real")
    link = tmp_path / "link.toml"
    link.symlink_to(real)
    bench = Bench(link)
    assert bench.save(lambda v: v["zones"][0].update(met=1.4)).changed
    assert link.is_symlink()
    assert "met = 1.4" in real.read_text()
    real.with_name("device.toml.previous").unlink()
    with pytest.raises(StoreError, match="cannot be put back"):
        bench.trial.disk.go_back()


def health(**failing: str) -> dict[str, WorkerHealth]:
    return {name: WorkerHealth("waiting", 0.0, 1, why) for name, why in failing.items()}


def test_a_device_that_does_not_run_with_them_takes_them_back_and_one_that_did_not_before_does_not(
    tmp_path: Path,
) -> None:
    path, now_s = write(tmp_path), [0.0]
    before = path.read_text()
    bench = Bench(path, trial_s=10.0, clock=lambda: now_s[0])
    trial = bench.trial
    assert trial.fault(health(old="broken")) is None
    assert bench.save(lambda v: v["zones"][0].update(met=1.4)).changed
    trial.restarted()
    assert trial.fault(health(old="broken")) is None
    why = trial.fault(health(old="broken", page="port taken"))
    assert why == "page does not run with them: port taken"
    trial.take_back(why)
    assert path.read_text() == before
    assert "met = 1.4" in path.with_name("device.toml.refused").read_text()
    assert trial.outcome == web.SettingsOutcome("taken back", why, ("zones[1].met",))
    assert bench.save(lambda v: v["zones"][0].update(met=1.3)).changed
    trial.restarted()
    now_s[0] = 11.0
    assert trial.fault(health(old="broken")) is None
    assert trial.outcome.state == "kept"
    assert not path.with_name("device.toml.trial").exists()
    assert "met = 1.3" in path.read_text()


def test_a_process_that_ended_during_the_trial_starts_with_what_was_there_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path)
    before = path.read_text()
    bench = Bench(path)
    bench.save(lambda v: v["zones"][0].update(met=1.4))
    fresh = SettingsTrial(SettingsOnDisk(path))
    with caplog.at_level(logging.ERROR):
        fresh.recover()
    assert path.read_text() == before
    assert fresh.outcome.state == "taken back"
    assert "ended while it tried them" in caplog.text
    again = SettingsTrial(SettingsOnDisk(path))
    again.recover()
    assert again.outcome.state == "none"
    Bench(path).save(lambda v: v["zones"][0].update(met=1.4))
    path.write_text(before + "# by hand since\n")
    again.recover()
    assert path.read_text() == before + "# by hand since\n", "what somebody wrote since stays"


def outcome(url: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = httpx.get(f"{url}/api/settings/outcome", timeout=10).json()
    except httpx.HTTPError:
        return {"state": "tried"}
    return found


def sent(url: str, change: Callable[[dict[str, Any]], object]) -> httpx.Response:
    form = httpx.get(f"{url}/api/settings/form", timeout=60).json()
    change(form["values"])
    body = {"version": form["version"], "values": form["values"]}
    assert httpx.post(f"{url}/api/settings/check", json=body, timeout=60).json() == []
    return httpx.post(f"{url}/api/settings", json=body, timeout=60)


def settled(url: str) -> dict[str, Any]:
    until(lambda: outcome(url)["state"] not in ("tried", "none"), 120)
    return outcome(url)


def test_a_running_device_takes_a_change_and_goes_back_from_one_that_it_does_not_come_up_with(tmp_path: Path) -> None:
    port, taken = free_port(), free_port()
    path = write(tmp_path, port=port)
    with running(path, trial_s=1.0) as (url, made):
        assert sent(url, lambda v: v["zones"][0].update(name="desk")).json() == {"changed": True, "faults": []}
        assert settled(url)["state"] == "kept"
        assert made[-1].zones == ["desk"]
        good = path.read_text()
        sent(url, lambda v: v["web"].update(token_file=str(tmp_path / "none")))
        until(lambda: outcome(url)["state"] == "taken back", 120)
        assert "none: cannot be read" in outcome(url)["why"]
        assert path.read_text() == good
        with socket.socket() as peer:
            peer.bind(("127.0.0.1", taken))
            peer.listen()
            sent(url, lambda v: v["web"].update(port=taken))
            until(lambda: outcome(url)["state"] == "taken back" and "page" in outcome(url)["why"], 120)
        assert path.read_text() == good
        assert httpx.get(f"{url}/api/now", timeout=60).json()["zone"] == "desk"


def test_settings_are_for_those_alone_who_may_manage_and_not_for_other_sites(tmp_path: Path) -> None:
    (tmp_path / "all").write_text("the password of all\n")
    (tmp_path / "look").write_text("the one to look\n")
    path = write(tmp_path, port=free_port())
    text = path.read_text().replace(
        "[[zones]]",
        f"token_file = '{tmp_path / 'all'}'\n[[web.tokens]]\nfile = '{tmp_path / 'look'}'\nrole = 'vote'\n[[zones]]",
    )
    path.write_text(text)
    with running(path, trial_s=1.0) as (url, _):
        look = {"Authorization": "Bearer the one to look"}
        manage = {"Authorization": "Bearer the password of all"}
        for address in ("/settings", "/api/settings/form", "/api/settings/outcome"):
            assert httpx.get(f"{url}{address}", headers=look).status_code == 403
            assert httpx.get(f"{url}{address}", headers=manage).status_code == 200
        assert httpx.get(f"{url}/settings").headers["location"] == "/login?next=%2Fsettings"
        form = httpx.get(f"{url}/api/settings/form", headers=manage).json()
        body = {"version": form["version"], "values": form["values"]}
        assert httpx.post(f"{url}/api/settings", json=body, headers=look).status_code == 403
        foreign = {**manage, "Origin": "https://evil.example"}
        assert httpx.post(f"{url}/api/settings", json=body, headers=foreign).status_code == 403
        large = {"version": form["version"], "values": {"camera": {"source": "x" * 100_000}}}
        assert httpx.post(f"{url}/api/settings/check", json=large, headers=manage).status_code == 200
        assert path.read_text() == text


def test_a_device_without_a_settings_file_says_that_there_is_none(tmp_path: Path) -> None:
    with Device(settings_file.load(write(tmp_path))) as device:
        until(lambda: device.page and device.page.server.url)
        assert device.page is not None
        answer = httpx.get(f"{device.page.server.url}api/settings/form", timeout=60)
        assert (answer.status_code, answer.json()["error"]) == (400, "wrong")


def test_the_program_that_writes_is_not_loaded_by_a_device_that_runs() -> None:
    code = (
        "import sys, comfywear.device.device, comfywear.device.upkeep.settings_desk; sys.exit('tomlkit' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
