"""`comfywear run`: the device, until it is told to stop; SIGHUP has it read its settings again."""

from __future__ import annotations

import argparse
import logging
import signal
from functools import partial
from pathlib import Path

from comfywear import settings as settings_file
from comfywear.system.log import begin_log


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `run`."""
    parser = commands.add_parser("run", help="run the device until it is told to stop (SIGTERM or Ctrl-C)")
    parser.add_argument("--config", metavar="FILE", required=True, help="the settings (docs/settings.md)")
    parser.add_argument("--verbose", action="store_true", help="log details too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the device; returns 0 after an orderly stop."""
    begin_log(logging.DEBUG if args.verbose else logging.INFO, "%(levelname)s %(name)s: %(message)s")
    from comfywear.device.device import Device
    from comfywear.device.runner import Runner
    from comfywear.device.settings_trial import SettingsTrial
    from comfywear.settings.on_disk import SettingsOnDisk
    from comfywear.system.sd_notify import ServiceManager

    path = Path(args.config)
    trial = SettingsTrial(SettingsOnDisk(path))
    trial.recover()
    make = partial(Device, path=path, trial=trial)
    runner = Runner(path, settings_file.load(path), make, ServiceManager(), trial)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.stop())
    signal.signal(signal.SIGHUP, lambda *_: runner.reload_soon())
    runner.run()
    return 0
