"""Corrections of finds: kept over a restart, bounded, listed, taken back; over MQTT and the socket like any command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.commands import finds as command
from comfywear.device.device import Device
from comfywear.device.mqtt.mqtt_commands import MqttCommands
from comfywear.device.sight.capture_worker import CaptureWorker
from comfywear.device.sight.finds import MOST, CorrectionBook
from comfywear.device.sight.frame_step import FrameStep
from comfywear.device.sight.vision_worker import VisionWorker
from comfywear.device.votes.voting import Voting
from comfywear.errors import StoreError, UsageError
from comfywear.feedback import ControlServer
from comfywear.feedback.capture import as_coco, read_captures
from comfywear.publishing import Aside, BrokerSettings, Publisher, Spool, Topics
from comfywear.publishing.broker.connection import Incoming
from comfywear.publishing.messages.answer import ReplyMessage
from comfywear.publishing.messages.kinds import read_message
from comfywear.records import Box, Detection, Frame, Person
from comfywear.settings import CameraSettings, Settings, VisionSettings
from comfywear.settings.device import DeviceSettings
from comfywear.settings.feedback import CaptureSettings
from comfywear.system.clock import WallTime
from comfywear.system.supervisor import Supervisor
from comfywear.vision.budget import Budget
from waiting import until

IMAGE = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
COAT: Box = (160.0, 120.0, 320.0, 360.0)


def person(number: int, box: Box = COAT) -> Person:
    return Person(number, box, 0.8, (), {}, 5.0, "room")


class Camera:
    """The newest picture."""

    def __init__(self, *persons: Person) -> None:
        self.persons = persons
        self.crops: list[tuple[Any, ...]] = []
        self.forgotten: list[int] = []

    def pictures(self) -> dict[str, tuple[Frame, tuple[Person, ...]]]:
        return {"camera": (Frame(IMAGE, 1, 50.0, "made"), self.persons)}

    def finds(self, folder: Path, time_ok: bool = True) -> CorrectionBook:
        return CorrectionBook(
            folder,
            self.pictures,
            keep_crop=lambda *said: self.crops.append(said),
            forget_crop=self.forgotten.append,
            clock=lambda: WallTime("2027-01-02T03:04:05.000+00:00" if time_ok else None, time_ok),
        )


def test_a_correction_is_kept_over_a_restart_listed_and_taken_back(tmp_path: Path) -> None:
    camera = Camera(person(4), person(9, (400.0, 100.0, 500.0, 400.0)))
    finds = camera.finds(tmp_path)
    assert finds.reject(4) == 1
    assert finds.miss([0.1, 0.2, 0.3, 0.9]) == 2
    assert [(*crop[:2], crop[3]) for crop in camera.crops] == [
        (1, "reject", COAT),
        (2, "miss", pytest.approx((64.0, 96.0, 192.0, 432.0))),
    ]
    again = camera.finds(tmp_path)
    said = again.listed()
    assert [find["number"] for find in said["finds"]] == [4, 9]
    assert said["finds"][0]["box"] == [0.25, 0.25, 0.5, 0.75]
    assert said["corrections"] == [
        {"number": 1, "kind": "reject", "box": [0.25, 0.25, 0.5, 0.75], "ts": "2027-01-02T03:04:05.000+00:00"},
        {"number": 2, "kind": "miss", "box": [0.1, 0.2, 0.3, 0.9], "ts": "2027-01-02T03:04:05.000+00:00"},
    ]
    assert len(again.corrections()[0].look) == 24 * 24
    assert again.undo(1).kind == "reject"
    assert camera.forgotten == [1]
    assert [each.number for each in camera.finds(tmp_path).corrections()] == [2]
    assert camera.finds(tmp_path).reject(9) == 3  # a number is not used again


def test_what_cannot_be_meant_is_refused_in_words(tmp_path: Path) -> None:
    finds = Camera(person(4)).finds(tmp_path)
    with pytest.raises(UsageError, match="no find has the number 5 now; seen are: 4"):
        finds.reject(5)
    with pytest.raises(UsageError, match="no correction has the number 1; there are: none"):
        finds.undo(1)
    for box in ([0.5, 0.1, 0.4, 0.9], [0.1, 0.1, 1.1, 0.9], [0.1, 0.1, 0.1, 0.9], [float("nan")] * 4, [0.1] * 3):
        with pytest.raises(UsageError, match="from 0 to 1"):
            finds.miss(box)
    with pytest.raises(UsageError, match="no picture now"):
        CorrectionBook(tmp_path, dict).reject(4)
    assert finds.corrections() == ()


numbers = st.none() | st.booleans() | st.integers() | st.floats()
words = st.sampled_from(["list", "reject", "miss", "undo", ""]) | st.lists(st.integers() | st.text(), max_size=5)


@given(st.dictionaries(st.sampled_from(["do", "number", "box"]), numbers | words))
def test_whatever_the_socket_brings_is_answered_or_refused(said: dict[str, Any]) -> None:
    finds = CorrectionBook(Path("/nonexistent"), dict)
    try:
        finds.answer(said)
    except UsageError as error:
        assert str(error)


def test_the_store_is_bounded_and_a_full_disk_or_a_broken_file_is_no_end(tmp_path: Path) -> None:
    finds = Camera(person(1)).finds(tmp_path)
    for _ in range(MOST):
        finds.reject(1)
    with pytest.raises(UsageError, match="take one back first"):
        finds.reject(1)
    assert len(Camera().finds(tmp_path).corrections()) == MOST
    assert (tmp_path / "corrections.json").stat().st_size < 400_000
    for text in ("{", '{"corrections": [{"number": "x"}]}', '{"corrections": 5}', "[]"):
        (tmp_path / "corrections.json").write_text(text)
        assert Camera().finds(tmp_path).corrections() == ()
    with pytest.raises(StoreError):
        Camera(person(1)).finds(tmp_path / "gone").reject(1)


class Said(Publisher):
    def __init__(self) -> None:
        super().__init__(BrokerSettings(""), Topics("home", "d1"), Spool(None, "d1"))
        self.said: list[Aside] = []

    def say(self, aside: Aside) -> None:
        self.said.append(aside)


def test_over_mqtt_finds_are_listed_rejected_missed_and_taken_back(tmp_path: Path) -> None:
    publisher, finds = Said(), Camera(person(4)).finds(tmp_path)
    commands = MqttCommands(Settings(), tmp_path, publisher, again=lambda: None, finds=finds)

    def ask(name: str, **fields: Any) -> ReplyMessage:
        topic = f"{publisher.topics.base}/cmd/{name}"
        commands.take(Incoming(topic, json.dumps(fields).encode(), False, 1, 1))
        reply = read_message(publisher.said[-1].payload)
        assert isinstance(reply, ReplyMessage)
        return reply

    assert ask("finds-reject", person=4).result == {"correction": 1}
    assert ask("finds-miss", box=[0.1, 0.1, 0.2, 0.4]).result == {"correction": 2}
    listed = ask("finds-list").result
    assert json.loads(str(listed["finds"]))[0]["number"] == 4
    assert [each["kind"] for each in json.loads(str(listed["corrections"]))] == ["reject", "miss"]
    assert ask("finds-undo", correction=1).result == {"correction": 1, "kind": "reject"}
    assert "no find has the number 77" in str(ask("finds-reject", person=77).error)
    assert "<= 1" in str(ask("finds-miss", box=[0.1, 0.1, 2.0, 0.4]).error)
    without = MqttCommands(Settings(), tmp_path, publisher, again=lambda: None)
    without.take(Incoming(f"{publisher.topics.base}/cmd/finds-list", b"", False, 1, 1))
    assert b"cannot be corrected" in publisher.said[-1].payload


def test_on_a_device_finds_are_corrected_by_mqtt_and_never_on_an_old_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = VisionWorker(Settings(camera=CameraSettings(source="file:///x")))
    camera = gone.cameras["camera"]
    camera.took(Frame(IMAGE, 1, 50.0, "made"), [person(4)], Budget().load(), 0.1)
    assert list(gone.pictures()) == ["camera"]
    camera.say("camera gone: unplugged")  # its last picture is still there
    device = Device(Settings(device=DeviceSettings(state_dir=str(tmp_path))))
    said: list[Aside] = []
    monkeypatch.setattr(device.link.publisher, "say", said.append)
    monkeypatch.setattr(device, "vision", gone)
    base = device.topics.base
    device.commands.take(Incoming(f"{base}/cmd/finds-list", b"", False, 1, 1))
    device.commands.take(Incoming(f"{base}/cmd/finds-reject", b'{"person": 4}', False, 1, 1))
    device.commands.take(Incoming(f"{base}/cmd/finds-miss", b'{"box": [0.1, 0.1, 0.5, 0.5]}', False, 1, 1))
    listed, rejected, missed = (json.loads(aside.payload) for aside in said)
    assert (listed["ok"], listed["result"]["finds"]) == (True, "[]")
    assert [each["error"] for each in (rejected, missed)] == ["there is no picture now"] * 2
    device.stop()


def test_the_command_talks_to_the_running_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    finds = Camera(person(4)).finds(tmp_path)
    server, supervisor = ControlServer(tmp_path, {"finds": finds.answer}), Supervisor()
    supervisor.add("control", lambda pulse: server.run(pulse.stop, pulse.beat))
    supervisor.start()
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())

    def call(*words: str) -> str:
        args = parser.parse_args(["finds", *words, "--state-dir", str(tmp_path)])
        assert args.run(args) == 0
        return capsys.readouterr().out

    try:
        until(lambda: (tmp_path / "control.sock").exists())
        assert "4  0.250 0.250 0.500 0.750  score 0.80  room" in call("list")
        assert "comfywear finds undo 1" in call("reject", "4")
        assert "correction 2" in call("miss", "0.1", "0.1", "0.2", "0.5")
        assert "reject" in call("list")
        assert "correction 1 (reject) is taken back" in call("undo", "1")
        with pytest.raises(UsageError, match="no find has the number 5"):
            call("reject", "5")
    finally:
        supervisor.stop(timeout_s=10.0)


class Finder:
    thresholds = {"person": 0.3}  # noqa: RUF012  # a constant

    def __init__(self) -> None:
        self.score = 0.9

    def detect(self, image: np.ndarray, *, threshold: float | None = None) -> list[Detection]:
        del image, threshold
        return [Detection(COAT, self.score, "person")]


def test_on_the_device_a_rejected_find_is_gone_with_the_next_frame_and_comes_back_when_it_is_taken_back(
    tmp_path: Path,
) -> None:
    seen: list[Person] = []
    finds = CorrectionBook(tmp_path, lambda: {"camera": (Frame(IMAGE, 1, 50.0, "made"), seen)})
    step = FrameStep(Settings(vision=VisionSettings(attributes="")), Finder(), None, corrections=finds.corrections)

    def show(index: int) -> int:
        seen[:] = step.take(Frame(IMAGE, index, 100.0 + index / 2, "made"))
        return len(seen)

    assert [show(index) for index in range(6)][-1] == 1
    number = finds.reject(seen[0].track_id)
    assert show(6) == 0
    finds.undo(number)
    assert show(7) == 1


def test_on_the_device_a_weak_find_counts_where_somebody_was_missed(tmp_path: Path) -> None:
    finds = CorrectionBook(tmp_path, lambda: {"camera": (Frame(IMAGE, 1, 50.0, "made"), ())})
    finder = Finder()
    finder.score = 0.12
    step = FrameStep(Settings(vision=VisionSettings(attributes="")), finder, None, corrections=finds.corrections)
    counts = [len(step.take(Frame(IMAGE, index, 100.0 + index / 2, "made"))) for index in range(4)]
    finds.miss([0.25, 0.25, 0.5, 0.75])
    counts += [len(step.take(Frame(IMAGE, 4 + index, 102.0 + index / 2, "made"))) for index in range(4)]
    assert counts[:4] == [0] * 4
    assert counts[-1] == 1


def test_with_capture_on_a_crop_is_kept_as_a_negative_without_faces_and_goes_when_it_is_taken_back(
    tmp_path: Path,
) -> None:
    voting = Voting(tmp_path, ["room"], Settings().votes, moment=lambda _: None, send=lambda _: None)  # type: ignore[arg-type, return-value]  # no vote is pressed
    capture = CaptureWorker(tmp_path, CaptureSettings(enabled=True), voting, None, list)
    finds = CorrectionBook(
        tmp_path,
        Camera(person(4)).pictures,
        keep_crop=capture.on_correction,
        forget_crop=capture.forget_correction,
    )
    frame = Frame(IMAGE, 1, 50.0, "made")
    found = [Detection(COAT, 0.8, "person"), Detection((170.0, 160.0, 310.0, 300.0), 0.7, "outer")]
    capture.on_look(frame, found, [person(4)], {"person": 0.3, "outer": 0.3})
    supervisor = Supervisor()
    capture.add_worker(supervisor)
    supervisor.start()
    try:
        finds.reject(4)
        finds.miss([0.6, 0.2, 0.8, 0.9])
        folder = tmp_path / "captures"
        until(lambda: len(list(folder.glob("*.json"))) == 2)
        no_person, a_person = sorted(read_captures(folder), key=lambda each: str(each["correction"]["number"]))
        assert no_person["correction"] == {"number": 1, "kind": "reject"}
        assert no_person["annotations"] == []
        assert [each["label"] for each in a_person["annotations"]] == ["person"]
        assert len(as_coco(folder)["images"]) == 2
        finds.undo(1)
        assert len(list(folder.glob("*.json"))) == 1
    finally:
        supervisor.stop(timeout_s=10.0)
        voting.store.close()


def test_with_capture_off_nothing_is_kept_of_a_picture(tmp_path: Path) -> None:
    voting = Voting(tmp_path, ["room"], Settings().votes, moment=lambda _: None, send=lambda _: None)  # type: ignore[arg-type, return-value]  # no vote is pressed
    capture = CaptureWorker(tmp_path, CaptureSettings(), voting, None, list)
    finds = CorrectionBook(tmp_path, Camera(person(4)).pictures, keep_crop=capture.on_correction)
    finds.reject(4)
    assert not (tmp_path / "captures").exists()
    voting.store.close()
