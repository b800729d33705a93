"""Data sets in other people's formats: a module a format, all read into and written from the same records."""

from comfywear_export.data.formats.known import READERS, WRITERS, guess_format, read_dataset, write_dataset
from comfywear_export.data.formats.records import Box, Damaged, Dataset, Picture

__all__ = [
    "READERS",
    "WRITERS",
    "Box",
    "Damaged",
    "Dataset",
    "Picture",
    "guess_format",
    "read_dataset",
    "write_dataset",
]
