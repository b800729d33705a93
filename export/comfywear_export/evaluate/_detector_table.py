"""The tables that `comfywear-export evaluate detector` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["heading", "table"]

_LOOKS = {"quick": "the quick look alone", "far": "the whole picture and tiles of it"}


def heading(result: Mapping[str, Any], count: str) -> str:
    """The first line of a table: which model, on what."""
    model = f"{result['model']} {result['version']} on {result['engine']} {result['precision']}"
    return f"{model}; {count} of {result['data']} {result['split']}"


def table(result: Mapping[str, Any]) -> str:
    """Everything that was measured, as text."""
    lines = []
    if "mean_box" in result:
        lines += _one_set(result)
    elif "sets" in result:
        lines += _sets(result)
    else:
        lines.append(_model(result))
    lines.append(f"looked at: {_LOOKS[result['look']]}")
    if result.get("attributes"):
        lines.append(f"garments: weighed by what {result['attributes']} says of their wearers, as on a device")
    lines += _sources(result)
    if "empty" in result:
        lines += ["", *_empty(result), "", *_curve(result)]
    for other in result.get("others", []):
        lines += ["", "beside it:", table(other)]
    return "\n".join(lines)


def _model(result: Mapping[str, Any]) -> str:
    return f"{result['model']} {result['version']} on {result['engine']} {result['precision']}"


def _one_set(result: Mapping[str, Any]) -> list[str]:
    person, constant = result["person"], result["mean_box"]["person"]
    sure = f"   of {person['n']}, at a score of {person['threshold']:.2f} or more"
    lines = [
        heading(result, f"{result['images']} photos"),
        f"{'':22}{'model':>8}{'mean box':>10}",
        f"{'person AP50':22}{person['ap50']:8.3f}{constant['ap50']:10.3f}",
        f"{'person AP50:95':22}{person['ap']:8.3f}{constant['ap']:10.3f}",
        f"{'persons found':22}{person['recall50']:8.3f}{constant['recall50']:10.3f}{sure}",
        f"{'finds that are right':22}{person['precision50']:8.3f}{constant['precision50']:10.3f}",
    ]
    if result.get("weak"):
        lines.append("weak: a detector drew the persons")
    garments, base = result["garments"], result["mean_box"]["garments"]
    if garments["per_class"]:
        lines.append(f"{'garments mean AP50':22}{garments['map50']:8.3f}{base['map50']:10.3f}")
        lines += [
            f"  {label:20}{entry['ap50']:8.3f}{base['per_class'][label]['ap50']:10.3f}   of {entry['n']}"
            for label, entry in garments["per_class"].items()
        ]
    return lines


def _sets(result: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{_model(result)}; {result['images']} photos of {len(result['sets'])} sets, {result['split']}",
        f"{'':22}{'photos':>8}{'persons':>9}{'AP50':>8}{'AP50:95':>9}{'found':>8}{'right':>8}{'garments':>10}",
    ]
    for row in result["sets"]:
        name = f"{row['data']} (weak)" if row.get("weak") else row["data"]
        lines.append(f"{name:22}{row['images']:8}{row['person']['n']:9}{_figures(row)}")
    mean = result["summary"]
    label = f"mean of {len(mean['sets'])} sets"
    lines.append(f"{label:39}{_figures(mean)}")
    lines.append(f"found and right: at a score of {result['threshold']:.2f} or more; garments: mean AP50")
    if any(row.get("weak") for row in result["sets"]):
        lines.append("weak: a detector drew the persons; they are not in the mean where people drew others")
    return lines


def _figures(row: Mapping[str, Any]) -> str:
    person = row["person"]
    return (
        f"{_number(person['ap50']):>8}{_number(person['ap']):>9}{_number(person['recall50']):>8}"
        f"{_number(person['precision50']):>8}{_number(row['garments']['map50']):>10}"
    )


def _sources(result: Mapping[str, Any]) -> list[str]:
    rows = [
        (f"{row['data']}/{source}", own)
        for row in result.get("sets", [result])
        for source, own in row.get("sources", {}).items()
    ]
    if not rows:
        return []
    lines = ["", f"{'by source':22}{'photos':>8}{'persons':>9}{'AP50':>8}{'found':>8}{'right':>8}"]
    for name, own in rows:
        figures = "".join(f"{_number(own['person'][key]):>8}" for key in ("ap50", "recall50", "precision50"))
        lines.append(f"{name:22}{own['images']:8}{own['person']['n']:9}{figures}")
    return lines


def _empty(result: Mapping[str, Any]) -> list[str]:
    empty, chosen = result["empty"], result.get("chosen")
    second = f"{chosen['threshold']:.3f}" if chosen else ""
    lines = [f"{'photos with nobody':22}{'photos':>8}   with a person, at {result['threshold']:.3f}{second:>10}"]
    for name, own in _rows(empty).items():
        then = _rows(chosen["empty"])[name] if chosen else None
        lines.append(f"{name:26}{own['images']:4}{own['share']:27.3f}" + (f"{then['share']:10.3f}" if then else ""))
    if chosen:
        lines.append(
            f"threshold {chosen['threshold']:.3f}: at most {chosen['most']:.1%} of {', '.join(chosen['on'])} fire "
            f"({chosen['share']:.1%}); persons found {_number(chosen['recall50'])}, "
            f"finds that are right {_number(chosen['precision50'])}"
        )
    return lines


def _rows(empty: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    folders = empty["folders"] if len(empty["folders"]) > 1 else {}
    return {**empty["sources"], **{f"all of {name}": own for name, own in folders.items()}, "all": empty}


def _curve(result: Mapping[str, Any]) -> list[str]:
    lines = [f"{'threshold':>10}{'persons found':>15}{'empty photos with a person':>28}"]
    lines += [f"{row['threshold']:10.3f}{_number(row['recall50']):>15}{row['share']:28.3f}" for row in result["curve"]]
    if len(result["recall_on"]) < len(result.get("sets", [])):
        lines.append(f"persons found: of {', '.join(result['recall_on'])}, where people drew them")
    return lines


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"  # NaN alone differs from itself
