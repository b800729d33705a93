"""Property tests of numerics: no deadline on a shared machine, and few examples do."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("colour", deadline=None, max_examples=40)
settings.load_profile("colour")
