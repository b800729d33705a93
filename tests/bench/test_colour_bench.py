"""`comfywear bench colour`: its parts, without a word on how fast they are."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from comfywear.bench.colour import bench_naming, bench_palettes, find_photos
from comfywear.errors import SourceError


def _without(monkeypatch, *packages):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in packages else find_spec(name))


def test_rivals_that_are_missing_are_said_to_be_missing(monkeypatch):
    _without(monkeypatch, "pylette", "sklearn", "scipy")
    photo = np.random.default_rng(0).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    methods = bench_palettes([photo], 1)["methods"]
    assert {name for name, figures in methods.items() if figures == "not installed"} == {
        "pylette_kmeans",
        "pylette_median_cut",
        "sklearn_kmeans_all",
        "sklearn_kmeans_strided",
    }
    assert bench_naming(1, 1000)["css3_kdtree"] == "not installed"


def test_every_rival_at_hand_is_measured_beside_ours():
    photos = [np.random.default_rng(k).integers(0, 256, (24, 24, 3)).astype(np.uint8) for k in range(2)]
    methods = bench_palettes(photos, 1)["methods"]
    assert "de00_difference" not in methods["comfywear"]
    rival = methods["sklearn_kmeans_all"]
    low, high = rival["de00_difference_ci95"]
    assert low <= rival["de00_difference"] <= high
    assert rival["de00_difference"] == pytest.approx(methods["comfywear"]["mean_de00"] - rival["mean_de00"], abs=2e-3)


def test_without_data_sets_photos_come_from_installed_packages_by_name(monkeypatch, tmp_path):
    monkeypatch.setenv("COMFYWEAR_DATA", str(tmp_path))
    source, paths = find_photos(None)
    assert source.startswith("installed packages: ")
    assert all(path.name in source and path.is_file() for path in paths)


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(SourceError, match="name the folder of data sets with --data"):
        find_photos(tmp_path)
