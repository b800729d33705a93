"""What is wrong is said when it begins, when its words change, and when it is over."""

from __future__ import annotations

import logging

import pytest

from comfywear.errors import StoreError
from comfywear.system.log_once import LogOnce


def test_a_trouble_is_said_once_and_again_when_it_is_another_or_came_back(caplog: pytest.LogCaptureFixture) -> None:
    trouble = LogOnce(logging.getLogger("test"))
    trouble.over("it was never wrong")
    for said in ("full", "full", "gone", "gone"):
        trouble.trouble(StoreError(said))
        assert trouble.standing == said
    trouble.over("it is well")
    trouble.over("it is well")
    trouble.trouble(StoreError("gone"))
    assert [record.message for record in caplog.records] == ["full", "gone", "it is well", "gone"]
