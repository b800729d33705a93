"""Whether this machine can be a comfort sensor: one finding a subject, with what to do where something is amiss."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from comfywear.errors import DeviceNotRunningError
from comfywear.feedback import ask
from comfywear.releases import Releases
from comfywear.releases.offers import heard_until
from comfywear.settings import VisionSettings
from comfywear.system.board import board, hottest_c, system
from comfywear.system.clock import clock_is_set
from comfywear.system.paths import find_model, user_models
from comfywear.texts import Text, together
from comfywear.vision.engines.choice import PATIENCE_S, PROVIDERS, fingerprint, kept
from comfywear.vision.engines.probe import Order, try_engine
from comfywear_models import ModelFile
from comfywear_models.cards import CardError
from comfywear_models.registry import available, verify

__all__ = [
    "Finding",
    "check_model",
    "choice",
    "clock",
    "engines",
    "machine",
    "models",
    "named_models",
    "releases",
    "running",
    "state",
    "temperature",
    "workers",
]

State = Literal["good", "note", "warning", "fault"]

_ENGINE_PATIENCE_S = 180.0
# Troubles of a running device that are faults where it does not run.
_GRAVE = ("no-camera", "no-sensor", "no-storage")
_LITTLE_BYTES, _NO_BYTES = 500_000_000, 50_000_000
_WARM_C, _HOT_C = 75.0, 82.0  # single boards begin to slow down at 80 to 85 °C


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one subject.

    Attributes:
        what: The subject, in a word or two.
        state: "good"; "note" for what is merely worth knowing; "warning"; "fault" when the device cannot do its work.
        said: What was found.
        do: What to do about it; empty when there is nothing to do.
    """

    what: str
    state: State
    said: str
    do: str = ""


def machine(version: tuple[int, ...] = sys.version_info[:3], bits: int = sys.maxsize.bit_length() + 1) -> Finding:
    """The board, its system, and whether Python is one that the engines have wheels for."""
    said = Text(
        "{board}; {system}; Python {python}, {bits} bits",
        board=board(),
        system=system(),
        python=".".join(map(str, version)),
        bits=bits,
    )
    if bits != 64:
        return Finding(
            Text("machine"), "fault", said, Text("install the 64-bit system: the engines have no 32-bit packages")
        )
    if version < (3, 10):
        return Finding(Text("machine"), "fault", said, Text("install Python 3.10 or newer"))
    return Finding(Text("machine"), "good", said)


def engines(wanted: str = "auto", python: str = sys.executable) -> Iterator[Finding]:
    """Each engine of the processor, tried in its own process with the shipped detector; `wanted` is in the settings.

    A fault is one that is wanted and does not work, one that would take the device down, or that none works at all.
    """
    works = False
    for name, package in (("onnxruntime", "onnxruntime"), ("litert", "ai-edge-litert")):
        what = f"engine {name}"
        needed: State = "fault" if wanted == name else "note"
        trial = try_engine(Order(name, precision="fp16", threads=1), patience_s=_ENGINE_PATIENCE_S, python=python)
        if trial.ms is not None:
            works = True
            yield Finding(what, "good", f"{trial.said}, {trial.ms:.0f} ms a picture")
        elif trial.crashed:
            yield Finding(what, "fault", trial.said, f"install another version of {package}")
        else:
            yield Finding(what, needed, trial.said, _get(package) if needed == "fault" else "")
        if name == "onnxruntime" and wanted in PROVIDERS:
            yield _provider(wanted, trial.offers, python)
    if not works:
        yield Finding("engines", "fault", "none works: nobody can be seen", _get("onnxruntime"))


