"""What a killed run keeps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from children import Child
from comfywear.errors import UsageError
from comfywear_export.ledger import Ledger
from comfywear_export.measure.interval import bootstrap, over_seeds

PUTS_FOR_EVER = """
import sys
from pathlib import Path
from comfywear_export.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]), {"seed": 1})
for number in range(len(ledger), 10**6):
    ledger.put(str(number), list(range(number)))
    print(number, flush=True)
"""


def test_every_part_that_was_said_to_be_done_is_there_after_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    last = -1
    for _ in range(3):
        command = [sys.executable, "-c", PUTS_FOR_EVER, str(path)]
        with Child(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [int(process.stdout.readline()) for _ in range(20)]
            process.kill()
            said += [int(line) for line in process.stdout.read().split("\n")[:-1]]
        assert said[0] > last  # it went on and did not begin anew
        last = said[-1]
        kept = Ledger(path, {"seed": 1})
        assert len(kept) >= last + 1
        assert kept.get(str(last)) == list(range(last))


def test_parts_of_another_run_or_no_record_at_all_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    Ledger(path, {"seed": 1, "data": "a"}).put("x", 1)
    with pytest.raises(UsageError, match=r"other data, folds; give another --out"):
        Ledger(path, {"seed": 1, "data": "b", "folds": 3})
    for text in ("[]", "{", '{"settings": {}}', '{"settings": 1, "parts": {}}', "\x00"):
        path.write_text(text)
        with pytest.raises(UsageError, match="not the record of a run"):
            Ledger(path, {"seed": 1})


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=12))
def test_intervals_hold_the_mean(values: list[float]) -> None:
    for mean, low, high in (over_seeds(values), bootstrap(values)):
        assert low - 1e-9 <= mean <= high + 1e-9
    assert over_seeds([3.0] * 5) == (3.0, 3.0, 3.0)


def test_students_interval_of_three_seeds_is_as_wide_as_the_table_says() -> None:
    mean, low, high = over_seeds([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert high - mean == pytest.approx(4.303 / 3**0.5)  # t(0.975, 2) = 4.303, deviation 1
    assert low == pytest.approx(4.0 - high)
