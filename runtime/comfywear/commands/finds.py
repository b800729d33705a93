"""`comfywear finds`: list what the camera finds, and correct it: no person, or one that was missed."""

from __future__ import annotations

import argparse
from typing import Any

from comfywear.commands._state_folder import add_state_folder, given_folder
from comfywear.feedback import ask
from comfywear.system.arguments import number, whole


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `finds list|reject|miss|undo`."""
    parser = commands.add_parser("finds", help="list what the camera finds, and correct it")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    lists = verbs.add_parser("list", help="who is found now, and the corrections that hold")
    rejects = verbs.add_parser("reject", help="that is not a person: not counted there any more, while it looks so")
    rejects.add_argument("number", metavar="N", type=whole(1), help="of the find, as list says it")
    misses = verbs.add_parser("miss", help="there is a person who is not found: weak finds there are believed")
    for side, where in {"x1": "left", "y1": "upper", "x2": "right", "y2": "lower"}.items():
        misses.add_argument(
            side, metavar=side.upper(), type=number(0, 1), help=f"its {where} side, 0 to 1 of the picture"
        )
    misses.add_argument("--camera", metavar="NAME", help="in whose picture, where there are several")
    undoes = verbs.add_parser("undo", help="take a correction back")
    undoes.add_argument("number", metavar="N", type=whole(1), help="of the correction, as list says it")
    for name, verb in {"list": lists, "reject": rejects, "miss": misses, "undo": undoes}.items():
        add_state_folder(verb)
        verb.set_defaults(run=run, do=name)


def run(args: argparse.Namespace) -> int:
    """Ask the running device and say what came of it; returns 0."""
    request: dict[str, Any] = {"verb": "finds", "do": args.do}
    if args.do == "miss":
        request |= {"box": [args.x1, args.y1, args.x2, args.y2], "camera": args.camera}
    elif args.do != "list":
        request["number"] = args.number
    answer = ask(given_folder(args), request)
    if args.do == "list":
        _print_list(answer)
    elif args.do == "undo":
        print(f"correction {args.number} ({answer['kind']}) is taken back")
    else:
        print(f"kept as correction {answer['number']}; take it back with: comfywear finds undo {answer['number']}")
    return 0


def _print_list(answer: dict[str, Any]) -> None:
    print("found now:" if answer["finds"] else "found now: nobody")
    for find in answer["finds"]:
        print(f"  {find['number']:>4}  {_box(find['box'])}  score {find['score']:.2f}  {find['zone']}{_camera(find)}")
    print("corrections:" if answer["corrections"] else "corrections: none")
    for each in answer["corrections"]:
        when = each["ts"] or "time not known"
        print(f"  {each['number']:>4}  {_box(each['box'])}  {each['kind']:6}  {when}{_camera(each)}")


def _box(box: list[float]) -> str:
    return " ".join(f"{side:.3f}" for side in box)


def _camera(row: dict[str, Any]) -> str:
    """In whose picture, where there are several."""
    return f"  camera {row['camera']}" if "camera" in row else ""
