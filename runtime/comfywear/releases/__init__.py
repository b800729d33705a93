"""Models that the device took over while it ran: fetched, tried, in service, and taken back."""

from comfywear.releases.store import Entry, Releases, Slot, Slots, Trial

__all__ = ["Entry", "Releases", "Slot", "Slots", "Trial"]
