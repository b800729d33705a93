"""What a screen reader is given of a page: Chromium's accessibility tree, as an outline, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

__all__ = ["Spoken", "faults", "outline", "tree"]

_CONTROLS = {"button", "checkbox", "combobox", "link", "listbox", "radio", "searchbox", "slider", "switch", "textbox"}
_NAMED = {*_CONTROLS, "DisclosureTriangle", "dialog", "image", "navigation", "region"}
_SAID = {"level", "checked", "pressed", "expanded", "selected", "disabled", "required", "invalid", "live"}
_WITHOUT_MEANING = {"disabled": (False,), "required": (False,), "invalid": ("false",), "selected": (False,)}
_SILENT = {"none", "generic", "StaticText", "InlineTextBox", "RootWebArea", "LineBreak", "ListMarker", "LabelText"}


@dataclass(slots=True)
class Spoken:
    """One element as it is spoken.

    Attributes:
        role: As Chromium names it.
        name: What it is called, "" for nothing.
        text: What describes it besides.
        depth: Below how many others it stands.
        states: Such as {"expanded": False, "live": "polite"}.
    """

    role: str
    name: str
    text: str
    depth: int
    states: Mapping[str, Any] = field(default_factory=dict)


def tree(page: Any) -> list[Spoken]:
    """All that is spoken of a page, in order."""
    tools = page.context.new_cdp_session(page)
    try:
        nodes = tools.send("Accessibility.getFullAXTree")["nodes"]
    finally:
        tools.detach()
    by_id = {node["nodeId"]: node for node in nodes}
    return list(_below(nodes[0], by_id, 0))


def _below(node: Mapping[str, Any], by_id: Mapping[str, Any], depth: int) -> Iterator[Spoken]:
    role = node.get("role", {}).get("value", "none")
    spoken = not node.get("ignored") and role not in _SILENT
    if spoken:
        told = {each["name"]: each["value"].get("value") for each in node.get("properties", ())}
        states = {name: told[name] for name in _SAID & told.keys() if told[name] not in _WITHOUT_MEANING.get(name, ())}
        yield Spoken(role, _value(node, "name"), _value(node, "description"), depth, states)
    for child in node.get("childIds", ()):
        if child in by_id:
            yield from _below(by_id[child], by_id, depth + spoken)


def _value(node: Mapping[str, Any], name: str) -> str:
    return str(node.get(name, {}).get("value", "")).strip()


def outline(spoken: Sequence[Spoken]) -> str:
    """A line an element, further in below another."""
    lines = []
    for each in spoken:
        states = "".join(f" [{name}={value}]" for name, value in sorted(each.states.items()))
        text = f" ({each.text})" if each.text and each.text != each.name else ""
        lines.append(f"{'  ' * each.depth}{each.role} {each.name}{states}{text}".rstrip())
    return "\n".join(lines)


def faults(spoken: Sequence[Spoken]) -> list[str]:
    """What keeps somebody who does not see from finding their way."""
    found = [f"{each.role} without a name" for each in spoken if each.role in _NAMED and not each.name]
    found += [f"{each.name}: wrong, and not why" for each in spoken if "invalid" in each.states and not each.text]
    found += [f"{each.name}: a sign is spoken" for each in spoken if any(sign in each.name for sign in "▸▾•✓")]
    levels = [int(each.states["level"]) for each in spoken if each.role == "heading"]
    if levels[:1] != [1] or levels.count(1) != 1:
        found.append(f"the headings do not begin with the only one of the first level: {levels}")
    found += [f"headings leap from {one} to {next_}" for one, next_ in pairwise(levels) if next_ > one + 1]
    if (mains := sum(each.role == "main" for each in spoken)) != 1:
        found.append(f"{mains} landmarks are the page's content")
    if not any(each.states.get("live") in ("polite", "assertive") for each in spoken):
        found.append("nothing is announced: there is no live region")
    return found
