"""Capture on the device: off by default; where it is on, people are kept as crops, and go with a deleted vote."""

from __future__ import annotations

from pathlib import Path

from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear.feedback import Selection, ask
from comfywear.feedback.capture import read_captures
from comfywear.settings import Settings
from waiting import until


def settings(folder: Path, photo: Path, text: str) -> Settings:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nstate_dir = '{folder / 'state'}'\n[camera]\nsource = '{photo}'\nloop = true\n"
        f"[vision]\nattributes = ''\n{text}"
    )
    return settings_file.load(path)


def test_what_the_camera_sees_is_captured_only_where_it_is_switched_on(tmp_path: Path, shared_data: Path) -> None:
    photo = min((shared_data / "ccp" / "photos").glob("*.jpg"))  # somebody standing
    folder = tmp_path / "state" / "captures"
    with Device(settings(tmp_path, photo, "")) as device:
        assert not device.capture.state().on
        vision = device.vision
        assert vision is not None
        until(lambda: vision.frames > 2)
        device.vote("room", 3, "test")
        assert not folder.exists()
    text = "[capture]\nenabled = true\nsamplers = ['random', 'vote']\nrandom_part = 1.0\ngap_s = 3600\n"
    with Device(settings(tmp_path, photo, text)) as device:
        until(lambda: len(list(read_captures(folder))) == 1)
        vote = device.vote("room", 2, "test")
        until(lambda: len(list(read_captures(folder))) == 2)
        first, second = read_captures(folder)
        assert (first["sampler"], first["zone"], first["vote"]) == ("random", "room", None)
        assert (second["sampler"], second["vote"]["id"]) == ("vote", vote.id)
        assert first["models"][0]["sha256"]
        assert any(each["label"] == "person" for each in first["annotations"])
        assert ask(tmp_path / "state", {"verb": "status"})["capture"]["items"] == 2
        assert vote.id in device.voting.delete(Selection(zone="room"))
        assert [item["id"] for item in read_captures(folder)] == [first["id"]]
