"""The start of the Home Assistant app: its options and Home Assistant's broker go into the settings of the device.

Run as `python -m comfywear.setup.homeassistant_app`, as root; the device itself is nobody's root.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import msgspec

from comfywear.device.upkeep.secret_files import named_secrets, put_secrets
from comfywear.errors import ComfyWearError, SettingsError, UsageError
from comfywear.settings.changes import changes_of
from comfywear.settings.draft import checked_draft
from comfywear.settings.edit import edited, save
from comfywear.settings.toml_lines import parse
from comfywear.setup.assistant import SetupAssistant
from comfywear.system.json_file import load_json
from comfywear.system.log import begin_log
from comfywear.system.paths import SETTINGS
from comfywear.web.settings_form import SettingsSecret
from comfywear.web.setup_form import SetupDraft

__all__ = ["HomeAssistantBroker", "broker_of", "device_groups", "merged", "prepare"]

_log = logging.getLogger(__name__)

SUPERVISOR = "http://supervisor"
FOLDER, USER, PORT = Path("/data"), 990, 8080
TOKENS = ("SUPERVISOR_TOKEN", "HASSIO_TOKEN")
DEVICES = ("video*", "ttyUSB*", "ttyACM*", "ttyAMA*", "i2c-*", "gpiochip*", "input/event*")


class HomeAssistantBroker(msgspec.Struct, frozen=True):
    """The broker that another app provides, as the Supervisor's `/services/mqtt` tells."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    ssl: bool = False


class _Answer(msgspec.Struct):
    data: HomeAssistantBroker


class _Options(msgspec.Struct):
    device: dict[str, Any] = {}
    camera: dict[str, Any] = {}

    def tables(self) -> dict[str, dict[str, Any]]:
        return {"device": self.device, "camera": self.camera}


def broker_of(supervisor: str, token: str) -> HomeAssistantBroker | None:
    """The broker of Home Assistant; None where it has none or does not say (logged).

    Args:
        supervisor: Where the Supervisor answers.
        token: What it gave this app.
    """
    request = Request(f"{supervisor}/services/mqtt", headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - http
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return msgspec.json.decode(answer.read(), type=_Answer).data
    except (OSError, HTTPException, msgspec.DecodeError, UnicodeError) as error:
        _log.warning("Home Assistant names no broker (%s): name one on the page", error)
        return None


def merged(
    values: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]], broker: HomeAssistantBroker | None
) -> tuple[dict[str, Any], list[SettingsSecret]]:
    """Settings with the options that are given, and with Home Assistant's broker where no other one is named.

    Args:
        values: The content of a settings file.
        options: Of the app, by table and field; what is empty is left as it is.
        broker: Home Assistant's.

    Returns:
        The content from now on, and the broker's password where it is another than the one that is kept.
    """
    found = deepcopy(dict(values))
    for table, fields in options.items():
        given = {name: value for name, value in fields.items() if value not in (None, "")}
        if given:
            found[table] = {**found.get(table, {}), **given}
    mqtt = found.get("mqtt", {})
    if broker is None or mqtt.get("host", "") not in ("", broker.host):
        return found, []
    named = {"host": broker.host, "port": broker.port, "username": broker.username, "tls": broker.ssl}
    found["mqtt"] = {**mqtt, **named}
    if not broker.password or _kept(mqtt.get("password_file", "")) == broker.password.strip():
        return found, []
    return found, [SettingsSecret(["mqtt", "password_file"], broker.password)]


def prepare(
    folder: Path, options: Mapping[str, Mapping[str, Any]], broker: HomeAssistantBroker | None, port: int = PORT
) -> None:
    """Put options and broker into the settings; before the first run is over, into its draft.

    Args:
        folder: The state folder.
        options: As `merged`.
        broker: As `merged`.
        port: Where the page is to listen.

    Raises:
        UsageError: An option is none that the settings take; nothing is changed then.
        SettingsError: The settings that are there cannot be read; nothing is changed then either.
        StoreError: The settings cannot be written.
    """
    path = folder / SETTINGS
    if not path.exists():
        assistant = SetupAssistant(path, folder, "0.0.0.0", port, lambda: None)  # noqa: S104 - the app's own network
        state = assistant.state()
        assistant.keep(SetupDraft(state.step, *merged(state.values, options, broker)))
        return
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read ({error})") from error
    before = parse(text, str(path))
    values, secrets = merged(before, options, broker)
    kept, refused = named_secrets(values, secrets, folder)
    faults = [*refused, *checked_draft(values)[1]]
    if faults:
        raise UsageError("; ".join(f"{'.'.join(map(str, each.path))}: {each.text}" for each in faults))
    if values != before:
        put_secrets(kept)
        save(path, edited(text, changes_of(before, values)))


def device_groups(devices: Path, patterns: Sequence[str] = DEVICES) -> list[int]:
    """The groups that own the cameras, serial ports, buses and keypads below a folder; never root's."""
    found = {path.stat().st_gid for pattern in patterns for path in devices.glob(pattern)}
    return sorted(found - {0})


def _kept(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip() if file else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _become_user(folder: Path) -> None:
    """Give the state folder to the device's user and be that user from here on."""
    for path in (folder, *folder.rglob("*")):
        if path.name != "options.json":
            os.chown(path, USER, USER, follow_symlinks=False)
    os.setgroups(device_groups(Path("/dev")))
    os.setgid(USER)
    os.setuid(USER)


def main(supervisor: str = SUPERVISOR, folder: Path = FOLDER, port: int = PORT) -> None:
    """Prepare the settings and become the device."""
    begin_log(logging.INFO, "%(levelname)s %(name)s: %(message)s")
    token = next(filter(None, [os.environ.pop(name, "") for name in TOKENS]), "")
    broker = broker_of(supervisor, token)
    options = load_json(folder / "options.json", _Options()).tables()
    if os.geteuid() == 0:
        _become_user(folder)
    os.environ["STATE_DIRECTORY"] = str(folder)
    try:
        prepare(folder, options, broker, port)
    except ComfyWearError as error:
        _log.error("the app's options and broker were left out: %s", error)
    os.execv(sys.executable, [sys.executable, "-m", "comfywear.cli", "run", "--setup", f"0.0.0.0:{port}"])  # noqa: S606


if __name__ == "__main__":
    main()
