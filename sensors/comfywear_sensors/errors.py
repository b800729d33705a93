"""Every error of a sensor, one family: the message says what is wrong and what to do."""

from __future__ import annotations

from comfywear_sensors.redaction import redact


class SensorError(OSError):
    """A sensor cannot be opened or read."""

    def __str__(self) -> str:
        """The message, without any secret that the URI holds."""
        return redact(super().__str__())


class BadSensorURI(SensorError, ValueError):  # noqa: N818 - a public name
    """The URI or one of its options cannot be meant."""


class ReaderTimeout(SensorError, TimeoutError):  # noqa: N818 - a public name
    """The sensor said nothing usable before the deadline; its door is still open."""


class NotAReading(SensorError, ValueError):  # noqa: N818 - a public name
    """What arrived is damaged, or says nothing about the air."""


class MissingPackage(SensorError):  # noqa: N818 - a public name
    """The reader needs a package of an extra that is not installed."""


class EndOfRecording(SensorError, EOFError):  # noqa: N818 - a public name
    """A recording has been played to its end."""
