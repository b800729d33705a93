"""What `comfywear bench` prints is a Markdown table that can be pasted."""

from __future__ import annotations

from comfywear.bench.device import table


def test_the_figures_are_a_markdown_table() -> None:
    assert table({"machine": "Raspberry Pi 5, aarch64", "frames": 1000}).splitlines() == [
        "| what    | value                   |",
        "|---------|-------------------------|",
        "| machine | Raspberry Pi 5, aarch64 |",
        "| frames  | 1000                    |",
    ]
