"""`comfywear run`: the device, until it is told to stop; SIGHUP has it read its settings again."""

from __future__ import annotations

import argparse
import logging
import signal
from functools import partial
from pathlib import Path

from comfywear import settings as settings_file
from comfywear.errors import UsageError
from comfywear.system.arguments import host_and_port
from comfywear.system.log import begin_log
from comfywear.system.paths import SETTINGS, state_home, usual_settings
from comfywear.system.sd_notify import ServiceManager

_log = logging.getLogger(__name__)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `run`."""
    parser = commands.add_parser("run", help="run the device until it is told to stop (SIGTERM or Ctrl-C)")
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="the settings (docs/settings.md); default: device.toml in the service's folder of settings "
        "($CONFIGURATION_DIRECTORY) where there is one, else in the state folder",
    )
    parser.add_argument(
        "--setup",
        metavar="HOST[:PORT]",
        help="where the first run's page listens while there are no settings: this machine alone (127.0.0.1:8080), or "
        "0.0.0.0 with a code that is said here (docs/setup.md)",
    )
    parser.add_argument("--verbose", action="store_true", help="log details too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the device; returns 0 after an orderly stop."""
    begin_log(logging.DEBUG if args.verbose else logging.INFO, "%(levelname)s %(name)s: %(message)s")
    from comfywear.device.device import Device
    from comfywear.device.runner import Runner
    from comfywear.device.upkeep.maintenance import Maintenance
    from comfywear.device.upkeep.settings_trial import SettingsTrial
    from comfywear.settings.on_disk import SettingsOnDisk

    manager = ServiceManager()
    path, own = Path(args.config) if args.config else usual_settings(), state_home() / SETTINGS
    if not args.config and path != own and own.exists():
        _log.warning("the settings are %s; those that the page made, %s, are passed over", path, own)
    if not path.exists() and (args.setup or not args.config) and not _set_up(path, args.setup, manager):
        return 0
    trial = SettingsTrial(SettingsOnDisk(path))
    trial.recover()
    maintenance = Maintenance()
    make = partial(Device, path=path, trial=trial, maintenance=maintenance)
    runner = Runner(path, settings_file.load(path), make, manager, trial, maintenance)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.stop())
    signal.signal(signal.SIGHUP, lambda *_: runner.reload_soon())
    runner.run()
    return 0


def _set_up(path: Path, setup: str | None, manager: ServiceManager) -> bool:
    """Have the device set up on its page; False when it was told to stop before that."""
    found = host_and_port(setup or "127.0.0.1", 8080)
    if found is None:
        raise UsageError(f"--setup is an address to listen on, such as 127.0.0.1:8080 or 0.0.0.0, not {setup!r}")
    from comfywear.setup.first_run import FirstRun

    first = FirstRun(path, state_home(), *found)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a reload: there are no settings to read again
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: first.stop())
    return first.run(manager)
