"""Real browsers for the tests of the page."""

from browsers import browser, screen

__all__ = ["browser", "screen"]
