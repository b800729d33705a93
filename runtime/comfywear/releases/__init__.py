"""Models that the device took over while it ran: fetched, tried, in service, and taken back."""

from comfywear.releases.service import InService
from comfywear.releases.slots import HistoryEntry, ReleaseTrial, Slot, Slots
from comfywear.releases.store import Releases
from comfywear.settings import Settings, state_folder

__all__ = ["HistoryEntry", "InService", "ReleaseTrial", "Releases", "Slot", "Slots", "releases_of"]


def releases_of(settings: Settings) -> Releases:
    """The releases of the device with these settings."""
    return Releases(state_folder(settings) / "releases")
