"""What tests of changed settings share: a settings file with comments, and a device that can start anew with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear.device.runner import Runner
from comfywear.device.upkeep.settings_trial import SettingsTrial
from comfywear.settings.on_disk import SettingsOnDisk
from waiting import until

TEXT = """# Ours.
[device]
id = "d1"  # on the door
state_dir = "{folder}/state"
[web]
enabled = true
port = {port}  # of the page
[[zones]]
name = "room"  # the only one
"""


def write(folder: Path, more: str = "", port: int = 0) -> Path:
    path = folder / "device.toml"
    path.write_text(TEXT.format(folder=folder, port=port) + more)
    return path


@contextmanager
def running(path: Path, trial_s: float) -> Iterator[tuple[str, list[Device]]]:
    """A device that can start anew; the address of its page, and those that were made."""
    trial = SettingsTrial(SettingsOnDisk(path), trial_s=trial_s)
    made: list[Device] = []

    def make(settings: settings_file.Settings, *, reload: Callable[[], None]) -> Device:
        made.append(Device(settings, reload=reload, path=path, trial=trial))
        return made[-1]

    runner = Runner(path, settings_file.load(path), make, trial=trial)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        until(lambda: made and made[0].page and made[0].page.server.url)
        assert made[0].page is not None
        assert made[0].page.server.url is not None
        yield made[0].page.server.url.rstrip("/"), made
    finally:
        runner.stop()
        thread.join(90)
        assert not thread.is_alive()
