from __future__ import annotations

import json
from pathlib import Path

import plan
import pytest

FLEET = Path(plan.__file__).parent
SIZES = {
    kind: {"payload_bytes": 100, "postgresql_bytes": 200}
    for kind in ("climate", "people", "comfort", "metrics", "vote")
}
HELD = {
    "accepted_per_s": 100.0,
    "backlog_s": 0.1,
    "cpu_us_per_message": {"broker": 1, "collectors": 2, "postgresql": 3},
}
TOO_MUCH = {**HELD, "accepted_per_s": 900.0, "backlog_s": 9.9, "cpu_us_per_message": {"broker": 9, "collectors": 9}}
FIGURES = {"steps": [HELD, TOO_MUCH], "drain": None, "collectors": 2}


def test_needs_follow_from_what_was_measured_and_stated() -> None:
    found = plan.need(1_000_000, 1.0, 60.0, FIGURES, SIZES)
    rate = 1_000_000 * (3 + 1 / 60 + 20 / 86400)
    assert found.messages_s == pytest.approx(rate)
    assert found.confirmations_s == pytest.approx(1_000_000 / 60)
    assert found.collector_cores == pytest.approx(rate * 2e-6 / 0.5)
    assert found.gigabytes_day == pytest.approx(rate * 200 * 86400 / 1e9)
    assert found.megabit_s == pytest.approx(
        (rate * (100 + plan.WIRE_BYTES) + found.confirmations_s * plan.CONFIRMATION_BYTES) * 8 / 1e6
    )


def test_the_cost_of_a_message_is_that_of_a_queue_drained_where_it_was_measured() -> None:
    drained = {"drain": {"cpu_us_per_message": {"broker": 10, "collectors": 20, "postgresql": 30}}}
    for name, cores in (("broker_cores", 5), ("collector_cores", 10), ("database_cores", 15)):
        found = plan.need(1000, 1.0, 60.0, {**FIGURES, **drained}, SIZES)
        rate = 1000 * (3 + 1 / 60 + 20 / 86400)
        assert getattr(found, name) == pytest.approx(rate * cores * 2e-6 / 0.5)


def test_a_device_that_says_less_than_it_could_be_answered_is_answered_as_often_as_it_speaks() -> None:
    found = plan.need(1, 30.0, 1.0, FIGURES, SIZES)
    assert found.confirmations_s == pytest.approx(found.messages_s)


def test_the_table_of_the_document_is_that_of_the_figures() -> None:
    figures, sizes = (json.loads((FLEET / name).read_text()) for name in ("figures.json", "storage.json"))
    document = plan.DOCUMENT.read_text()
    assert plan.put_into(document, plan.table(figures, sizes)) == document
