"""Sends a data set to a project of Roboflow through its client; a ledger remembers what arrived."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comfywear.errors import ComfyWearError, StoreError, UsageError
from comfywear_export.data.formats import Dataset, Picture
from comfywear_export.data.formats.coco import annotation
from comfywear_export.data.formats.photos import check_photo
from comfywear_export.progress import counted

__all__ = ["SPLITS", "Ledger", "Sent", "api_key", "open_project", "pending", "upload"]

SPLITS = {"train": "train", "validation": "valid", "test": "test", "": "train"}
"""What Roboflow calls the splits; pictures without one go to `train`, as in its own client."""

_Key = tuple[str, str, str]  # split, name, sha256 of the file
_Work = tuple[Picture, str, str, str | None]  # picture, sha256 of its file, annotation, id where it arrived
_RETRIES = 2
_IN_A_ROW = 5  # failures after which the service is taken to be away
_REFUSED = (401, 403)


@dataclass
class Sent:
    """What a run did: pictures and annotations that were sent, and what failed, with the reason."""

    pictures: int = 0
    annotations: int = 0
    failed: list[str] = field(default_factory=list)


class Ledger:
    """A file with a line for each picture and each annotation that arrived; a line that was cut off does not count.

    Args:
        path: It is made.
        project: "WORKSPACE/PROJECT".
        batch: The batch's name.

    Raises:
        UsageError: The file is the ledger of another project or batch.
        StoreError: It cannot be written.
    """

    def __init__(self, path: Path, project: str, batch: str) -> None:
        self.path = path
        self.images: dict[_Key, str] = {}
        self.annotated: dict[_Key, str] = {}
        head = {"project": project, "batch": batch}
        lines = _lines(path)
        if lines and lines[0] != head:
            raise UsageError(f"{path}: the ledger of {lines[0]}, not of {head}; name another one with --ledger")
        for line in lines[1:]:
            key = (str(line["split"]), str(line["name"]), str(line["sha256"]))
            self.images[key] = str(line["image"])
            if "labels" in line:
                self.annotated[key] = str(line["labels"])
        self._lines = [] if lines else [head]

    def add(self, picture: Picture, sha256: str, image: str, labels: str | None = None) -> None:
        """Note that a picture arrived as `image`, and the annotation with the digest `labels`, on the disk at once."""
        key = (picture.split, picture.name, sha256)
        self.images[key] = image
        entry = {"split": picture.split, "name": picture.name, "sha256": sha256, "image": image}
        if labels is not None:
            self.annotated[key] = labels
            entry["labels"] = labels
        self._lines.append(entry)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                # After a line that was cut off a new one begins.
                file.write("".join(f"\n{json.dumps(line, ensure_ascii=False)}" for line in self._lines))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written ({error.strerror})") from error
        self._lines = []


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a ledger."""
    found = []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                found.append(entry)
    return found


def api_key(file: Path | None) -> str:
    """The key of the workspace: of a file, of $ROBOFLOW_API_KEY, or as `roboflow login` left it.

    Raises:
        UsageError: There is none, or others can read the file.
    """
    if file is not None:
        try:
            if file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
                raise UsageError(f"{file}: others can read this key; chmod 600 {file}")
            found = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise UsageError(f"{file}: the key cannot be read ({error.strerror})") from error
    else:
        found = os.environ.get("ROBOFLOW_API_KEY", "").strip() or _logged_in()
    if not found:
        raise UsageError("no key of Roboflow: set ROBOFLOW_API_KEY, name a file with --key-file, or run roboflow login")
    return found


def pending(dataset: Dataset, ledger: Ledger) -> Iterator[_Work]:
    """What is still to be sent: picture, sha256 of its file, annotation (COCO, "" for none), id where it arrived.

    Raises:
        UsageError: A picture cannot be read.
    """
    for picture in dataset.pictures:
        try:
            sha256 = hashlib.sha256(picture.path.read_bytes()).hexdigest()
        except OSError as error:
            raise UsageError(f"{picture.path}: cannot be read ({error.strerror})") from error
        text = _annotation(picture, dataset.labels)
        key = (picture.split, picture.name, sha256)
        if key not in ledger.images or (text and ledger.annotated.get(key) != _digest(text)):
            yield picture, sha256, text, ledger.images.get(key)


