"""The training loop: a schedule in minutes, averaged weights, checkpoints, resume, progress with the time left."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from comfywear.errors import UsageError

__all__ = ["Plan", "Trained", "endless", "fit"]

# A checkpoint after a second, then after twice as long each time: a short run that is killed loses little, too.
_FIRST_SAVE_S, _SAVE_S = 1.0, 120.0


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn.

    Attributes:
        minutes: Wall time of all sittings together.
        batch: Views a step.
        trunk_rate: Peak learning rate of pretrained weights.
        head_rate: Peak learning rate of the rest.
        weight_decay: AdamW's.
        average: Decay of the averaged weights.
        settle: Steps over which that decay is reached: a new network's first weights are soon forgotten (0: at once).
        seed: Of weights and views.
        steps: Stop after so many steps, whatever the time (0: only the time counts).
        warm_up: Steps over which the rates rise to their peaks.
        note: What else the run's `plan.json` should say, such as the commit.
    """

    minutes: float
    batch: int
    trunk_rate: float = 3e-4
    head_rate: float = 2e-3
    weight_decay: float = 0.02
    average: float = 0.998
    settle: int = 200
    seed: int = 0
    steps: int = 0
    warm_up: int = 100
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Trained:
    """What a run came to: the network with averaged weights, and how far it went."""

    net: nn.Module
    step: int
    seconds: float


def fit(
    net: nn.Module,
    batches: Callable[[int], Iterator[Any]],
    loss: Callable[[nn.Module, Any], tuple[torch.Tensor, dict[str, float]]],
    plan: Plan,
    folder: Path,
    *,
    resume: bool = True,
    say: Callable[[str], None] = print,
    watch: Callable[[int, nn.Module], None] | None = None,
) -> Trained:
    """Train `net`, whose pretrained part is `net.trunk`; leaves `last.pt`, `log.jsonl` and `plan.json` in `folder`.

    Args:
        net: Learns; its `trunk` at the lower rate.
        batches: From a step number to the batches from there on, so that a resumed run sees other views.
        loss: From network and batch to the loss and its parts.
        plan: How long and how fast.
        folder: Of this run.
        resume: Go on from `last.pt` if it is there; only the length of the plan may then be another.
        say: Shows a line of progress.
        watch: Is shown the number of steps done and the averaged network before each step (a mean teacher's place).

    Raises:
        UsageError: The folder holds a run that was begun with another plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    averaged = copy.deepcopy(net).eval()
    trunk = [p for p in net.trunk.parameters() if p.requires_grad]
    inside = {id(p) for p in net.trunk.parameters()}
    rest = [p for p in net.parameters() if p.requires_grad and id(p) not in inside]
    optimiser = torch.optim.AdamW(
        [{"params": trunk, "peak": plan.trunk_rate}, {"params": rest, "peak": plan.head_rate}],
        weight_decay=plan.weight_decay,
    )
    step, before = 0, 0.0
    last = folder / "last.pt"
    facts = asdict(plan)
    facts.update(facts.pop("note"))
    if resume and last.is_file():
        _check_same(folder, facts)
        state = torch.load(last, map_location="cpu", weights_only=True)
        net.load_state_dict(state["net"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        step, before = state["step"], state["seconds"]
        say(f"going on from step {step} after {before / 60:.1f} min ({last})")
    (folder / "plan.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    budget, start, saved, shown = plan.minutes * 60, time.monotonic(), time.monotonic(), 0.0
    save_after = _FIRST_SAVE_S
    sums: dict[str, float] = {}
    count = 0

    def spent() -> float:
        return before + time.monotonic() - start

    def finished() -> bool:
        return spent() >= budget or bool(plan.steps and step >= plan.steps)

    def save() -> None:
        state = {
            "net": net.state_dict(),
            "averaged": averaged.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": step,
            "seconds": spent(),
        }
        torch.save(state, last.with_suffix(".new"))
        last.with_suffix(".new").replace(last)

    net.train()
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        source = batches(step)
        while not finished():
            if watch:
                watch(step, averaged)
            batch = next(source)
            progress = max(spent() / budget, step / plan.steps if plan.steps else 0.0)
            for group in optimiser.param_groups:
                group["lr"] = (
                    group["peak"]
                    * min(1.0, (step + 1) / plan.warm_up)
                    * (0.02 + 0.98 * (1 + math.cos(math.pi * min(progress, 1.0))) / 2)
                )
            total, parts = loss(net, batch)
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            nn.utils.clip_grad_norm_([p for g in optimiser.param_groups for p in g["params"]], 10.0)
            optimiser.step()
            step += 1
            count += 1
            _average(averaged, net, plan.average * (1 - math.exp(-step / plan.settle) if plan.settle else 1))
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value
            if time.monotonic() - shown > 15 or finished():
                means = {name: round(value / count, 4) for name, value in sums.items()}
                left = max(budget - spent(), 0)
                if plan.steps:
                    left = min(left, (plan.steps - step) * spent() / step)
                say(
                    f"step {step}  {spent() / 60:.1f} min, {left / 60:.1f} to go  "
                    + "  ".join(f"{n} {v:.3f}" for n, v in means.items())
                )
                log.write(json.dumps({"step": step, "seconds": round(spent(), 1), **means}) + "\n")
                log.flush()
                sums, count, shown = {}, 0, time.monotonic()
            if time.monotonic() - saved > save_after:
                save()
                saved, save_after = time.monotonic(), min(2 * save_after, _SAVE_S)
        save()
    return Trained(averaged, step, spent())


@torch.no_grad()
def _average(averaged: nn.Module, net: nn.Module, decay: float) -> None:
    """Move the averaged weights and statistics a little towards the present ones."""
    for mean, value in zip(averaged.state_dict().values(), net.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def _check_same(folder: Path, facts: Mapping[str, Any]) -> None:
    """What is learnt must stay the same when a run goes on; how long, and by which commit, may change."""
    try:
        begun = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # killed before the plan was whole, or begun before plans were kept
    differs = [
        f"{name} was {begun[name]!r} and is {facts[name]!r}"
        for name in sorted(facts.keys() & begun.keys() - {"minutes", "steps", "commit"})
        if begun[name] != facts[name]
    ]
    if differs:
        raise UsageError(
            f"{folder} holds a run that was begun otherwise: {'; '.join(differs)}. "
            "Go on with the same, name another folder, or remove this one to start anew"
        )


class _From:
    """The step numbers from one on."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __iter__(self) -> Iterator[int]:
        while True:
            yield self.step
            self.step += 1


def endless(views: Any, step: int) -> Iterator[Any]:
    """The batches `views[step]`, `views[step + 1]`, … as tensors."""
    from torch.utils.data import DataLoader

    return iter(DataLoader(views, batch_size=None, sampler=_From(step), num_workers=1, prefetch_factor=4))
