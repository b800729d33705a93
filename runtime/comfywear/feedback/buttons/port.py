"""A device file that is read as it comes: opened without blocking, so that what the kernel has buffered is not lost."""

from __future__ import annotations

import errno
import os
import select
from pathlib import Path
from typing import final

from comfywear.errors import SourceError
from comfywear.texts import Text

_LONGEST_READ = 4096


@final
class Port:
    """An open device file.

    Raises:
        SourceError: When it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = -1
        for mode in (os.O_RDWR, os.O_RDONLY):
            try:
                self.fd = os.open(path, mode | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
                break
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and mode == os.O_RDWR:
                    continue  # reading alone may be allowed
                raise SourceError(_opening(path, error)) from error
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLIN)

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, after `timeout_s` seconds at most; empty when nothing has.

        Raises:
            SourceError: When the device is gone.
        """
        try:
            if not self._poll.poll(max(timeout_s, 0.0) * 1000):
                return b""
            data = os.read(self.fd, _LONGEST_READ)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise SourceError(Text("{path} is gone ({why})", path=self.path, why=error.strerror)) from error
        if not data:
            raise SourceError(Text("{path} is gone (its other end was closed)", path=self.path))
        return data

    def write(self, data: bytes) -> None:
        """Write what fits; a device that does not take it misses it.

        Raises:
            SourceError: When the device is gone.
        """
        try:
            os.write(self.fd, data)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno in (errno.EBADF, errno.EINVAL, errno.EPERM):
                return  # opened for reading alone, or a device that takes nothing
            raise SourceError(Text("{path} is gone ({why})", path=self.path, why=error.strerror)) from error

    def close(self) -> None:
        """Give the device back; a second call does nothing."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


def _opening(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return f"{path}: no such device; is it plugged in?"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{path}: no permission; the user must be in the group of the device (input, dialout)"
    return f"{path} cannot be opened ({error.strerror})"
