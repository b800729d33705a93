"""A broker for the demo, inside a child process, on a random port of this machine's loopback address alone."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from comfywear.errors import BrokerError

# iotcore carries the broker rumqttd; without a configuration it would listen on every address and speak 3.1.1 only.
_CONFIGURATION = """
id = 0

[router]
id = 0
max_connections = 64
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10

[v5.1]
name = "demo"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = 262144
max_inflight_count = 100
dynamic_filters = true
"""


@contextmanager
def embedded_broker() -> Iterator[int]:
    """Run a broker on 127.0.0.1 while the context lasts; yields its port.

    Raises:
        BrokerError: When the package that carries the broker is missing or the broker does not start.
    """
    try:
        from iotcore.broker import Broker
    except ImportError as error:
        raise BrokerError(
            "the demo's own broker is not installed: pip install 'comfywear[demo]', "
            "or name one that runs: comfywear demo --broker HOST:PORT"
        ) from error
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="comfywear-broker-") as folder:
        path = Path(folder) / "broker.toml"
        path.write_text(_CONFIGURATION.format(port=port))
        broker = Broker(config_path=str(path))
        try:
            broker.start()
        except (OSError, RuntimeError) as error:
            raise BrokerError(f"the demo's own broker does not start: {error}") from error
        try:
            yield port
        finally:
            broker.stop()
