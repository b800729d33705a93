"""What a fisheye lens is, from photos of a chessboard."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.vision.camera.view import Dewarp

__all__ = ["calibrate_fisheye"]

_FEWEST = 4
_LENSES_DEG = (60.0, 220.0)
_REFINE = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.01)


def calibrate_fisheye(photos: Sequence[NDArray[np.uint8]], board: tuple[int, int]) -> tuple[Dewarp, float, int]:
    """The lens that took `photos`, each `(H, W, 3) uint8` of the same size, of a flat chessboard in several places.

    Args:
        photos: At least four that show the whole board; some near the picture's corners.
        board: How many inner corners it has in a row and in a column, such as (9, 6).

    Returns:
        The lens, how far the board's corners lie from where it says on average, in pixels, and how many photos showed
        the board.

    Raises:
        UsageError: The photos differ in size, too few show the board, or no lens explains them.
    """
    sizes = {photo.shape[:2] for photo in photos}
    if len(sizes) != 1:
        raise UsageError("the photos must come from the same camera and have the same size")
    ((height, width),) = sizes
    found = [corners for photo in photos if (corners := _corners(photo, board)) is not None]
    if len(found) < _FEWEST:
        raise UsageError(
            f"{len(found)} of {len(photos)} photos show a board of {board[0]} x {board[1]} inner corners; at least "
            f"{_FEWEST} are needed"
        )
    grid = np.zeros((1, board[0] * board[1], 3), np.float64)
    grid[0, :, :2] = np.mgrid[0 : board[0], 0 : board[1]].T.reshape(-1, 2)
    matrix, terms = np.eye(3), np.zeros((4, 1))
    matrix[0, 0] = matrix[1, 1] = width / math.pi  # a usual lens to begin with
    matrix[0, 2], matrix[1, 2] = width / 2, height / 2
    names = cv2.fisheye if hasattr(cv2.fisheye, "CALIB_FIX_SKEW") else cv2  # where OpenCV 4 and 5 have them
    flags = names.CALIB_RECOMPUTE_EXTRINSIC | names.CALIB_FIX_SKEW | names.CALIB_USE_INTRINSIC_GUESS
    try:
        apart, found_matrix, found_terms, _, _ = cv2.fisheye.calibrate(
            [grid] * len(found), [corners.reshape(1, -1, 2) for corners in found], (width, height), matrix, terms,
            flags=flags,
        )  # fmt: skip
    except cv2.error as error:
        raise UsageError(
            "no fisheye lens explains these photos; take others, with the board nearer to the corners"
        ) from error
    matrix, terms = np.asarray(found_matrix, np.float64), np.asarray(found_terms, np.float64)
    lens_deg = math.degrees(width / ((matrix[0, 0] + matrix[1, 1]) / 2))
    if not _LENSES_DEG[0] <= lens_deg <= _LENSES_DEG[1] or not np.isfinite(terms).all():
        raise UsageError(f"these photos speak for a lens of {lens_deg:.0f}°, which is no fisheye that is known here")
    centre = (float((matrix[0, 2] + 0.5) / width), float((matrix[1, 2] + 0.5) / height))
    first, second, third, fourth = (float(term) for term in np.ravel(terms))
    return Dewarp(lens_deg, centre=centre, k=(first, second, third, fourth)), float(apart), len(found)


def _corners(photo: NDArray[np.uint8], board: tuple[int, int]) -> NDArray[np.float64] | None:
    grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    seen, corners = cv2.findChessboardCorners(
        grey, board, flags=cv2.CALIB_CB_ADAPTIVE_THRESH + cv2.CALIB_CB_NORMALIZE_IMAGE
    )
    if not seen:
        return None
    return np.asarray(cv2.cornerSubPix(grey, corners, (3, 3), (-1, -1), _REFINE), np.float64)
