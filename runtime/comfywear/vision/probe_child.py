"""The process of an engine's trial: loads the models with the engine, and times a picture.

`python -m comfywear.vision.probe_child ORDER` answers a line of JSON.
"""

from __future__ import annotations

import json
import logging
import statistics
import sys
import time
from typing import Any

import numpy as np

from comfywear.errors import ComfyWearError
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detectors.composed import open_detector
from comfywear.vision.engines.probe import Order

__all__ = ["main"]

# So many, or as many as a slow board looks at in so long, and one at least.
PICTURES, LOOKING_S = 7, 20.0


def main(arguments: list[str]) -> int:
    """The process: load the models with the engine, look at a picture a few times, say how long it took."""
    logging.disable()
    order = Order(**json.loads(arguments[0]))
    chosen: dict[str, Any] = {"engine": order.engine, "precision": order.precision, "threads": order.threads}
    picture = np.zeros((480, 640, 3), np.uint8)
    try:
        detector = open_detector(order.detector, garments=order.garments, **chosen)
        attributes = AttributeModel.load(order.attributes, **chosen) if order.attributes else None
        times: list[float] = []
        while not times or (len(times) < PICTURES and sum(times) < 1e3 * LOOKING_S):
            began = time.perf_counter()
            detector.detect(picture)
            if attributes:
                attributes.predict([picture])
            times.append(1e3 * (time.perf_counter() - began))
    except ComfyWearError as error:
        _say(None, str(error))
        return 0
    precision = detector.parts[0][1].precision
    _say(round(statistics.median(times), 2), f"{precision}, {order.threads} threads")
    return 0


def _say(ms: float | None, said: str) -> None:
    offers: list[str] = []
    if "onnxruntime" in sys.modules:
        offers = sys.modules["onnxruntime"].get_available_providers()
    sys.stdout.write(json.dumps({"ms": ms, "said": said, "offers": offers}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