def _provider(wanted: str, offers: Sequence[str], python: str) -> Finding:
    """Whether the engine that the settings name is in this build of ONNX Runtime and works."""
    what, do = f"engine {wanted}", 'docs/models.md, Engines; or let the device choose: vision.engine = "auto"'
    if PROVIDERS[wanted] not in offers:
        return Finding(what, "fault", f"the onnxruntime that is installed has no {PROVIDERS[wanted]}", do)
    patience_s = PATIENCE_S.get(wanted, _ENGINE_PATIENCE_S)
    trial = try_engine(Order(wanted, precision="fp16", threads=1), patience_s=patience_s, python=python)
    if trial.ms is None:
        return Finding(what, "fault", trial.said, do)
    return Finding(what, "good", f"{trial.said}, {trial.ms:.0f} ms a picture")


def _get(package: str) -> str:
    """How to get a package of Python where this runs: the Debian package has all of them inside, and no pip."""
    if importlib.util.find_spec("pip") is None:
        return "it is part of the Debian package: install that again (dpkg -i comfywear_….deb)"
    return f"{sys.executable} -m pip install {package}"


def choice(vision: VisionSettings) -> Finding:
    """Which engine a device of this user chose on this machine, and why."""
    found = kept(fingerprint(vision))
    if found is None:
        return Finding("engine choice", "note", "a device of this user makes it at its next start")
    return _of_choice(**found.told())


def _of_choice(engine: str, reason: str, crashed: Sequence[str]) -> Finding:
    said = f"{engine}: {reason}"
    if crashed:
        return Finding("engine choice", "warning", said, f"install another version of {', '.join(crashed)}")
    return Finding("engine choice", "good", said)


def models() -> Finding:
    """Whether every file of every model is as its card says."""
    checked = [check_model(path) for path in {**available(user_models()), **available()}.values()]
    wrong = [fault for _, faults in checked for fault in faults]
    if wrong:
        return Finding(
            Text("models"), "fault", together(*wrong), Text("install the package again, or import the model again")
        )
    return Finding(
        Text("models"), "good", Text("{n} files are as their cards say", n=sum((len(right) for right, _ in checked)))
    )


def named_models(vision: VisionSettings, folder: Path, *, seen: bool) -> Iterator[Finding]:
    """Each model that the settings name and that cannot be used; `seen` says whether a camera wants them."""
    store = Releases(folder / "releases")
    for field in ("detector", "garments", "attributes"):
        name = getattr(vision, field)
        _, wrong = check_model(store.card_of(name)) if name else ([], [])
        if wrong:
            said = f"vision.{field} = {name!r}: {'; '.join(wrong)}"
            do = "comfywear models list shows those there are, comfywear models import FILE takes one of your own"
            yield Finding(f"model {name}", "fault" if seen else "warning", said, do)


def releases(folder: Path) -> Iterator[Finding]:
    """The models that were pulled into the state folder: which is in service, and whether its files are right."""
    store = Releases(folder / "releases")
    for name in store.names():
        slots = store.slots(name)
        said = f"{slots.version} is in service{' on trial' if slots.trial else ''}"
        last = slots.history[-1] if slots.history else None
        if last and last.what in ("refused", "rolled back"):
            said += f"; {last.version} was {last.what}: {last.reason}"
        _, wrong = check_model(store.card_of(name)) if slots.current else ([], [])
        if wrong:
            yield Finding(f"model {name}", "fault", "; ".join(wrong), f"comfywear models rollback {name}")
        else:
            yield Finding(f"model {name}", "note" if last and last.what != "kept" else "good", said)
    if until := heard_until(store):
        moment = f"{until:%Y-%m-%d %H:%M} UTC"
        if until > datetime.now(timezone.utc):
            yield Finding("models' repository", "good", f"what it said last holds until {moment}")
        else:
            do = "comfywear models pull --config FILE asks it anew, and says what is wrong where something is"
            yield Finding("models' repository", "note", f"what it said last held until {moment}", do)


