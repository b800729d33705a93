"""Ports for servers that a test starts later, or stops and starts again."""

import random
import socket


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that nobody has, below those that Linux gives to outgoing connections (from 32768 on).

    One of theirs can be taken before the server is there: even by a client that tries to reach that server, and
    then is connected to itself.
    """
    while True:
        port = random.randint(15000, 32000)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
