"""What Python's `zipfile` raises while it opens or reads a file that is damaged, cut or locked."""

import zipfile
import zlib

__all__ = ["DAMAGED_ZIP"]

DAMAGED_ZIP = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""For `except`: it says `NotImplementedError` for other methods, `RuntimeError` where a password is asked for."""
