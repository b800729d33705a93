"""Every error that comfywear raises on purpose, one line each, with two parents: the family and the builtin.

The message says what is wrong and what to do; the command line prints it as it is and exits with `exit_code`.
"""

from __future__ import annotations

from comfywear_sensors.redaction import redact


class ComfyWearError(Exception):
    """Anything that comfywear itself refuses or cannot do."""

    exit_code = 1

    def __str__(self) -> str:
        """The message, without any secret that somebody wrote into what it names."""
        return redact(super().__str__())


class UsageError(ComfyWearError, ValueError):
    """A command or a call was given something it cannot mean."""

    exit_code = 2


class SettingsError(UsageError):
    """The settings file is missing, not TOML, or holds a field or value that is not allowed."""


class SourceError(ComfyWearError, OSError):
    """A camera, photo or recording cannot be opened or read."""


class ModelError(ComfyWearError, RuntimeError):
    """A model file is missing, altered, of the wrong shape, or its engine is not installed."""


class StoreError(ComfyWearError, OSError):
    """The store of votes and messages cannot be read or written."""


class BrokerError(ComfyWearError, ConnectionError):
    """The MQTT broker cannot be reached or refuses."""


class DeviceNotRunningError(ComfyWearError, ConnectionError):
    """A command needs a running device and there is none."""


class LoginRefusedError(SourceError):
    """A camera refuses the user name or password; trying again soon could lock the account."""
