"""How the engines run best on this machine: threads, spinning, arena, delegates, copies, batches."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.system.arguments import whole
from comfywear.system.paths import find_model
from comfywear.vision.engines import ENGINES
from comfywear_models import Card, CardError, verify

_IDLE_S = 0.02
_PATIENCE, _QUIET = 25, 0.02
_BATCHES = (1, 2, 4, 8)


@dataclass
class _Option:
    """One way to run a graph: `work` does it once for `pictures` pictures."""

    model: str
    name: str
    work: Callable[[], Any]
    pictures: int = 1
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)

    def once(self) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        self.work()
        self.wall_s.append((time.perf_counter() - wall) / self.pictures)
        self.cpu_s.append((time.process_time() - cpu) / self.pictures)
        self.idle.append(_busy())
        # Threads that still spin would be counted against the next option.
        for _ in range(_PATIENCE):
            if _busy() < _QUIET:
                break

    def figures(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "option": self.name,
            "ms": round(1000 * float(np.median(self.wall_s)), 3),
            "ms_best": round(1000 * float(np.min(self.wall_s)), 3),
            "cpu_ms": round(1000 * float(np.median(self.cpu_s)), 3),
            "idle_cpu": round(float(np.median(self.idle)), 3),
        }


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `bench engines`."""
    parser = commands.add_parser(
        "engines", help="threads, spinning, arena, delegates, copies and batches of the engines"
    )
    parser.add_argument("--runs", type=whole(1), default=30, metavar="N", help="of every option, in turns (default 30)")
    parser.add_argument("--model", nargs="+", default=["detector", "attributes"], help="names or card paths")
    parser.add_argument("--precision", nargs="+", default=["fp16", "int8"])
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Time every option in turns and print a row for each.

    `ms` is the median wall time a picture and `cpu_ms` the processor time of all threads, which a busy machine does not
    change much; `idle_cpu` is how many cores the engine keeps busy in the 20 ms after a run.
    """
    options = [option for name in args.model for precision in args.precision for option in _options(name, precision)]
    for option in options:
        option.work()
    for _ in range(args.runs):
        for option in options:
            option.once()
    rows = [option.figures() for option in options]
    if args.json:
        print(json.dumps({"engines": rows}))
        return 0
    print(f"{'model':20}{'option':44}{'ms':>9}{'best':>9}{'cpu ms':>9}{'idle':>7}")
    for row in rows:
        figures = f"{row['ms']:9.2f}{row['ms_best']:9.2f}{row['cpu_ms']:9.2f}{row['idle_cpu']:7.2f}"
        print(f"{row['model']:20}{row['option']:44}{figures}")
    return 0


def _busy() -> float:
    """How many cores this process keeps busy while it does nothing for 20 ms."""
    cpu, wall = time.process_time(), time.perf_counter()
    time.sleep(_IDLE_S)
    return (time.process_time() - cpu) / (time.perf_counter() - wall)


def _options(name: str, precision: str) -> Iterator[_Option]:
    """All options of a model in one precision, for the engines that are installed."""
    try:
        card, folder = find_model(name)
    except CardError as error:
        raise ModelError(str(error)) from error
    size = (int(card.input["height"]), int(card.input["width"]), 3)
    label = f"{card.name} {precision}"
    picture = np.random.default_rng(0).integers(0, 256, (1, *size)).astype(np.uint8)
    for make, engine in ((_onnx_options, "onnxruntime"), (_litert_options, "litert")):
        path = _path(card, folder, engine, precision)
        if path is not None:
            for option, work in make(path, picture):
                yield _Option(label, option, work)
    path = _path(card, folder, "onnxruntime", precision)
    if card.task == "attributes" and path is not None:
        session = ENGINES["onnxruntime"](path, precision, size, 1)
        for count in _BATCHES:
            batch = np.repeat(picture, count, axis=0)
            yield _Option(label, f"onnxruntime, batch of {count}", partial(session.run, batch), count)


def _path(card: Card, folder: Path, engine: str, precision: str) -> Path | None:
    for file in card.files:
        if (file.engine, file.precision) == (engine, precision):
            try:
                return verify(file, folder)
            except CardError as error:
                raise ModelError(str(error)) from error
    return None


def _onnx_options(path: Path, picture: NDArray[np.uint8]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """ONNX Runtime: as the device runs it, then one thing changed at a time."""
    try:
        import onnxruntime
    except ImportError:
        return
    for threads in (1, 2):
        engine = ENGINES["onnxruntime"](path, "", _shape(picture), threads)
        yield (
            f"onnxruntime, {threads} thread{'s' * (threads > 1)}, as shipped",
            partial(engine.run, picture),
        )
    changes: dict[str, tuple[int, dict[str, Any], dict[str, str]]] = {
        "2 threads, spinning": (2, {}, {"session.intra_op.allow_spinning": "1"}),
        "1 thread, no arena": (1, {"enable_cpu_mem_arena": False}, {}),
        "1 thread, no memory pattern": (1, {"enable_mem_pattern": False}, {}),
        "1 thread, extended optimisation only": (
            1,
            {"graph_optimization_level": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED},
            {},
        ),
        "1 thread, no optimisation": (
            1,
            {"graph_optimization_level": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL},
            {},
        ),
        "1 thread, exact 8-bit products": (1, {}, {"session.x64quantprecision": "1"}),
        "1 thread, float copy and run()": (1, {}, {}),
    }
    for name, (threads, attributes, entries) in changes.items():
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        for key, value in {"session.intra_op.allow_spinning": "0", **entries}.items():
            options.add_session_config_entry(key, value)
        for key, setting in attributes.items():
            setattr(options, key, setting)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        yield f"onnxruntime, {name}", partial(_plain_run, session, picture)


def _shape(picture: NDArray[np.uint8]) -> tuple[int, int, int]:
    return picture.shape[1], picture.shape[2], picture.shape[3]


def _plain_run(session: Any, picture: NDArray[np.uint8]) -> Any:
    """As without memory of its own: the picture is made float first, and handed over."""
    return session.run(None, {session.get_inputs()[0].name: picture.astype(np.float32)})


def _litert_options(path: Path, picture: NDArray[np.uint8]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """LiteRT: as the device runs it, and without XNNPACK."""
    try:
        from ai_edge_litert import interpreter as litert
    except ImportError:
        return
    for threads in (1, 2):
        engine = ENGINES["litert"](path, "", _shape(picture), threads)
        yield f"litert, {threads} thread{'s' * (threads > 1)}, as shipped", partial(engine.run, picture)
    plain = litert.Interpreter(
        model_path=str(path),
        num_threads=1,
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    plain.allocate_tensors()
    index = plain.get_input_details()[0]["index"]
    outputs = [detail["index"] for detail in plain.get_output_details()]

    def work() -> list[Any]:
        plain.set_tensor(index, picture.astype(np.float32))
        plain.invoke()
        return [plain.get_tensor(output) for output in outputs]

    yield "litert, 1 thread, without XNNPACK", work
