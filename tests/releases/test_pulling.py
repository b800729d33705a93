"""Pulling a release: each fault is refused with its reason, and the old model is in service throughout."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import msgspec
import pytest
from made import LABELS, crashing, outputs, put_into_service, quiet_answers, release, settings, working
from servers import Server
from tiny_onnx import write_onnx

from comfywear.errors import ModelError, UsageError
from comfywear.releases import Releases
from comfywear.releases.folders import locked
from comfywear.releases.gate import Request, try_model
from comfywear.releases.gate_child import try_here
from comfywear.releases.pulling import Pulled, pull
from comfywear.releases.rules import Rules
from comfywear.releases.store import shipped_version
from comfywear.vision import Detector, sample_answers
from comfywear_models import find, verify
from comfywear_models.release import SampleAnswers, new_key

FAST = Rules(pauses_s=(0.01, 0.01))


class Shop:
    """A device's releases, a server that offers them, and version 1 in service."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.server, self.releases = server, Releases(folder / "state" / "releases")
        self.said: list[str] = []
        self.first = put_into_service(self.releases, "1", server.folder)

    def pull(self, version: str, **more: Any) -> Pulled:
        updates = more.pop("updates", {})
        url = f"{self.server.url}tiny-{version}.release.json"
        return pull(self.releases, url, settings(**updates), say=self.said.append, rules=FAST, **more)

    def refused(self, version: str, words: str, **more: Any) -> None:
        """Pulling is refused with these words, and the first model is in service before, during and after."""
        during: list[bool] = []
        with pytest.raises(ModelError, match=words):
            self.pull(version, alive=lambda: during.append(self.old_model_works(thoroughly=False)), **more)
        assert all(during)
        assert self.old_model_works()

    def old_model_works(self, *, thoroughly: bool = True) -> bool:
        slots = self.releases.slots("tiny")
        card, folder = find(self.releases.card_of("tiny"))
        if thoroughly:
            Detector.load(self.releases.card_of("tiny"), engine="onnxruntime")
        return slots.current == self.first and card.version == "1" and bool(verify(card.files[0], folder))

    def history(self) -> tuple[str, str, str]:
        newest = self.releases.slots("tiny").history[-1]
        return newest.what, newest.version, newest.reason


@pytest.fixture
def shop(tmp_path: Path, server: Server) -> Shop:
    return Shop(tmp_path, server)


