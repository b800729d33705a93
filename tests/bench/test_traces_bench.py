from __future__ import annotations

import json

import pytest

from comfywear.cli import main


def test_all_sides_are_measured_in_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="needs OpenTelemetry (pip install 'comfywear[otel]')")
    assert main(["bench", "traces", "--frames", "3", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result["us_a_frame"]) == {"bare", "off", "on"}
    assert result["over_bare"]["bare"] == 1.0
    assert result["missing"] is None


def test_without_the_extra_one_side_is_left_out_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    assert main(["bench", "traces", "--frames", "3"]) == 0
    said = capsys.readouterr().out
    assert "on: not measured: OpenTelemetry is asked for, but not installed" in said
