"""What the sensor tests share."""

from __future__ import annotations

import pytest
from hand_clock import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()
