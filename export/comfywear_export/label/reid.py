"""`comfywear-export label reid`: which pictures show the same person? Asks where an answer is worth most."""

from __future__ import annotations

import argparse
import json
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np

from comfywear.errors import StoreError, UsageError
from comfywear.system.arguments import whole
from comfywear.vision import AttributeModel, Detector
from comfywear_export.dral.answers import AnswerFile
from comfywear_export.dral.asking import Asker
from comfywear_export.dral.policies import Judge, Policy, greedy, nearest_first, nearest_now, random_item, uncertain
from comfywear_export.dral.qlearning import QNet, learnt
from comfywear_export.dral.rounds import FEATURES
from comfywear_export.dral.session import Refresh, Session
from comfywear_export.dral.simulate import Asking

__all__ = ["add_parser", "run"]

_PLAIN: dict[str, Policy] = {"nearest-now": nearest_now, "nearest-first": nearest_first, "random": random_item}
_LEARNT = ("dral", "dral-gain", "greedy", "uncertainty")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser(
        "reid",
        help="ask which pictures show the same person",
        description="Asks on a page of this machine, or in the terminal. Every answer is on the disk before the next "
        "question; started again, it goes on, and no pair is asked about twice.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="one person a picture, or captures")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="answers, JSON lines; added to")
    parser.add_argument("--terminal", action="store_true", help="ask here, by file names, instead of on a page")
    parser.add_argument("--port", type=whole(0, 65535), default=0, help="of the page (0 = any that is free)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--questions", type=whole(1), default=10, metavar="N", help="at most, a picture (default 10)")
    parser.add_argument("--pool", type=whole(1), default=30, metavar="N", help="nearest pictures to choose from (30)")
    parser.add_argument(
        "--neighbours", type=whole(1), default=8, metavar="K", help="k-reciprocal neighbours (default 8)"
    )
    parser.add_argument("--policy", default="nearest-now", choices=[*_PLAIN, *_LEARNT], help="default nearest-now")
    parser.add_argument("--learnt", type=Path, metavar="FILE", help="policy.json of `evaluate dral`")
    parser.add_argument(
        "--refresh", default="supervised", choices=get_args(Refresh), help="of the embedding by answers"
    )
    parser.add_argument("--detector", default="detector", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--attributes", default="attributes", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--engine", default="auto", help="onnxruntime, litert or auto")
    parser.add_argument("--precision", default="fp16", help="fp16 or int8 (default fp16)")
    parser.add_argument("--threads", type=whole(1, 1000), default=1, help="of the engine (default 1)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask until nothing is open or the person ends it; returns the exit code."""
    how = Asking(args.pool, args.questions, args.neighbours)
    policy = _policy(args.policy, args.learnt)
    if not args.out.parent.is_dir():
        raise StoreError(f"{args.out.parent}: there is no such folder")
    with AnswerFile(args.out) as file:
        # Only here: a command that explains itself opens no models and no pictures.
        from comfywear_export.dral.pictures import read_pictures

        given = {"engine": args.engine, "precision": args.precision, "threads": args.threads}
        pictures = read_pictures(
            args.folder,
            args.out.with_name(f"{args.out.name}.vectors.npz"),
            Detector.load(args.detector, **given),
            AttributeModel.load(args.attributes, **given),
        )
        session = Session(pictures.names, pictures.x, file.answers, how, policy, refresh=args.refresh)
        asker = Asker(session, file)
        if args.terminal:
            from comfywear_export.dral.asking_terminal import ask_in_terminal

            ask_in_terminal(asker, args.folder)
        else:
            from comfywear_export.dral.asking_page import ask_on_page

            ask_on_page(asker, args.folder, args.port, _opener(args.open))
        said = asker.said()
    print(f"{args.out}: {said['same']} the same, {said['different']} not, {said['skipped']} skipped", flush=True)
    return 0


def _opener(browser: bool) -> Callable[[str], None]:
    def opened(url: str) -> None:
        print(f"answer at {url}\n(Finish there, or Ctrl-C here, ends it; whatever was answered is kept)", flush=True)
        if browser:
            webbrowser.open(url)

    return opened


def _policy(name: str, file: Path | None) -> Policy:
    """The policy of a name, from the file that `evaluate dral` wrote where it was learnt.

    Raises:
        UsageError: The file is missing, or not one of ours.
    """
    if name in _PLAIN:
        return _PLAIN[name]
    if file is None:
        raise UsageError(f"--policy {name} is learnt: give --learnt with the policy.json of `evaluate dral`")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        judge = Judge(np.array(found["judge"], np.float64))
        if name in ("greedy", "uncertainty"):
            policy = greedy(judge) if name == "greedy" else uncertain(judge)
        else:
            net = QNet(judge, [np.array(each, np.float64) for each in found[name]])
            policy = learnt(net)
            net.values(net.inputs(np.zeros((1, len(FEATURES)))))
        judge(np.zeros((1, len(FEATURES))))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UsageError(f"{file}: no policy.json of `comfywear-export evaluate dral` ({error})") from error
    return policy
