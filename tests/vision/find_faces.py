"""Run by an interpreter that has OpenCV 4: which of its face cascades fire on which pictures.

    python find_faces.py PICTURE … < /dev/null   → one JSON object: {picture: [cascade, …]}

OpenCV 5 has no cascades any more, so that this is a program of its own.
"""

import json
import sys
from pathlib import Path

import cv2

NAMES = (
    "haarcascades/haarcascade_frontalface_default",
    "haarcascades/haarcascade_frontalface_alt",
    "haarcascades/haarcascade_frontalface_alt2",
    "haarcascades/haarcascade_frontalface_alt_tree",
    "haarcascades/haarcascade_profileface",
    "lbpcascades/lbpcascade_frontalface",
    "lbpcascades/lbpcascade_frontalface_improved",
    "lbpcascades/lbpcascade_profileface",
)


def cascades():
    """The cascades of this OpenCV by name."""
    folders = [Path("/usr/share/opencv4")]
    if hasattr(cv2, "data"):
        folders.append(Path(cv2.data.haarcascades).parent)
    found = {}
    for name in NAMES:
        for folder in folders:
            # The wheel has its cascades in data/, Debian in haarcascades/ and lbpcascades/.
            for path in (folder / f"{name}.xml", folder / "data" / f"{Path(name).name}.xml"):
                if path.is_file() and Path(name).name not in found:
                    found[Path(name).name] = cv2.CascadeClassifier(str(path))
    return found


def main():
    cv2.setNumThreads(1)
    detectors = cascades()
    answer = {"": sorted(detectors)}
    for picture in sys.argv[1:]:
        grey = cv2.imread(picture, cv2.IMREAD_GRAYSCALE)
        answer[picture] = [name for name, one in detectors.items() if len(one.detectMultiScale(grey, 1.1, 3))]
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
