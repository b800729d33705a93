"""Real browsers for the tests of the first run."""

from browsers import browser, screen

__all__ = ["browser", "screen"]
