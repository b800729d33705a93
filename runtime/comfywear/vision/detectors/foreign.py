"""A detector that the user brought: what its file says of itself, how it is read, and the card for it."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError, UsageError
from comfywear.system.damaged_zip import DAMAGED_ZIP
from comfywear.texts import encode
from comfywear.vision.detectors.preparing import preparation_of
from comfywear.vision.engines import ENGINES, Engine, TensorInfo, read_input
from comfywear.vision.layouts import LAYOUTS
from comfywear.vision.layouts.doubt import doubt_about
from comfywear.vision.layouts.guess import Guess, guess
from comfywear_models import Card, ModelFile

__all__ = ["Foreign", "card_of", "labels_inside", "open_foreign", "place"]

_ANY_CLASSES = 1000  # more than any model has, where the outputs don't show how many
_NAME_KEYS = ("names", "class_names", "classes", "labels")
_LARGEST_NOTE = 1 << 20
_ENGINES = {".onnx": "onnxruntime", ".tflite": "litert"}


@dataclass(frozen=True, eq=False)
class Foreign:
    """A model file that has no card yet.

    Attributes:
        path: The file.
        engine_name: Which engine runs it.
        engine: It, loaded.
        input: What is known of its input: layout, dtype, height, width.
    """

    path: Path
    engine_name: str
    engine: Engine
    input: Mapping[str, Any]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the input."""
        return int(self.input["height"]), int(self.input["width"])

    def outputs(self, image: NDArray[np.uint8], reading: Guess) -> list[NDArray[Any]]:
        """The graph's outputs for a picture that is prepared as usual for a layout."""
        batch, _ = preparation_of({**LAYOUTS[reading.layout].input, **reading.input, **self.input})(image)
        return self.engine.run(batch)

    def guesses(self, image: NDArray[np.uint8], classes: int | None = None) -> list[Guess]:
        """See `guess`. The numbers are looked at as each family would prepare the picture."""
        names = [output.name for output in self.engine.outputs]
        found: list[Guess] = []
        for one in guess(self.outputs(image, Guess("yolov8", None, "")), self.size, classes, names):
            again = guess(self.outputs(image, one), self.size, classes, names)
            found += [g for g in again if (g.layout, g.input) == (one.layout, one.input) and g not in found]
        return found

    def doubt(self, image: NDArray[np.uint8], reading: Guess, classes: int | None = None) -> str | None:
        """What speaks against a reading when a picture is looked at; None when nothing does.

        Raises:
            ModelError: The outputs cannot be read so at all.
        """
        count = reading.classes or classes or _ANY_CLASSES
        raw = LAYOUTS[reading.layout].decode(self.outputs(image, reading), self.size, count, reading.options)
        return doubt_about(raw, self.size)


def open_foreign(path: Path, size: tuple[int, int] | None = None) -> Foreign:
    """Load a file without a card.

    Args:
        path: An ONNX or TFLite file.
        size: Height and width, where the graph leaves them open.

    Raises:
        ModelError: The file is no such graph, or its engine is not installed.
        UsageError: The file's kind is not known, its input is no picture, or the size is needed and not given.
    """
    engine_name = _ENGINES.get(path.suffix.lower())
    if engine_name is None:
        raise UsageError(f"{path}: a model file ends in .onnx or .tflite; export yours to one of these")
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    info = read_input(path, engine_name)
    known = _picture(info, size, path)
    shape = (3, *known[1:]) if known[0] == "NCHW" else (*known[1:], 3)
    engine = ENGINES[engine_name](path, "fp32", shape, 1)
    dtype = "uint8" if info.dtype == "uint8" else "float32"
    described = {"name": info.name, "layout": known[0], "dtype": dtype, "height": known[1], "width": known[2]}
    return Foreign(path, engine_name, engine, described)


def labels_inside(path: Path) -> tuple[str, ...] | None:
    """Class names that a file carries; None if there are none.

    Known are Ultralytics' `names` in the metadata of an ONNX file or in a file that is appended to a TFLite one
    (`metadata.json`, formerly `temp_meta.txt`), and TFLite's label file.
    """
    if path.suffix.lower() == ".onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        said = session.get_modelmeta().custom_metadata_map
        return next((names for key in _NAME_KEYS if (names := _names_in(said.get(key, "")))), None)
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            return _labels_appended(archive)
    except DAMAGED_ZIP as error:
        raise ModelError(f"{path}: the label list in it is damaged ({error}); name one with --labels") from error


