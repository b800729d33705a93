"""What several rooms' tests share: the data sets, where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data sets beside the checkout (or $COMFYWEAR_DATA); skips where a user does not have it."""
    folder = Path(os.environ.get("COMFYWEAR_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"needs the data sets, which are not shipped: no folder {folder} (set COMFYWEAR_DATA)")
    return folder
