"""Hands a training loop its batches, made by another process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["endless"]


class _From:
    """The step numbers from one on."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __iter__(self) -> Iterator[int]:
        while True:
            yield self.step
            self.step += 1


def endless(views: Any, step: int) -> Iterator[Any]:
    """The batches `views[step]`, `views[step + 1]`, … as tensors."""
    from torch.utils.data import DataLoader

    return iter(DataLoader(views, batch_size=None, sampler=_From(step), num_workers=1, prefetch_factor=4))