def check_model(name_or_path: str | Path) -> tuple[list[str], list[str]]:
    """A model's files that are as its card says ("detector: detector.int8.onnx"), and what is wrong with others."""
    right: list[str] = []
    try:
        card, folder = find_model(name_or_path)
    except CardError as error:
        return right, [str(error)]
    faults = {file.path: _fault(file, folder) for file in card.files}
    return [f"{card.name}: {path}" for path, fault in faults.items() if not fault], [f for f in faults.values() if f]


def _fault(file: ModelFile, folder: Path) -> str | None:
    try:
        verify(file, folder)
    except CardError as error:
        return str(error)
    return None


def state(folder: Path) -> Finding:
    """Whether votes and unsent messages can be kept."""
    # os.path.exists: a folder that may not even be looked into is passed over, not raised.
    parent = next(Path(each) for each in (folder, *folder.parents) if os.path.exists(each))  # noqa: PTH110
    try:
        with tempfile.NamedTemporaryFile(dir=parent, prefix=".comfywear-check-") as file:
            file.write(b"0" * 4096)
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(parent).free
    except OSError as error:
        return Finding(
            Text("state folder"),
            "fault",
            Text("{parent} cannot be written: {why}", parent=parent, why=error.strerror),
            _owner(parent),
        )
    said = Text("{folder}: {free} GB free", folder=folder, free=f"{free / 1e9:.1f}")
    if free < _LITTLE_BYTES:
        grave: State = "fault" if free < _NO_BYTES else "warning"
        return Finding(Text("state folder"), grave, said, Text("make room, or name another device.state_dir"))
    return Finding(Text("state folder"), "good", said)


def _owner(path: Path) -> str:
    whose = Text("it belongs to uid {uid}", uid=path.stat().st_uid)
    return Text(
        "run this as the device's user (the service's: sudo), or name another device.state_dir ({whose})", whose=whose
    )


def clock() -> Finding:
    """Whether messages can carry the time."""
    if clock_is_set(time.time()):
        return Finding(Text("clock"), "good", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))
    said = Text("not set: messages carry no time, and learning by the season waits")
    return Finding(
        Text("clock"),
        "warning",
        said,
        Text("sudo timedatectl set-ntp true, or fit a battery-backed clock; with chrony: docs/service.md"),
    )


def temperature(root: Path = Path("/sys")) -> Finding:
    """The hottest thermal zone."""
    hottest = hottest_c(root)
    if hottest is None:
        return Finding("temperature", "note", "this machine does not say how hot it is")
    if hottest >= _WARM_C:
        grave: State = "fault" if hottest >= _HOT_C else "warning"
        return Finding("temperature", grave, f"{hottest:.0f} °C", "give it air or a heat sink: it slows down when hot")
    return Finding("temperature", "good", f"{hottest:.0f} °C")


def running(folder: Path) -> Mapping[str, Any] | None:
    """The status of the device that runs on `folder`; None where none does."""
    try:
        return ask(folder, {"verb": "status"})
    except DeviceNotRunningError:
        return None


def workers(status: Mapping[str, Any]) -> Iterator[Finding]:
    """What a running device says of itself, in place of trying doors that it holds."""
    idle = {name: each for name, each in status["workers"].items() if each["state"] != "running"}
    count = len(status["workers"])
    yield Finding("device", "warning" if idle else "good", f"running; {count - len(idle)} of {count} workers run")
    for name, each in idle.items():
        yield Finding(name, "fault", f"{each['state']}: {each['failure'] or 'no reason given'}")
    if chosen := status.get("engine"):
        yield _of_choice(**chosen)
    for each in status.get("troubles", ()):
        if each["name"] in ("no-broker", "worker"):
            continue  # said above and below
        about = f" ({each['about']})" if each["about"] else ""
        grave: State = "fault" if each["name"] in _GRAVE else "warning"
        yield Finding(f"{each['name']}{about}", grave, each["reason"], each["do"])
    calm: Mapping[str, State] = {"connected": "good", "waiting: the settings name no broker": "note"}
    yield Finding("broker", calm.get(status["broker"], "fault"), str(status["broker"]))
