"""The public face of `comfywear.comfort`: every name is there, and an estimate loads no more than it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from comfywear import comfort


@pytest.mark.parametrize("name", comfort.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(comfort, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="comfywear"):
        _ = comfort.nonsense


def test_an_estimate_does_not_load_the_other_standards() -> None:
    code = (
        "import sys; from comfywear.comfort import ComfyWear, ThermalWear; ComfyWear().estimate(26, 50, 0.5); "
        "ThermalWear().estimate(26, 50, 0.5); print([m for m in ('utci', 'heat', 'mould', 'adaptive', 'local') "
        "if f'comfywear.comfort.standards.{m}' in sys.modules], 'difflib' in sys.modules, 'scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[] False False"
