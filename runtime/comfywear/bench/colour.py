"""`comfywear bench colour`: naming and palettes beside what others use, in one run on this machine.

Times are CPU seconds of this process, so that what else runs here disturbs them little. A rival that is not installed
is reported as not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.colour import CSS3, basic_name, basic_names, basic_terms, ciede2000, extract_palette, rgb_to_lab
from comfywear.errors import SourceError
from comfywear.system.arguments import whole

__all__ = ["add_parser", "bench_naming", "bench_palettes", "find_photos", "run"]

Pixels = NDArray[np.uint8]
Palette = Callable[[Pixels], NDArray[Any]]

_COLOURS = 5
_PHOTOS = 20
_NOT_INSTALLED = "not installed"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = commands.add_parser("colour", help="naming and palettes beside what others use")
    parser.add_argument(
        "--data", type=Path, help="the folder of data sets, which holds ccp (default: $COMFYWEAR_DATA, ../shared/data)"
    )
    parser.add_argument("--repeats", type=whole(1, 50), default=5, metavar="N", help="1…50, default 5")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Time everything and print it."""
    source, paths = find_photos(args.data)
    photos = [_read(path) for path in paths]
    result = {
        "naming": bench_naming(args.repeats),
        "palette": {
            "photos": source,
            "n_photos": len(photos),
            "colours": _COLOURS,
            **bench_palettes(photos, args.repeats),
        },
    }
    print(json.dumps(result) if args.json else _table(result))
    return 0


def bench_naming(repeats: int, count: int = 1_000_000) -> dict[str, Any]:
    """Nanoseconds a colour for `count` random colours, and microseconds a call for one; ratios to the KD-tree."""
    colours = np.random.default_rng(0).integers(0, 256, (count, 3)).astype(np.uint8)
    basic_terms(colours[:1])  # the table is loaded once
    ours = _median_s(lambda: basic_terms(colours), repeats) / count
    ours_words = _median_s(lambda: basic_names(colours), repeats) / count
    one = [(113, 85, 81)]
    calls = 20_000
    result: dict[str, Any] = {
        "n": count,
        "basic_terms_ns": round(ours * 1e9, 2),
        "basic_names_ns": round(ours_words * 1e9, 2),
        "one_basic_names_us": round(
            _median_s(lambda: _many(lambda: basic_names(one), calls), repeats) / calls * 1e6, 2
        ),
        "one_basic_name_us": round(
            _median_s(lambda: _many(lambda: basic_name(113, 85, 81), calls), repeats) / calls * 1e6, 2
        ),
    }
    if importlib.util.find_spec("scipy") is None:
        return {**result, "css3_kdtree": _NOT_INSTALLED}
    from scipy.spatial import cKDTree

    words = list(CSS3)
    tree = cKDTree(np.array(list(CSS3.values()), dtype=np.float64))
    tree_repeats = min(repeats, 3)
    theirs = _median_s(lambda: tree.query(colours), tree_repeats) / count
    theirs_words = _median_s(lambda: [words[i] for i in tree.query(colours)[1].tolist()], tree_repeats) / count
    one_theirs = _median_s(lambda: _many(lambda: words[tree.query(one)[1][0]], 2000), tree_repeats) / 2000
    return {
        **result,
        "css3_kdtree_ns": round(theirs * 1e9, 2),
        "css3_kdtree_names_ns": round(theirs_words * 1e9, 2),
        "one_css3_kdtree_us": round(one_theirs * 1e6, 2),
        "ratio": round(theirs / ours, 1),
        "ratio_names": round(theirs_words / ours_words, 1),
    }


def bench_palettes(photos: Sequence[Pixels], repeats: int) -> dict[str, Any]:
    """Per method the median CPU time a photo and the mean ΔE00; beside each rival the difference to ours.

    ΔE00 is from every fifth pixel of the whole photo to the nearest palette colour, averaged. The interval of the
    difference (ours − rival) is a 95 % bootstrap over the photos.
    """
    methods: dict[str, Any] = {}
    errors: dict[str, NDArray[np.float64]] = {}
    for name, method in _methods().items():
        if method is None:
            methods[name] = _NOT_INSTALLED
            continue
        method(photos[0])  # imports and caches
        times, error = [], []
        for photo in photos:
            times.append(_median_s(lambda m=method, p=photo: m(p), repeats))  # type: ignore[misc]  # lambda defaults
            error.append(_mean_difference(photo, method(photo)))
        errors[name] = np.array(error)
        methods[name] = {
            "median_ms": round(statistics.median(times) * 1e3, 2),
            "mean_de00": round(float(errors[name].mean()), 3),
        }
    for name in errors.keys() - {"comfywear"}:
        difference = errors["comfywear"] - errors[name]
        draws = np.random.default_rng(0).integers(0, len(difference), (10_000, len(difference)))
        low, high = np.percentile(difference[draws].mean(axis=1), (2.5, 97.5))
        methods[name]["times_slower"] = round(methods[name]["median_ms"] / methods["comfywear"]["median_ms"], 1)
        methods[name]["de00_difference"] = round(float(difference.mean()), 3)
        methods[name]["de00_difference_ci95"] = [round(float(low), 3), round(float(high), 3)]
    return {"methods": methods}


