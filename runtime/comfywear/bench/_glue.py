"""What users put together today: supervision's tracker, Pylette, webcolors in a k-d tree and pythermalcomfort.

Not a program of its own: `comfywear bench pipeline` measures it beside ours. Every frame it tracks the persons, takes
a palette of each garment inside each person's box, names its colours, looks up the insulation, and computes PMV and
the two-node model for each person, as the examples of these libraries do.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.bench.tracker import lacking
from comfywear.records import Detection

__all__ = ["make_glue"]

Image = NDArray[np.uint8]

_WANTED = (
    ("supervision", "ByteTrack"),
    ("supervision", "Detections"),
    ("pylette", "extract_colors"),
    ("webcolors", "names"),
    ("scipy.spatial", "cKDTree"),
    ("pythermalcomfort.models", "pmv_ppd_iso"),
    ("pythermalcomfort.models", "two_nodes_gagge"),
)
_CLO = {"top": 0.2, "knit": 0.3, "outer": 0.4, "dress": 0.35, "trousers": 0.22, "skirt": 0.18, "shorts": 0.08}


def make_glue(
    images: Sequence[Image], seen: Sequence[Sequence[Detection]]
) -> tuple[Callable[[int], object] | None, str | None]:
    """A step `(index of the frame) → JSON`, or None and what is not installed or has not what is asked of it."""
    lack = next((said for library, wanted in _WANTED if (said := lacking(library, wanted))), None)
    if lack is not None:
        return None, lack
    found: dict[str, Any] = {library: importlib.import_module(library) for library, _ in _WANTED}
    supervision, webcolors, comfort = found["supervision"], found["webcolors"], found["pythermalcomfort.models"]
    extract_colors = found["pylette"].extract_colors
    tracker = supervision.ByteTrack(frame_rate=2)
    words = webcolors.names("css3")
    tree = found["scipy.spatial"].cKDTree([tuple(webcolors.name_to_rgb(word)) for word in words])

    def garment(image: Image, box: tuple[float, ...], label: str) -> dict[str, Any]:
        x1, y1, x2, y2 = (max(int(v), 0) for v in box)
        palette = extract_colors(np.ascontiguousarray(image[y1:y2, x1:x2, ::-1]), 3).colors
        names = [words[tree.query(colour.rgb)[1]] for colour in palette]
        shares = [round(float(colour.freq), 3) for colour in palette]
        return {"kind": label, "colours": dict(zip(names, shares, strict=True))}

    def person(image: Image, track: int, box: Any, garments: Sequence[Detection]) -> dict[str, Any]:
        inside = [g for g in garments if box[0] <= (g.box[0] + g.box[2]) / 2 <= box[2]]
        clo = 0.1 + sum(_CLO.get(g.label, 0.02) for g in inside)
        air = {"tdb": 25.0, "tr": 25.0, "rh": 45.0, "met": 1.2, "clo": clo}
        pmv = comfort.pmv_ppd_iso(vr=0.1, **air)
        skin = comfort.two_nodes_gagge(v=0.1, **air)
        return {
            "id": track,
            "garments": [garment(image, g.box, g.label) for g in inside],
            "clo": clo,
            "pmv": float(pmv.pmv),
            "ppd": float(pmv.ppd),
            "skin_temp": float(skin.t_skin),
        }

    def step(index: int) -> str:
        image, detections = images[index % len(images)], seen[index % len(seen)]
        persons = [d for d in detections if d.label == "person"]
        garments = [d for d in detections if d.label != "person"]
        tracks = tracker.update_with_detections(
            supervision.Detections(
                xyxy=np.array([d.box for d in persons], np.float32).reshape(-1, 4),
                confidence=np.array([d.score for d in persons], np.float32),
                class_id=np.zeros(len(persons), int),
            )
        )
        people = [
            person(image, int(track), box, garments)
            for track, box in zip(tracks.tracker_id, tracks.xyxy.tolist(), strict=True)
        ]
        return json.dumps({"zone": "room", "persons": people})

    return step, None
