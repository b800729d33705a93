"""Models over the air, whole: by MQTT on a running device, by command, over cuts of power and on a full disk."""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from made import PUBLIC, put_into_service, release, settings
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from servers import Server

from children import Child
from comfywear import settings as settings_file
from comfywear.cli import main
from comfywear.device.device import Device
from comfywear.errors import StoreError, UsageError
from comfywear.publishing.messages.answer import ReplyMessage
from comfywear.publishing.messages.device import MetaMessage
from comfywear.publishing.messages.kinds import read_message
from comfywear.releases import Releases
from comfywear.releases.pulling import pull
from comfywear_models import find, verify
from comfywear_models.release import new_key
from waiting import until

TOPIC = "comfywear/v1/home/d1"


def config(folder: Path, *, port: int = 0, sources: str = "", camera: str = "") -> Path:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n"
        f"[mqtt]\nhost = '{'127.0.0.1' if port else ''}'\nport = {port or 1883}\n"
        f"[vision]\ndetector = 'tiny'\nattributes = ''\nengine = 'onnxruntime'\nthreads = 1\n"
        f"[camera]\nsource = '{camera}'\nfps = 60\nloop = true\n"
        f"[updates]\nkeys = ['{PUBLIC}']\nsources = [{sources!r}]\ntrial_s = 0.5\nslower_at_most = 100\n"
    )
    return path


class Operator:
    """Gives commands, hears replies and what the device is."""

    def __init__(self, port: int) -> None:
        self.replies: queue.Queue[ReplyMessage] = queue.Queue()
        self.meta: MetaMessage | None = None
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = lambda *given: self._take(bytes(given[2].payload))
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([(f"{TOPIC}/reply/#", 1), (f"{TOPIC}/meta", 1)])
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def tell(self, command: str, **fields: Any) -> ReplyMessage:
        self._client.publish(f"{TOPIC}/cmd/{command}", json.dumps(fields), 1)
        return self.hear()

    def hear(self) -> ReplyMessage:
        return self.replies.get(timeout=60)

    def sees(self, **wanted: Any) -> bool:
        def found() -> bool:
            meta = self.meta
            return bool(meta and meta.releases) and all(
                getattr(meta.releases[0], field) == value for field, value in wanted.items()
            )

        return bool(until(found))

    def _take(self, payload: bytes) -> None:
        message = read_message(payload)
        if isinstance(message, ReplyMessage):
            self.replies.put(message)
        elif isinstance(message, MetaMessage):
            self.meta = message


@pytest.fixture
def operator(mosquitto: Any) -> Iterator[Operator]:
    found = Operator(mosquitto.port)
    yield found
    found.close()


def test_a_running_device_takes_over_refuses_and_rolls_back_by_mqtt(
    tmp_path: Path, mosquitto: Any, operator: Operator, server: Server
) -> None:
    put_into_service(Releases(tmp_path / "state" / "releases"), "1", server.folder)
    release(server.folder, "2")
    release(server.folder, "3", private=new_key()[0])
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((48, 64, 3), 60, np.uint8))
    path = config(tmp_path, port=mosquitto.port, sources=server.url, camera=f"file://{tmp_path / 'grey.png'}")
    with Device(settings_file.load(path)) as device:
        assert operator.sees(name="tiny", version="1", before="shipped", on_trial=False)
        running = device.vision
        assert running is not None

        assert operator.tell("models-pull", url=f"{server.url}tiny-3.release.json", id="a").ok
        refused = operator.hear()
        assert (refused.id, refused.ok) == ("a", False)
        assert "the signature is wrong" in str(refused.error)

        accepted = operator.tell("models-pull", url=f"{server.url}tiny-2.release.json", id="b")
        assert (accepted.ok, accepted.result["state"]) == (True, "being pulled")
        done = operator.hear()
        assert (done.id, done.ok, done.error) == ("b", True, None)
        assert (done.result["version"], done.result["from"], done.result["state"]) == ("2", "1", "on trial")
        assert operator.sees(version="2", before="1", on_trial=False, last="kept")
        until(lambda: running.models and running.models[0][1].card.version == "2")

        assert running.picture_ms()["tiny"] > 0

        back = operator.tell("models-rollback")
        assert (back.ok, back.result) == (True, {"model": "tiny", "version": "1", "from": "2"})
        assert operator.sees(version="1", last="rolled back", last_version="2", reason="by MQTT command")
        until(lambda: running.models and running.models[0][1].card.version == "1")

        elsewhere = operator.tell("models-pull", url="https://elsewhere.example.org/x")
        assert "not below one of updates.sources" in str(elsewhere.error)
        assert "no release of it is in service" in str(operator.tell("models-rollback", model="detector").error)
        assert all(health.restarts == 0 for health in device.health().values())


def test_models_are_not_pulled_by_mqtt_until_the_settings_name_sources(
    tmp_path: Path, mosquitto: Any, operator: Operator
) -> None:
    path = config(tmp_path, port=mosquitto.port)
    path.write_text(path.read_text().replace("sources = ['']", "sources = []"))
    with Device(settings_file.load(path)):
        until(lambda: operator.meta)
        assert "updates.keys and updates.sources name nothing" in str(
            operator.tell("models-pull", url="https://x/").error
        )
        assert operator.tell("models-rollback").error == "no release is in service"


def test_the_command_refuses_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, sources="https://models.example.org/")
    put_into_service(Releases(tmp_path / "state" / "releases"), "1", tmp_path / "made")
    pulled = ["models", "pull", str(release(tmp_path / "stick", "2", days=0)), "--config", str(path)]
    assert main(pulled) == 1
    said = capsys.readouterr().err
    assert "released 2026-11-23T00:00:00Z, before one that was in service here" in said
    assert said.count("\n") == 1
    path.write_text(path.read_text().replace(PUBLIC, "x"))
    assert main(pulled) == 2
    assert "updates.keys[1]: A public key is base64 of 32 bytes" in capsys.readouterr().err


