"""A report as one HTML file that needs nothing else, or as Markdown with its charts beside it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from comfywear.errors import StoreError, UsageError

__all__ = ["Block", "Chart", "Table", "Text", "check_name", "write_report"]


@dataclass(frozen=True)
class Text:
    """A heading (where given) and paragraphs below it."""

    heading: str = ""
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Table:
    """Rows below a heading; the first column is text, the others are numbers as text."""

    heading: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """A drawing: what it is called, the SVG, what it shows in words, and how to read it."""

    heading: str
    svg: str
    words: str
    note: str = ""


Block = Text | Table | Chart

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b;
       background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 0; } figure svg { max-width: 100%; height: auto; }
.wide { overflow-x: auto; } .note { color: #555; max-width: 48rem; }
"""


def check_name(path: Path) -> None:
    """UsageError unless a report can have this name, before anything is measured."""
    if path.suffix not in (".html", ".md"):
        raise UsageError(f"--report {path}: a report ends in .html or .md")
    if not path.parent.is_dir():
        raise UsageError(f"--report {path}: there is no folder {path.parent}")


def write_report(path: Path, title: str, blocks: Sequence[Block]) -> None:
    """Write the report; it appears when it is complete.

    Args:
        path: Ends in .html or .md; charts of the latter go to `STEM-N-HEADING.svg` beside it.
        title: Of the page.
        blocks: In their order.

    Raises:
        StoreError: It cannot be written.
    """
    if path.suffix == ".md":
        text, files = _markdown(path, title, blocks)
    else:
        text, files = _html(title, blocks), {}
    try:
        for name, data in [*files.items(), (path.name, text)]:
            part = path.with_name(f".{name}.part")
            part.write_text(data, encoding="utf-8")
            part.replace(path.with_name(name))
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error


def _html(title: str, blocks: Sequence[Block]) -> str:
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>",
    ]
    for block in blocks:
        if block.heading:
            parts.append(f"<h2>{html.escape(block.heading)}</h2>")
        if isinstance(block, Text):
            parts += [f"<p>{html.escape(line)}</p>" for line in block.lines]
        elif isinstance(block, Table):
            rows = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in block.rows]
            head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in block.header)
            body = "".join(f"<tr>{row}</tr>" for row in rows)
            parts.append(f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')
        else:
            svg = block.svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(block.words)}" ', 1)
            parts.append(f"<figure>{svg}</figure>")
        if not isinstance(block, Text) and block.note:
            parts.append(f'<p class="note">{html.escape(block.note)}</p>')
    return "\n".join([*parts, "</body></html>\n"])


def _markdown(path: Path, title: str, blocks: Sequence[Block]) -> tuple[str, dict[str, str]]:
    parts: list[str] = [f"# {title}"]
    files: dict[str, str] = {}
    for block in blocks:
        if block.heading:
            parts.append(f"## {block.heading}")
        if isinstance(block, Text):
            parts += block.lines
        elif isinstance(block, Table):
            rows = [block.header, ["---", *["---:"] * (len(block.header) - 1)], *block.rows]
            parts.append("\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows))
        else:
            name = f"{path.stem}-{len(files) + 1}-{re.sub('[^a-z0-9]+', '-', block.heading.lower()).strip('-')}.svg"
            files[name] = block.svg
            parts.append(f"![{block.words}]({name})")
        if not isinstance(block, Text) and block.note:
            parts.append(block.note)
    return "\n\n".join(parts) + "\n", files