def find_photos(data: Path | None) -> tuple[str, list[Path]]:
    """Twenty photos, and a word on where they come from: validation photos of ccp, or what installed packages carry."""
    folder = data or Path(os.environ.get("COMFYWEAR_DATA") or Path(__file__).parents[4] / "shared" / "data")
    listing = folder / "ccp" / "instances.json"
    if listing.is_file():
        images = json.loads(listing.read_text(encoding="utf-8"))["images"]
        names = sorted(image["file_name"] for image in images if image["split"] == "validation")
        chosen = [names[round(k)] for k in np.linspace(0, len(names) - 1, min(_PHOTOS, len(names)))]
        return "ccp, validation, evenly spaced", [folder / "ccp" / name for name in chosen]
    if data is not None:
        raise SourceError(f"there is no ccp/instances.json in {data}: name the folder of data sets with --data")
    found: list[Path] = []
    for package in ("matplotlib", "sklearn", "skimage"):
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or []) if spec else []:
            found += sorted(path for path in Path(place).rglob("*.jpg") if path.stat().st_size > 20_000)
    if not found:
        raise SourceError("no photos at hand: name a folder that holds ccp with --data")
    return "installed packages: " + ", ".join(path.name for path in found[:_PHOTOS]), found[:_PHOTOS]


def _methods() -> dict[str, Palette | None]:
    """Every method as a function from a photo to its palette, None where it is not installed."""
    methods: dict[str, Palette | None] = {
        "comfywear": lambda photo: extract_palette(photo, _COLOURS)[0],
        "comfywear_all_pixels": lambda photo: extract_palette(photo, _COLOURS, max_pixels=None)[0],
        "pylette_kmeans": None,
        "pylette_median_cut": None,
        "sklearn_kmeans_all": None,
        "sklearn_kmeans_strided": None,
    }
    if importlib.util.find_spec("pylette") is not None:
        from pylette import extract_colors

        def pylette(mode: str) -> Palette:
            def colours(photo: Pixels) -> NDArray[Any]:
                return np.array([colour.rgb for colour in extract_colors(photo, _COLOURS, mode=mode).colors])

            return colours

        methods["pylette_kmeans"] = pylette("KMeans")
        methods["pylette_median_cut"] = pylette("MedianCut")
    if importlib.util.find_spec("sklearn") is not None:
        from sklearn.cluster import KMeans

        def kmeans(at_most: int | None) -> Palette:
            def colours(photo: Pixels) -> NDArray[Any]:
                pixels = photo.reshape(-1, 3)
                part = pixels[:: max(1, len(pixels) // at_most)] if at_most else pixels
                centres: NDArray[Any] = KMeans(_COLOURS, n_init=1, random_state=0).fit(part).cluster_centers_
                return centres

            return colours

        methods["sklearn_kmeans_all"] = kmeans(None)
        methods["sklearn_kmeans_strided"] = kmeans(4096)
    return methods


def _mean_difference(photo: Pixels, palette: NDArray[Any]) -> float:
    pixels = rgb_to_lab(photo.reshape(-1, 3)[::5])
    return float(ciede2000(pixels[:, None], rgb_to_lab(palette)).min(axis=1).mean())


def _read(path: Path) -> Pixels:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SourceError(f"cannot read the photo {path}")
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8, copy=False)


def _median_s(call: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)


def _many(call: Callable[[], object], times: int) -> None:
    for _ in range(times):
        call()


def _table(result: dict[str, Any]) -> str:
    lines = [f"{key:24} {value}" for key, value in result["naming"].items()]
    palette = result["palette"]
    lines += ["", f"palette of {palette['colours']} colours, {palette['n_photos']} photos ({palette['photos']})"]
    for name, figures in palette["methods"].items():
        if isinstance(figures, str):
            lines.append(f"{name:24} {figures}")
        else:
            lines.append(f"{name:24} " + "  ".join(f"{key} {value}" for key, value in figures.items()))
    return "\n".join(lines)