# Cuts of power, and a full disk.


def old_model_works(releases: Releases) -> bool:
    card, folder = find(releases.card_of("tiny"))
    return card.version == "1" and all(verify(file, folder) for file in card.files)


@contextmanager
def pulling(path: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "comfywear.cli", "models", "pull", url, "--config", str(path)]
    with Child(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        yield process


def test_what_root_pulls_belongs_to_the_devices_user(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 12345, 12346)
    put_into_service(Releases(state / "releases"), "1", tmp_path / "made")
    assert {(path.stat().st_uid, path.stat().st_gid) for path in state.rglob("*")} == {(12345, 12346)}


def test_a_pull_that_is_killed_leaves_the_old_model_and_goes_on_the_next_time(
    tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    releases = Releases(tmp_path / "state" / "releases")
    put_into_service(releases, "1", server.folder)
    release(server.folder, "2")
    server.stall["tiny-2.onnx"] = 1000
    path, url = config(tmp_path, sources=server.url), f"{server.url}tiny-2.release.json"
    with pulling(path, url) as process:
        assert server.stalled.wait(60)
        until(lambda: [part for part in releases.folder.rglob("*.part") if part.stat().st_size == 1000])
        process.send_signal(signal.SIGKILL)
    assert old_model_works(releases)
    server.stall.clear()
    server.go_on.set()

    pull_again = ["models", "pull", url, "--config", str(path)]
    assert main(pull_again) == 0
    said = capsys.readouterr().out
    assert server.asked[-1] == "tiny-2.onnx bytes=1000-"
    assert "tiny 2 is in service on trial, after 1" in said
    assert "the device takes it over when it starts" in said
    slots = releases.slots("tiny")
    assert (slots.version, slots.before) == ("2", "1")
    assert slots.trial is not None
    assert find(releases.card_of("tiny"))[0].version == "2"
    assert main(pull_again) == 2
    assert "tiny 2 is in service already" in capsys.readouterr().err

    back = ["models", "rollback", "--config", str(path)]
    assert main([*back, "--because", "it sees ghosts"]) == 0
    assert "tiny: 1 is in service" in capsys.readouterr().out
    assert old_model_works(releases)
    assert main([*back, "tiny"]) == 0
    assert releases.card_of("tiny") == "tiny"
    assert main(["models", "list", "--config", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "tiny: shipped in service\n" in shown
    assert "2 rolled back: it sees ghosts" in shown
    assert main(back) == 2
    assert "no release is in service here" in capsys.readouterr().err
    with pytest.raises(UsageError, match="no such release is in service"):
        releases.roll_back("tiny", "once more")


@pytest.mark.slow
def test_a_pull_may_be_killed_at_any_moment(tmp_path: Path, server: Server) -> None:
    """kill -9 at 40 moments from the start of a pull to beyond its end."""
    releases = Releases(tmp_path / "state" / "releases")
    put_into_service(releases, "1", server.folder)
    release(server.folder, "2")
    path, url = config(tmp_path, sources=server.url), f"{server.url}tiny-2.release.json"
    began = time.monotonic()
    with pulling(path, url) as process:
        assert process.wait() == 0
    whole_s = time.monotonic() - began
    chance, versions = random.Random(1), []
    for _ in range(40):
        if releases.slots("tiny").version == "2":
            releases.roll_back("tiny", "in the test")
        assert old_model_works(releases)
        with pulling(path, url) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.2, 1.1) * whole_s)
            process.kill()
        card, folder = find(releases.card_of("tiny"))
        assert all(verify(file, folder) for file in card.files)
        versions.append(card.version)
        assert versions[-1] == releases.slots("tiny").version
    assert set(versions) == {"1", "2"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A state folder with 52 MB."""
    folder = tmp_path / "state"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=52m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs (root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)


def test_a_full_disk_leaves_the_old_model_and_no_rubbish(small_disk: Path, server: Server) -> None:
    releases = Releases(small_disk / "releases")
    put_into_service(releases, "1", server.folder)
    release(server.folder, "2")
    url = f"{server.url}tiny-2.release.json"
    server.stall["tiny-2.onnx"] = 1000

    def alive() -> None:
        """The disk runs full in the middle of the download."""
        if not (small_disk / "filler").exists():
            fill(small_disk)
            server.go_on.set()

    with pytest.raises(StoreError, match="No space left on device"):
        pull(releases, url, settings(), alive=alive)
    assert old_model_works(releases)
    assert list((releases.folder / "incoming").iterdir()) == []
    with pytest.raises(StoreError, match=r"do not fit on the disk: 0 MB are free"):
        pull(releases, url, settings())


@pytest.mark.slow
def test_a_pull_needs_no_more_than_the_unit_allows(tmp_path: Path) -> None:
    """The signature's package, the gate's process and its engine run with the service's system calls and memory."""
    root = Path(__file__).resolve().parents[2]
    path, manifest = config(tmp_path, sources="https://models.example.org/"), release(tmp_path / "stick", "1")
    confined = [sys.executable, str(root / "tests/systemd/confined.py"), str(root / "systemd/comfywear.service")]
    pulled = [sys.executable, "-m", "comfywear.cli", "models", "pull", str(manifest), "--config", str(path)]
    told = subprocess.run([*confined, *pulled], capture_output=True, text=True, check=False, timeout=120)
    if told.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert told.returncode == 0, told.stderr
    assert Releases(tmp_path / "state" / "releases").slots("tiny").version == "1"