def open_project(project: str, key: str) -> Any:
    """The client's project.

    Args:
        project: "WORKSPACE/PROJECT", as in the project's address.
        key: Of the workspace.

    Raises:
        UsageError: The client is not installed, or `project` is no such name.
        ComfyWearError: The service refuses, or cannot be reached.
    """
    workspace, slash, name = project.partition("/")
    if not slash or not workspace or not name or "/" in name:
        raise UsageError(f"--project {project!r}: write WORKSPACE/PROJECT, as in the project's address")
    roboflow = _client()
    with _quiet(key):
        client = roboflow.Roboflow(api_key=key)
        if not getattr(client, "current_workspace", None):
            raise UsageError("the key is not one of Roboflow's (private keys have small letters too)")
        return client.project(name, workspace)


def upload(project: Any, dataset: Dataset, ledger: Ledger, batch: str, key: str) -> Sent:
    """Send what is pending: each picture, then its annotation; boxes with scores go as predictions.

    Args:
        project: Of `open_project`.
        dataset: Pictures and boxes.
        ledger: Is added to.
        batch: The batch's name.
        key: Is kept out of every message.

    Raises:
        ComfyWearError: The service refuses the key, or fails several times in a row.
    """
    sent, in_a_row = Sent(), 0
    for work in counted(list(pending(dataset, ledger)), "pictures"):
        failure = _tried(project, work, (ledger, batch, sent), key)
        in_a_row = in_a_row + 1 if failure else 0
        if failure:
            sent.failed.append(f"{work[0].path}: {failure}")
        if in_a_row == _IN_A_ROW:
            raise ComfyWearError(
                f"{in_a_row} pictures in a row failed ({failure}); what arrived is in {ledger.path}: try again later"
            )
    return sent


def _tried(project: Any, work: _Work, to: tuple[Ledger, str, Sent], key: str) -> str:
    """Send one picture; returns what went wrong with it, "" when nothing did."""
    try:
        check_photo(work[0].path)
        with _quiet(key):
            _send(project, work, to)
    except StoreError:
        raise
    except (ValueError, ComfyWearError) as error:
        if getattr(error.__cause__, "status_code", None) in _REFUSED:
            raise
        return str(error)
    return ""


def _send(project: Any, work: _Work, to: tuple[Ledger, str, Sent]) -> None:
    (picture, sha256, text, image), (ledger, batch, sent) = work, to
    again = image is not None
    if image is None:
        answer, _, _ = project.upload_image(
            str(picture.path), split=SPLITS[picture.split], batch_name=batch, num_retry_uploads=_RETRIES
        )
        image = str(answer["id"])
        ledger.add(picture, sha256, image)
        sent.pictures += 1
    if text:
        project.save_annotation(
            {"name": "annotation.coco.json", "rawText": text},
            image_id=image,
            job_name=batch,
            is_prediction=any(box.score is not None for box in picture.boxes),
            annotation_overwrite=again,
            num_retry_uploads=_RETRIES,
        )
        ledger.add(picture, sha256, image, _digest(text))
        sent.annotations += 1


def _annotation(picture: Picture, labels: Sequence[str]) -> str:
    """COCO of one picture; empty where it has no box: it is then sent to be labelled."""
    if not picture.boxes:
        return ""
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    boxes = [{"id": i, "image_id": 1, **annotation(box, numbers)} for i, box in enumerate(picture.boxes, 1)]
    image = {"id": 1, "file_name": picture.path.name, "width": picture.width, "height": picture.height}
    categories = [{"id": number, "name": label, "supercategory": ""} for label, number in numbers.items()]
    parts = {"info": {}, "licenses": [], "categories": categories, "images": [image], "annotations": boxes}
    return json.dumps(parts)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _client() -> Any:
    try:
        import roboflow
    except ModuleNotFoundError as error:
        raise UsageError("uploads need Roboflow's client: pip install 'comfywear[roboflow]'") from error
    return roboflow


def _logged_in() -> str:
    _client()
    from roboflow.config import load_roboflow_api_key

    return str(load_roboflow_api_key() or "")


@contextlib.contextmanager
def _quiet(key: str) -> Iterator[None]:
    """What the client prints is dropped, and what it raises comes as an error of ours, without the key."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    except ComfyWearError:
        raise
    except Exception as error:
        text = " ".join(str(error).split()).replace(key, "…")
        raise ComfyWearError(f"Roboflow: {text[:300] or type(error).__name__}") from error
