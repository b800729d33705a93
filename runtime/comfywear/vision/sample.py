"""The built-in sample: a drawn picture, what a model answers to it, and whether that is what its release says.

The picture is made of whole numbers alone, so that every processor draws the same bytes. It shows that the engine of
this machine computes what the one of the workstation computed; how good a model is, its card says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.attributes import LAYOUT as LOGITS
from comfywear.vision.detectors.company import LAYOUT as WITH_COMPANY
from comfywear.vision.detectors.preparing import preparation_of
from comfywear.vision.engines import OpenModel, open_model
from comfywear.vision.layouts import LAYOUTS
from comfywear.vision.layouts.comfywear_1 import LAYOUT as DECODED
from comfywear.vision.upper_look import LAYOUT as WITH_UPPER
from comfywear_models import Card
from comfywear_models.release import Answer, SampleAnswers

__all__ = ["TASKS", "check_sample", "open_form", "sample_answers", "sample_batch", "sample_picture"]

TASKS: dict[str, tuple[str, ...]] = {"detector": (DECODED, WITH_COMPANY, *LAYOUTS), "attributes": (LOGITS, WITH_UPPER)}
"""The tasks of models that look at pictures, with the layouts that their outputs may have."""

_VALUES = 64
# Of the output's standard deviation, by precision. Two engines differ by 0.001 of it with float weights, by 0.08 to
# 0.09 where each has its own INT8 form (measured on the shipped models).
_TOLERANCE = {"int8": 0.25}
_USUAL_TOLERANCE = 0.05


def sample_picture(height: int, width: int) -> NDArray[np.uint8]:
    """`(height, width, 3) uint8` BGR: somebody drawn with a few shapes before a wall with a window."""
    y, x = np.mgrid[0:height, 0:width]
    y, x = y * 1000 // height, x * 1000 // width  # in thousandths, whole numbers
    picture = np.stack([150 + x // 20, 140 + y // 25, 160 - x // 25], -1)
    shapes = (
        ((x > 700) & (x < 920) & (y > 100) & (y < 450), (235, 225, 205)),  # the window
        (y > 880, (70, 85, 100)),  # the floor
        ((abs(x - 500) < 130 - y // 20) & (y >= 520) & (y < 930), (110, 60, 40)),  # trousers
        ((abs(x - 500) < 12) & (y > 620) & (y < 930), (170, 165, 150)),  # between the legs
        ((abs(x - 500) < 190) & (y >= 250) & (y < 540), (50, 60, 170)),  # a jersey with sleeves
        ((abs(x - 500) > 150) & (abs(x - 500) < 190) & (y >= 480) & (y < 560), (130, 160, 205)),  # hands
        ((x - 500) ** 2 + (y - 160) ** 2 < 85**2, (130, 160, 205)),  # the face
        (((x - 500) ** 2 + (y - 130) ** 2 < 92**2) & (y < 125), (30, 40, 55)),  # hair
        ((abs(x - 500) > 20) & (abs(x - 500) < 130) & (y > 915) & (y < 960), (25, 25, 25)),  # shoes
    )
    for where, colour in shapes:
        picture[where] = colour
    picture += ((x * 7 + y * 13) % 9 - 4)[..., None]  # a weave, so that nothing is perfectly flat
    return np.asarray(picture.clip(0, 255), np.uint8)


def sample_batch(card: Card) -> NDArray[Any]:
    """The picture as a model's graph takes it, a batch of one; ModelError when the card's input is not understood."""
    try:
        height, width = int(card.input["height"]), int(card.input["width"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the card of model {card.name!r} does not say the input's height and width") from error
    picture = sample_picture(height, width)
    if card.task == "attributes":
        return np.ascontiguousarray(picture[None, ..., ::-1])
    return preparation_of(card.input)(picture)[0]


def open_form(
    card_path: str | Path, card: Card, *, engine: str = "auto", precision: str = "fp16", threads: int = 1
) -> OpenModel:
    """Load the model of a card as a device does; errors as `open_model`, and for a task that needs no pictures."""
    if card.task not in TASKS:
        raise ModelError(f"model {card.name!r} is for {card.task!r}; known here: {', '.join(TASKS)}")
    layouts = TASKS[card.task]
    return open_model(card_path, task=card.task, layouts=layouts, engine=engine, precision=precision, threads=threads)


def sample_answers(card: Card, folder: Path) -> list[SampleAnswers]:
    """What each form of a model answers to the sample, for its release.

    Args:
        card: Of the model.
        folder: Where `NAME.card.json` and the card's files lie.

    Raises:
        ModelError: A form cannot be loaded here, or answers with what is not a number.
    """
    answers = []
    for file in card.files:
        path = folder / f"{card.name}.card.json"
        model = open_form(path, card, engine=file.engine, precision=file.precision)
        if model.file.path != file.path:
            raise ModelError(f"{file.path}: another file of the card has the same engine and precision")
        share = _TOLERANCE.get(file.precision, _USUAL_TOLERANCE)
        answers.append(SampleAnswers(file.path, [_answer(out, share) for out in model.engine.run(sample_batch(card))]))
        for answer in answers[-1].outputs:
            if not np.isfinite(answer.values).all():
                raise ModelError(f"{file.path}: its answers to the built-in sample are not numbers")
    return answers


def check_sample(model: OpenModel, expected: Sequence[SampleAnswers]) -> None:
    """Run a loaded model on the sample, and compare.

    Raises:
        ModelError: An output is missing or of another shape, holds what is not a finite number, or differs from what
            the release says by more than its tolerance.
    """
    known = {sample.path: sample.outputs for sample in expected}[model.file.path]
    outputs = model.engine.run(sample_batch(model.card))
    shapes, wanted = [list(out.shape) for out in outputs], [answer.shape for answer in known]
    if shapes != wanted:
        raise ModelError(f"its outputs for the built-in sample have the shapes {shapes}, its release says {wanted}")
    for number, (out, answer) in enumerate(zip(outputs, known, strict=True)):
        if not np.isfinite(out).all():
            raise ModelError(f"output {number} for the built-in sample is not a finite number everywhere")
        found = _values(out)
        if len(found) != len(answer.values):
            raise ModelError(f"its release gives {len(answer.values)} values of output {number}, not {len(found)}")
        apart = float(np.abs(found - np.asarray(answer.values)).mean()) if len(found) else 0.0
        if not apart <= answer.tolerance:
            raise ModelError(
                f"its answers to the built-in sample are wrong: output {number} is {apart:.3g} from what its release "
                f"says, {answer.tolerance:.3g} is right"
            )


def _answer(output: NDArray[Any], share: float) -> Answer:
    """An output as a release keeps it; the tolerance is `share` of its standard deviation."""
    spread = float(np.asarray(output, np.float64).std()) if output.size else 0.0
    values = [float(f"{value:.6g}") for value in _values(output)]
    return Answer(list(output.shape), values, float(f"{max(share * spread, 1e-4):.3g}"))


def _values(output: NDArray[Any]) -> NDArray[np.float64]:
    """At most 64 values, evenly spaced over the flattened output, first and last among them."""
    flat = np.asarray(output, np.float64).ravel()
    if flat.size <= _VALUES:
        return flat
    return flat[np.arange(_VALUES) * (flat.size - 1) // (_VALUES - 1)]