def test_how_much_of_a_release_is_here_is_said_while_it_comes(shop: Shop) -> None:
    release(shop.server.folder, "2")
    heard: list[tuple[str, str, float]] = []
    shop.pull("2", progress=lambda *said: heard.append(said))
    assert {said[:2] for said in heard} == {("tiny", "2")}
    shares = [share for *_, share in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_one_release_is_pulled_at_a_time(shop: Shop) -> None:
    release(shop.server.folder, "2")
    with (
        locked(shop.releases.folder / "pulling.lock"),
        pytest.raises(UsageError, match="another release is being pulled"),
    ):
        shop.pull("2")


def test_what_is_not_there_is_said(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        pull(shop.releases, str(tmp_path / "none.release.json"), settings())
    shop.refused("9", "the server answers 404")


def test_a_wrong_hash_is_refused(shop: Shop) -> None:
    release(shop.server.folder, "2")
    file = shop.server.folder / "tiny-2.onnx"
    content = bytearray(file.read_bytes())
    content[-30] ^= 1
    file.write_bytes(content)
    shop.refused("2", r"tiny-2\.onnx has the wrong hash")
    assert shop.history()[:2] == ("refused", "2")
    assert list((shop.releases.folder / "incoming").iterdir()) == []


def test_a_wrong_signature_is_refused(shop: Shop) -> None:
    release(shop.server.folder, "2", private=new_key()[0])
    shop.refused("2", "the signature is wrong")
    release(shop.server.folder, "3")
    shop.refused("3", "the signature is wrong", updates={"keys": [new_key()[1]]})
    assert [line for line in shop.server.asked if "onnx" in line] == []


def test_nobody_is_trusted_until_a_key_is_named(shop: Shop) -> None:
    with pytest.raises(UsageError, match=r"updates\.keys names nobody"):
        shop.pull("1", updates={"keys": []})


def test_a_wrong_shape_is_refused(shop: Shop) -> None:
    """The graph takes another size than its card says."""
    folder = shop.server.folder
    file = write_onnx(folder / "tiny-2.onnx", ("float32", (1, 48, 48, 3)), outputs())
    release(folder, "2", file, samples=quiet_answers(file))
    shop.refused("2", "the graph wants 1 x 48 x 48 x 3, its card says N x 32 x 32 x 3")


def test_a_model_that_hangs_is_ended(tmp_path: Path) -> None:
    file = working(tmp_path / "tiny-2.onnx", above=-1, size=6000)
    release(tmp_path, "2", file, samples=quiet_answers(file))
    with pytest.raises(ModelError, match="no end within 1 s while"):
        try_model(
            tmp_path / "tiny.card.json",
            quiet_answers(file),
            present="",
            slower_at_most=1.5,
            vision=settings().vision,
            patience_s=1.0,
        )


def gate(folder: Path, version: str, samples: list[SampleAnswers] | None = None) -> None:
    """What the gate's process does, here."""
    card = folder / "tiny.card.json"
    answers = samples or sample_answers(find(card)[0], folder)
    try_here(Request(str(card), answers, "", 1.5, "onnxruntime", "fp16", 1))


def test_outputs_that_its_labels_do_not_fit_are_refused(tmp_path: Path) -> None:
    release(tmp_path, "2", labels=[*LABELS, "hat"])
    with pytest.raises(ModelError, match=r"the graph's outputs are .* layout comfywear-1 means"):
        gate(tmp_path, "2")


def test_a_detector_that_knows_no_persons_is_refused(tmp_path: Path) -> None:
    release(tmp_path, "2", labels=["cat", "top"])
    with pytest.raises(ModelError, match="it does not find persons"):
        gate(tmp_path, "2")


def test_answers_that_differ_from_the_releases_are_refused(tmp_path: Path) -> None:
    release(tmp_path, "2")
    ((sample,),) = [sample_answers(find(tmp_path / "tiny.card.json")[0], tmp_path)]
    wrong = msgspec.structs.replace(sample.outputs[0], values=[1.0] * 42)
    with pytest.raises(ModelError, match="its answers to the built-in sample are wrong: output 0 is 4"):
        gate(tmp_path, "2", [msgspec.structs.replace(sample, outputs=[wrong, sample.outputs[1]])])


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="other processors divide by nought")
def test_a_model_that_crashes_the_engine_is_refused(shop: Shop) -> None:
    file = crashing(shop.server.folder / "tiny-2.onnx")
    release(shop.server.folder, "2", file, samples=quiet_answers(file))
    shop.refused("2", r"it crashed the engine while loading it \(SIGFPE\)")
    assert "SIGFPE" in shop.history()[2]


def test_a_slow_model_is_refused(shop: Shop) -> None:
    file = working(shop.server.folder / "tiny-2.onnx", above=-1)
    release(shop.server.folder, "2", file)
    shop.refused("2", r"too slow: .* ms a picture, .* ms with the present model \(at most 1\.5 times that\)")


@pytest.mark.parametrize(
    ("changes", "updates", "words"),
    [
        ({"task": "comfort"}, {}, "it is for 'comfort'; detector and attributes can be pulled"),
        ({}, {"largest_mb": 0.001}, r"its files have 0\.0 MB, updates\.largest_mb allows 0\.001"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_fetched(
    shop: Shop, changes: dict[str, Any], updates: dict[str, Any], words: str
) -> None:
    file = write_onnx(shop.server.folder / "tiny-2.onnx", ("float32", (1, 32, 32, 3)), outputs())
    release(shop.server.folder, "2", file, samples=quiet_answers(file), **changes)
    shop.refused("2", words, updates=updates)
    assert "tiny-2.onnx" not in shop.server.asked


def test_a_fresh_device_takes_no_release_older_than_the_model_it_came_with(server: Server, tmp_path: Path) -> None:
    releases = Releases(tmp_path / "state" / "releases")
    assert shipped_version("detector") > "0"
    release(server.folder, "0", name="detector")
    url = f"{server.url}detector-0.release.json"
    with pytest.raises(ModelError, match=r"older than the one in service, .*, which came with the program"):
        pull(releases, url, settings(), rules=FAST)
    assert releases.slots("detector").current is None
