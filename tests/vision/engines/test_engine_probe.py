"""Which engine looks: tried in processes of their own, chosen by the rule, kept until what it rests on changes."""

from __future__ import annotations

import json
import logging
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import ModelError
from comfywear.settings import VisionSettings
from comfywear.vision import probe_child
from comfywear.vision.engines import choice as engine_choice
from comfywear.vision.engines.choice import FASTER, FIRST, choose, fingerprint, forget, kept, settle
from comfywear.vision.engines.probe import Order, Trial, try_engine

VISION = VisionSettings()
NAMES = ("onnxruntime", "cuda", "tensorrt", "xnnpack", "litert")
trials = st.lists(
    st.builds(Trial, st.sampled_from(NAMES), st.none() | st.floats(0.1, 1000.0), st.just("said"), st.booleans()),
    unique_by=lambda trial: trial.engine,
).map(tuple)


class Engines:
    """Answers for engines, and notes what was asked."""

    def __init__(self, offers: tuple[str, ...] = (), **ms: float | None) -> None:
        self._offers, self._ms = offers, ms
        self.asked: list[tuple[str, float]] = []

    def __call__(self, order: Order, patience_s: float) -> Trial:
        self.asked.append((order.engine, patience_s))
        ms = self._ms.get(order.engine)
        said = "fp16" if ms else "ended by SIGILL"
        return Trial(order.engine, ms, said, crashed=ms is None, offers=self._offers)


@given(trials)
def test_what_is_chosen_works_and_the_first_stays_unless_another_is_clearly_faster(tried: tuple[Trial, ...]) -> None:
    choice = choose(tried)
    working = {each.engine: each.ms for each in tried if each.ms is not None}
    if not working:
        assert choice is None
        return
    assert choice is not None
    if choice.engine != FIRST and FIRST in working:
        assert working[choice.engine] == min(working.values())
        assert working[choice.engine] <= FASTER * working[FIRST]
    if choice.engine == FIRST:
        assert all(ms > FASTER * working[FIRST] for ms in working.values())
    for each in tried:
        assert each.engine == choice.engine or each.engine in choice.reason


def test_the_choice_is_made_once_and_again_when_what_it_rests_on_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, engines = tmp_path / "state" / "engines.json", Engines(onnxruntime=40.0, litert=20.0)
    assert settle(VISION, engines, file) == "litert"
    assert [name for name, _ in engines.asked] == ["onnxruntime", "litert"]
    assert settle(VISION, engines, file) == "litert"
    assert len(engines.asked) == 2
    found = kept(fingerprint(VISION), file)
    assert found is not None
    assert found.reason == "20 ms a picture (onnxruntime 40 ms)"
    settle(VisionSettings(precision="int8"), engines, file)
    assert len(engines.asked) == 4, "other settings are another choice"
    settle(VISION, engines, file)
    assert len(engines.asked) == 4, "and the first is kept beside it"
    monkeypatch.setattr(engine_choice, "board", lambda: "another board")
    settle(VISION, engines, file)
    assert len(engines.asked) == 6
    monkeypatch.setattr(engine_choice.metadata, "version", lambda _: "99.0")
    settle(VISION, engines, file)
    assert len(engines.asked) == 8
    forget(fingerprint(VISION), file)
    settle(VISION, engines, file)
    assert len(engines.asked) == 10


def test_what_the_build_offers_is_tried_and_a_compiler_gets_its_time(tmp_path: Path) -> None:
    offers = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider")
    engines = Engines(offers, onnxruntime=40.0, cuda=8.0, tensorrt=5.0, litert=45.0)
    assert settle(VISION, engines, tmp_path / "engines.json") == "tensorrt"
    patience = dict(engines.asked)
    assert list(patience) == ["onnxruntime", "cuda", "tensorrt", "litert"]
    assert patience["tensorrt"] > 600 > patience["cuda"]


def test_an_engine_that_crashes_is_said_and_never_chosen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert settle(VISION, Engines(litert=90.0), tmp_path / "engines.json") == "litert"
    assert "onnxruntime crashes on this machine: ended by SIGILL" in caplog.text
    with pytest.raises(ModelError, match=r"litert crashes.*install another version"):
        settle(VisionSettings(engine="litert"), Engines(), tmp_path / "engines.json")
    with pytest.raises(ModelError, match=r"onnxruntime crashes.*litert crashes"):
        settle(VisionSettings(precision="int8"), Engines(), tmp_path / "engines.json")


