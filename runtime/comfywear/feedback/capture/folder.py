"""The folder of captures: a picture and a sidecar each, bounded by bytes and age, and the way to read them.

    captures/3f2a….jpg    the crop, faces hidden
    captures/3f2a….json   {"schema": "comfywear/v1/capture", "image": {…}, "annotations": [{"bbox": …}, …], …}

`image` and `annotations` are as in COCO, so that `as_coco` only has to number them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from comfywear.errors import StoreError
from comfywear.system.clock import SteadyTime
from comfywear.system.files import matching, replace_file
from comfywear.texts import Text

SCHEMA = "comfywear/v1/capture"


class CaptureFolder:
    """Captures on the disk; any thread may call it.

    Args:
        path: The folder; it is made when the first capture is.
        max_bytes: The oldest are deleted beyond it.
        max_age_s: Older ones are deleted.
        clock: Seconds as the files' times have them; no jump of the clock makes a capture old when left out.
    """

    def __init__(
        self, path: Path, max_bytes: float, max_age_s: float, clock: Callable[[], float] | None = None
    ) -> None:
        self.path = path
        self._max_bytes, self._max_age_s = max_bytes, max_age_s
        self._clock = clock or SteadyTime()
        self._lock = threading.Lock()

    def add(self, capture_id: str, jpeg: bytes, sidecar: Mapping[str, Any]) -> None:
        """Keep a capture; it counts once its sidecar is there.

        Raises:
            StoreError: When it cannot be written; nothing of it then stays.
        """
        picture, text = self.path / f"{capture_id}.jpg", self.path / f"{capture_id}.json"
        with self._lock:
            try:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                picture.write_bytes(jpeg)
                replace_file(text, (json.dumps(sidecar, ensure_ascii=False) + "\n").encode(), durable=False)
            except OSError as error:
                for path in (picture, text):
                    with suppress(OSError):  # what could not be made is not there
                        path.unlink()
                raise StoreError(
                    Text("{path}: a capture cannot be written ({why})", path=self.path, why=error.strerror)
                ) from error
        self.prune()

    def prune(self) -> None:
        """Delete what is too old, what is beyond the room, the oldest first, and halves without their other half."""
        with self._lock:
            if not self.path.is_dir():
                return
            for path in self.path.iterdir():
                other = {".jpg": ".json", ".json": ".jpg"}.get(path.suffix)
                if path.suffix in (".part", ".new") or (other and not path.with_suffix(other).exists()):
                    path.unlink(missing_ok=True)
            kept, room = 0, self._max_bytes
            for written_s, size, path in sorted(self._pairs(), reverse=True):
                kept += size
                if kept > room or self._clock() - written_s > self._max_age_s:
                    self._remove(path)

    def size(self) -> tuple[int, int]:
        """How many captures there are, and their bytes."""
        with self._lock:
            pairs = list(self._pairs())
        return len(pairs), sum(size for _, size, _ in pairs)

    def forget_votes(self, vote_ids: Collection[str]) -> int:
        """Delete the captures that belong to votes that were deleted; returns how many."""
        gone = set(vote_ids)
        return self._forget(lambda item: (item.get("vote") or {}).get("id") in gone)

    def forget_correction(self, number: int) -> int:
        """Delete the captures of a correction that was taken back; returns how many."""
        return self._forget(lambda item: (item.get("correction") or {}).get("number") == number)

    def _forget(self, is_gone: Callable[[Mapping[str, Any]], bool]) -> int:
        with self._lock:  # what is pruned meanwhile would end the search
            found = [item for item in read_captures(self.path) if is_gone(item)]
            for item in found:
                self._remove(self.path / f"{item['id']}.json")
        return len(found)

    def _pairs(self) -> Iterator[tuple[float, int, Path]]:
        """When each was written, its bytes, and its sidecar."""
        if not self.path.is_dir():
            return
        for text in matching(self.path, "*.json"):
            with suppress(OSError):  # deleted by hand in between
                state = text.stat()
                yield state.st_mtime, state.st_size + text.with_suffix(".jpg").stat().st_size, text

    def _remove(self, text: Path) -> None:
        text.unlink(missing_ok=True)
        text.with_suffix(".jpg").unlink(missing_ok=True)


def read_captures(folder: Path) -> Iterator[dict[str, Any]]:
    """The sidecars of a folder of captures, the oldest first; what is none of ours is passed over."""
    written: list[tuple[int, str, Path]] = []
    for text in matching(folder, "*.json"):
        with suppress(OSError):  # deleted in between
            written.append((text.stat().st_mtime_ns, text.name, text))
    for *_, text in sorted(written):
        try:
            found = json.loads(text.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and found.get("schema") == SCHEMA:
            yield found


def as_coco(folder: Path) -> dict[str, Any]:
    """The captures of a folder as one COCO data set: images, annotations (with `score`) and categories."""
    items = list(read_captures(folder))
    labels = sorted({each["label"] for item in items for each in item["annotations"]})
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, item in enumerate(items, start=1):
        images.append({"id": image_id, **item["image"], **{key: item[key] for key in ("sampler", "zone", "ts")}})
        for each in item["annotations"]:
            x, y, width, height = each["bbox"]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": numbers[each["label"]],
                    "bbox": [x, y, width, height],
                    "area": round(width * height, 1),
                    "iscrowd": 0,
                    "score": each["score"],
                }
            )
    categories = [{"id": number, "name": label} for label, number in numbers.items()]
    return {"images": images, "annotations": annotations, "categories": categories}
