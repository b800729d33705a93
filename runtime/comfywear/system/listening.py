"""A socket that listens, or the reason in words why it cannot."""

from __future__ import annotations

import errno
import socket

from comfywear.errors import ComfyWearError

__all__ = ["listen"]

_WHY: dict[int | None, str] = {
    errno.EADDRINUSE: "another program, or another comfywear, listens there",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "only root may use a port below 1024",
}


def listen(host: str, port: int, what: str, advice: str, *, datagrams: bool = False) -> socket.socket:
    """A socket that listens; 0 = any port that is free.

    Args:
        host: The address.
        port: The port.
        what: Who listens, for the words of an error.
        advice: What to do, for the same.
        datagrams: UDP in place of TCP.

    Raises:
        ComfyWearError: When it cannot, with the reason and `advice`.
    """
    try:
        wanted = socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=wanted)[0]
        listener = socket.socket(family, kind, proto)
        try:
            if not datagrams:  # of UDP two could then have one port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            if not datagrams:
                listener.listen(128)
        except (OSError, OverflowError):
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        why = _WHY.get(error.errno, error.strerror) if isinstance(error, OSError) else error
        raise ComfyWearError(f"{what} cannot listen on {host} port {port} ({why}); {advice}") from error
    return listener