def test_a_model_that_is_wrong_is_left_to_those_who_say_what_is_wrong_with_it(tmp_path: Path) -> None:
    engines = Engines(onnxruntime=1.0)
    assert settle(VisionSettings(detector="nonsense"), engines, tmp_path / "engines.json") == "auto"
    assert engines.asked == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}', "\0"])
def test_a_file_that_is_no_choice_is_made_anew(tmp_path: Path, text: str) -> None:
    file = tmp_path / "engines.json"
    file.write_text(text if text != '{"x": 1}' else json.dumps({fingerprint(VISION): {"engine": "cuda"}}))
    assert settle(VISION, Engines(onnxruntime=1.0, litert=9.0), file) == "onnxruntime"
    assert kept(fingerprint(VISION), file) is not None


def test_where_nothing_can_be_written_the_choice_holds_for_this_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    assert settle(VISION, Engines(onnxruntime=1.0, litert=9.0), tmp_path / "state" / "engines.json") == "onnxruntime"
    assert "made again at the next start" in caplog.text


@pytest.fixture
def python(tmp_path: Path) -> Callable[[str], str]:
    """Makes an interpreter of a few lines of shell."""

    def make(script: str) -> str:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


@pytest.mark.parametrize(
    ("script", "said", "crashed"),
    [
        ("kill -ILL $$", "ended by SIGILL", True),
        ("kill -SEGV $$", "ended by SIGSEGV", True),
        ("exec sleep 30", "no answer in 1 s", True),
        ("echo nonsense; exit 4", "ended with 4 and said nothing of use", False),
        ('echo \'{"ms": null, "said": "no such thing", "offers": []}\'', "no such thing", False),
    ],
)
def test_whatever_a_trial_does_it_is_a_trial(
    script: str, said: str, crashed: bool, python: Callable[[str], str]
) -> None:
    trial = try_engine(Order("onnxruntime"), patience_s=1.0, python=python(script))
    assert (trial.ms, trial.crashed) == (None, crashed)
    assert said in trial.said


def test_a_driver_that_crashes_at_the_end_has_worked(python: Callable[[str], str]) -> None:
    answer = '{"ms": 5.5, "said": "fp16", "offers": []}'
    trial = try_engine(Order("cuda"), patience_s=9.0, python=python(f"echo '{answer}'; kill -SEGV $$"))
    assert trial == Trial("cuda", 5.5, "fp16")


def test_a_trial_ends_when_the_device_stops(python: Callable[[str], str]) -> None:
    trial = try_engine(Order("litert"), patience_s=60.0, go_on=lambda _: False, python=python("exec sleep 30"))
    assert (trial.ms, trial.crashed) == (None, False)


def test_a_wheel_that_crashes_when_it_is_imported_leaves_a_device_that_looks_with_the_other(
    tmp_path: Path, python: Callable[[str], str]
) -> None:
    broken = tmp_path / "broken" / "onnxruntime"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n")
    shell = python(f'PYTHONPATH="{tmp_path / "broken"}:$PYTHONPATH" exec {sys.executable} "$@"')
    vision = VisionSettings(precision="int8", attributes="")
    name = settle(vision, lambda order, s: try_engine(order, patience_s=s, python=shell), tmp_path / "engines.json")
    assert name == "litert"
    found = kept(fingerprint(vision), tmp_path / "engines.json")
    assert found is not None
    first, second = found.trials
    assert (first.crashed, first.said) == (True, "its process was ended by SIGILL")
    assert second.ms is not None
    assert second.ms > 0
    assert "SIGILL" in found.reason


def test_a_board_that_is_too_slow_for_all_pictures_is_measured_on_fewer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(logging, "disable", lambda: None)
    monkeypatch.setattr(probe_child, "time", SimpleNamespace(perf_counter=lambda: 3.0 * len(looks)))

    class Slow:
        parts = ((None, SimpleNamespace(precision="fp16")),)

        def detect(self, picture: object) -> None:
            looks.append(1)

    monkeypatch.setattr("comfywear.vision.probe_child.open_detector", lambda *_, **__: Slow())
    order = json.dumps({"engine": "onnxruntime"})
    for patience_s, wanted in ((0.0, 1), (5.0, 2), (60.0, probe_child.PICTURES)):
        looks.clear()
        monkeypatch.setattr(probe_child, "LOOKING_S", patience_s)
        assert probe_child.main([order]) == 0
        assert len(looks) == wanted
        assert json.loads(capsys.readouterr().out)["ms"] == 3000
