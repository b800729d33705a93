"""A model's card: what goes in, what comes out, what it was made from, how good it is, and the hash of each file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


class CardError(ValueError):
    """A card is missing, not readable, or its file is missing or altered."""


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One form of a model: `path` is relative to the card's folder; `engine` is "onnxruntime" or "litert"."""

    path: str
    engine: str
    precision: str
    sha256: str
    bytes: int


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model with all its forms.

    Attributes:
        name: The name in settings, such as "detector".
        version: Rises with every release of the same name.
        task: "detector", "attributes" or "comfort"; "painter" at the workstation alone.
        layout: How the outputs are to be read (the decoder's name in `comfywear.vision`).
        input: Shape, dtype, channel order, value range and resizing, in words a program can check.
        labels: In the order of the output.
        thresholds: Score above which a label is believed.
        licence: Of the model file.
        training_data: Name, licence and use of each data set.
        quality: Measured figures with the data they were measured on, baselines beside them.
        files: The forms; the first is the default.
        notes: What a user should know: limits, what was not measured.
        made_with: The commit and command that made it.
    """

    name: str
    version: str
    task: str
    layout: str
    input: dict[str, Any]
    labels: list[str]
    licence: str
    files: list[ModelFile]
    thresholds: dict[str, float] = {}
    training_data: list[dict[str, Any]] = []
    quality: dict[str, Any] = {}
    output: dict[str, Any] = {}
    notes: list[str] = []
    made_with: dict[str, Any] = {}


def load_card(path: Path) -> Card:
    """Read the card at `path`; CardError says what is wrong with it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Card)
    except OSError as error:
        raise CardError(f"{path}: the model's card cannot be read ({error.strerror})") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CardError(f"{path}: not a model card: {error}") from error
