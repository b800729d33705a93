"""Tiny detectors and their signed releases; graphs that crash, that are slow, that are slow in the light."""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from tiny_onnx import data, number, tensor, value_info, write_onnx

from comfywear.releases import Releases, Slot
from comfywear.settings import Settings, VisionSettings
from comfywear.settings.updates import UpdatesSettings
from comfywear.vision import sample_answers
from comfywear_models import Card, ModelFile
from comfywear_models.release import Answer, SampleAnswers, build, file_name, new_key, sign

PRIVATE, PUBLIC = new_key()
SIDE, CELLS = 32, 21
LABELS = ["person", "top"]
BORN = datetime(2026, 11, 23, tzinfo=timezone.utc)
INPUT = {"name": "images", "dtype": "float32", "layout": "NHWC", "channels": "RGB", "height": SIDE, "width": SIDE}


def settings(**updates: Any) -> Settings:
    """Of a device that trusts `PRIVATE`."""
    return Settings(
        vision=VisionSettings(detector="tiny", attributes="", engine="onnxruntime", threads=1),
        updates=UpdatesSettings(**{"keys": [PUBLIC], **updates}),
    )


def outputs(value: float = -3.0) -> dict[str, np.ndarray]:
    """Nobody is seen anywhere; `value` tells models apart."""
    return {
        "logits": np.full((1, CELLS, len(LABELS)), value, np.float32),
        "distances": np.zeros((1, CELLS, 8), np.float32),
    }


def node(op: str, inputs: list[str], output: str, **whole: int) -> bytes:
    """A node with whole-numbered attributes."""
    said = b"".join(data(5, data(1, key) + number(3, value) + number(20, 2)) for key, value in whole.items())
    return b"".join(data(1, each) for each in inputs) + data(2, output) + data(4, op) + said


def graph(path: Path, nodes: list[bytes], constants: dict[str, np.ndarray]) -> Path:
    """A detector whose logits are `base` and something that the nodes work out as `more`."""
    nodes = [
        *nodes,
        node("Cast", ["more"], "small", to=1),
        node("Min", ["small", "zero"], "none"),
        node("Add", ["base", "none"], "logits"),
        node("Identity", ["far"], "distances"),
    ]
    shown = outputs()
    constants = {**constants, "base": shown["logits"], "far": shown["distances"], "zero": np.zeros((), np.float32)}
    body = b"".join(data(1, each) for each in nodes) + data(2, "tiny")
    body += b"".join(data(5, tensor(name, values)) for name, values in constants.items())
    body += data(11, value_info("images", "float32", (1, SIDE, SIDE, 3)))
    body += b"".join(data(12, value_info(name, "float32", values.shape)) for name, values in shown.items())
    path.write_bytes(number(1, 8) + data(7, body) + data(8, data(1, "") + number(2, 17)))
    return path


def crashing(path: Path) -> Path:
    """Divides the lowest whole number by −1: on x86 the processor ends the process (SIGFPE)."""
    nodes = [
        node("ReduceMax", ["images"], "brightest", keepdims=0),
        node("Cast", ["brightest"], "whole", to=7),
        node("Sub", ["whole", "whole"], "nought"),
        node("Add", ["nought", "lowest"], "low"),
        node("Add", ["nought", "minus"], "one_less"),
        node("Div", ["low", "one_less"], "more"),
    ]
    return graph(path, nodes, {"lowest": np.array(-(2**63), np.int64), "minus": np.array(-1, np.int64)})


def working(path: Path, *, above: float, size: int = 700) -> Path:
    """Multiplies large matrices where the brightest value of the picture (0…255) is `above` something."""
    nodes = [
        node("ReduceMax", ["images"], "brightest", keepdims=0),
        node("Sub", ["brightest", "above"], "over"),
        node("Relu", ["over"], "some"),
        node("Min", ["some", "one"], "share"),
        node("Mul", ["share", "size"], "many"),
        node("Cast", ["many"], "whole", to=7),
        node("Add", ["whole", "first"], "ends"),
        node("Expand", ["brightest", "square"], "large"),
        node("Slice", ["large", "start", "ends", "axis"], "part"),
        node("MatMul", ["part", "large"], "product"),
        node("ReduceMax", ["product"], "more", keepdims=0),
    ]
    constants = {
        "above": np.array(above, np.float32),
        "one": np.array(1, np.float32),
        "size": np.array(size - 1, np.float32),
        "first": np.array([1], np.int64),
        "start": np.array([0], np.int64),
        "axis": np.array([0], np.int64),
        "square": np.array([size, size], np.int64),
    }
    return graph(path, nodes, constants)


def card(file: Path, version: str, name: str = "tiny", **changes: Any) -> Card:
    """The card of a tiny detector."""
    content = file.read_bytes()
    made = ModelFile(file.name, "onnxruntime", "fp16", hashlib.sha256(content).hexdigest(), len(content))
    whole = Card(name, version, "detector", "comfywear-1", INPUT, LABELS, "Apache-2.0", [made])
    return msgspec.structs.replace(whole, **changes)


def release(folder: Path, version: str, file: Path | None = None, *, private: bytes = PRIVATE, **changes: Any) -> Path:
    """Write a signed release into a folder; returns the manifest's path. Else as `prepared`."""
    made, manifest = prepared(folder, version, file, **changes)
    path = folder / file_name(made)
    path.write_bytes(sign(manifest, private))
    return path


def prepared(folder: Path, version: str, file: Path | None = None, **changes: Any) -> tuple[Card, bytes]:
    """A release's card and manifest; of a plain detector where no file is given.

    Changes: `samples` (answers instead of the model's own), `days` (after `BORN`), or fields of the card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    samples, days = changes.pop("samples", None), changes.pop("days", int(version.split(".")[0]))
    if file is None:
        file = write_onnx(folder / f"tiny-{version}.onnx", ("float32", (1, SIDE, SIDE, 3)), outputs(-float(days) - 1))
    made = card(file, version, **changes)
    (folder / f"{made.name}.card.json").write_bytes(msgspec.json.encode(made))
    answers = sample_answers(made, folder) if samples is None else samples
    return made, build(made, folder, answers, released=BORN + timedelta(days=days))


def quiet_answers(file: Path) -> list[SampleAnswers]:
    """What a tiny detector answers that sees nobody, for graphs that cannot be run here."""
    shown = [
        Answer(list(each.shape), [float(value) for value in each.ravel()[:64]], 9.0) for each in outputs().values()
    ]
    shown = [
        Answer(one.shape, [float(v) for v in np.resize(one.values, min(64, int(np.prod(one.shape))))], 9.0)
        for one in shown
    ]
    return [SampleAnswers(file.name, shown)]


def put_into_service(releases: Releases, version: str, folder: Path) -> Slot:
    """A plain release in service, as if it had stood its trial; returns its slot."""
    release(folder, version)
    slot = Slot(version, f"{version}-0", f"2026-11-{23 + int(version)}T00:00:00Z")
    staged = releases.folder / "staged"
    staged.mkdir(parents=True)
    for path in (folder / "tiny.card.json", folder / f"tiny-{version}.onnx"):
        shutil.copy(path, staged)
    releases.take_over("tiny", slot, staged, None)
    releases.end_trial("tiny", slot.folder, "in the test")
    return slot