def _labels_appended(archive: zipfile.ZipFile) -> tuple[str, ...] | None:
    for member in archive.infolist():
        if not member.filename.endswith((".json", ".txt")) or member.file_size > _LARGEST_NOTE:
            continue
        text = archive.read(member).decode("utf-8-sig", "replace")
        names = _names_in(text)
        if names is None and member.filename.endswith(".txt") and "label" in member.filename.lower():
            names = tuple(line.strip() for line in text.splitlines())
        if names:
            return names
    return None


def _names_in(text: str) -> tuple[str, ...] | None:
    """Class names written as JSON or Python: a list, numbers with names, or either under "names"."""
    said: Any = None
    for read in (json.loads, ast.literal_eval):
        try:
            said = read(text)
            break
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    if isinstance(said, dict) and any(key in said for key in _NAME_KEYS):
        said = next(said[key] for key in _NAME_KEYS if key in said)
    if isinstance(said, dict):
        numbered = {str(key): str(name) for key, name in said.items()}
        numbers = list(map(str, range(len(said))))
        said = [numbered[number] for number in numbers] if numbered.keys() == set(numbers) else None
    if isinstance(said, list) and said and all(isinstance(name, str) for name in said):
        return tuple(said)
    return None


def card_of(
    foreign: Foreign,
    chosen: Guess,
    labels: Sequence[str],
    *,
    name: str,
    threshold: float | None = None,
    licence: str = "",
) -> Card:
    """The card for a file that is read in the chosen way; its path is that beside the card."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        raise UsageError(f"a model's name has small letters, digits, '.', '_', '-', not {name!r}; give one with --name")
    family = LAYOUTS[chosen.layout]
    data = foreign.path.read_bytes()
    known = {**family.input, **chosen.input}
    usual = {k: v for k, v in known.items() if k not in ("mean", "std") or foreign.input["dtype"] == "float32"}
    precision = "int8" if foreign.engine.input.dtype in ("uint8", "int8") else "fp32"
    file_name = f"{name}{foreign.path.suffix.lower()}"
    file = ModelFile(file_name, foreign.engine_name, precision, hashlib.sha256(data).hexdigest(), len(data))
    return Card(
        name=name,
        version="1",
        task="detector",
        layout=chosen.layout,
        input={**foreign.input, **usual},
        output=dict(chosen.options),
        labels=list(labels),
        licence=licence or "not known: that of whoever made the file",
        files=[file],
        thresholds={"person": threshold if threshold is not None else family.threshold},
        notes=["Brought by the user: its quality was not measured by comfywear."],
        made_with={"command": "comfywear models import", "file": foreign.path.name},
    )


def place(card: Card, source: Path, folder: Path) -> Path:
    """Put a card and its file into a folder; returns the card's path.

    Raises:
        ModelError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / card.files[0].path
        if not target.exists() or not target.samefile(source):
            shutil.copyfile(source, target)
        path = folder / f"{card.name}.card.json"
        path.write_bytes(msgspec.json.format(encode(card), indent=1) + b"\n")
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written ({error.strerror}); choose another folder with --out") from error
    return path


def _picture(info: TensorInfo, size: tuple[int, int] | None, path: Path) -> tuple[str, int, int]:
    """Layout, height and width of an input that is a picture."""
    shape = info.shape
    if len(shape) == 4 and shape[1] == 3:
        layout, sides = "NCHW", shape[2:]
    elif len(shape) == 4 and shape[3] == 3:
        layout, sides = "NHWC", shape[1:3]
    else:
        words = " x ".join("any" if side is None else str(side) for side in shape)
        raise UsageError(f"{path}: its input is {words}, which is no picture of three channels")
    if size is not None and any(side not in (None, given) for side, given in zip(sides, size, strict=True)):
        raise UsageError(f"{path}: its input is {sides[0]} x {sides[1]}, not {size[0]} x {size[1]}")
    height, width = size or sides
    if height is None or width is None:
        raise UsageError(f"{path}: the graph takes pictures of any size; give the one it was trained at with --size")
    return layout, int(height), int(width)
