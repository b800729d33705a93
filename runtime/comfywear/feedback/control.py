"""How commands talk to the running device: a UNIX socket in the state folder, one JSON line each way.

{"verb": "vote", "level": 4, "zone": "desk"}  →  {"ok": true, …}  or  {"ok": false, "error": "…", "exit_code": 2}
"""

from __future__ import annotations

import errno
import json
import logging
import os
import pwd
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from comfywear.errors import ComfyWearError, DeviceNotRunningError, StoreError, UsageError
from comfywear.records import Handler

_log = logging.getLogger(__name__)

SOCKET_NAME = "control.sock"
# sockaddr_un of Linux holds 108 bytes with the closing zero (unix(7)).
_LONGEST_PATH_BYTES = 107
_LONGEST_REQUEST_BYTES = 64 * 1024
_LONGEST_ANSWER_BYTES = 4 * 1024 * 1024  # a vote's answer carries every person of its moment
_MODE = 0o660
_DEADLINE_S = 2.0
_TICK_S = 0.5


def socket_path(state_dir: Path) -> Path:
    """Where the device of `state_dir` listens.

    Raises:
        UsageError: When the path is longer than a socket's name may be.
    """
    path = state_dir / SOCKET_NAME
    length = len(os.fsencode(path))
    if length > _LONGEST_PATH_BYTES:
        raise UsageError(
            f"{path}: a socket's path may have {_LONGEST_PATH_BYTES} bytes, this has {length}; use a shorter state_dir"
        )
    return path


class ControlServer:
    """Answers commands; `run` belongs in a thread of the supervisor.

    Args:
        state_dir: The device's state folder.
        handlers: What answers each verb: a function from the request to the answer's fields, which raises a
            ComfyWearError to refuse.
        done: Told of each request that was carried out, with the user who asked.
    """

    def __init__(
        self,
        state_dir: Path,
        handlers: Mapping[str, Handler],
        done: Callable[[Mapping[str, Any], str], None] = lambda *_: None,
    ) -> None:
        self.path = socket_path(state_dir)
        self._handlers = dict(handlers)
        self._done = done

    def run(self, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Listen and answer, one command after another, until `stop` is set.

        Raises:
            UsageError: When another device runs on the same state folder.
            StoreError: When the socket cannot be made.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            self._bind(server)
            try:
                identity = self.path.stat().st_ino
                server.settimeout(_TICK_S)
                while not stop.is_set():
                    beat()
                    self._answer_one(server)
            finally:
                with suppress(OSError):
                    if self.path.stat().st_ino == identity:
                        self.path.unlink()

    def _bind(self, server: socket.socket) -> None:
        self._clear_stale()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            made = self.path.with_suffix(".new")  # whoever sees the socket may ask at once, or may not at all
            made.unlink(missing_ok=True)
            server.bind(str(made))
            made.chmod(_MODE)
            server.listen(16)
            made.rename(self.path)
        except OSError as error:
            raise StoreError(f"{self.path}: the control socket cannot be made ({error.strerror})") from error

    def _clear_stale(self) -> None:
        """Remove the socket of a device that is gone; refuse beside one that runs, and to remove anything else."""
        try:
            mode = self.path.lstat().st_mode
        except OSError:
            return
        if not stat.S_ISSOCK(mode):
            raise StoreError(f"{self.path} is in the way: not a socket; move it elsewhere")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_DEADLINE_S)
            try:
                probe.connect(str(self.path))
            except ConnectionRefusedError:
                self.path.unlink(missing_ok=True)
            except OSError as error:
                if error.errno == errno.ENOENT:
                    return
                raise StoreError(f"{self.path}: cannot be asked whether a device runs ({error.strerror})") from error
            else:
                raise UsageError(f"a device already runs with the state folder {self.path.parent}")

    def _answer_one(self, server: socket.socket) -> None:
        try:
            connection, _ = server.accept()
        except TimeoutError:
            return
        except OSError as error:
            _log.debug("control: %s", error)
            return
        with connection:
            try:
                line = _read_line(connection, time.monotonic() + _DEADLINE_S, _LONGEST_REQUEST_BYTES)
                if line:
                    connection.settimeout(_DEADLINE_S)
                    connection.sendall(_line(self._answer(line, _user_of(connection))))
            except OSError as error:
                _log.debug("control: a command went away: %s", error)

    def _answer(self, line: bytes, user: str) -> Mapping[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise UsageError("a request is a JSON object")
            handler = self._handlers.get(str(request.get("verb")))
            if handler is None:
                raise UsageError(f"no verb {request.get('verb')!r}; there are: {', '.join(sorted(self._handlers))}")
            answer = {"ok": True, **handler(request)}
            self._done(request, user)
            return answer
        except ComfyWearError as error:
            return {"ok": False, "error": str(error), "exit_code": error.exit_code}
        except (ValueError, RecursionError) as error:
            return {"ok": False, "error": f"not a request: {error}", "exit_code": 2}


def ask(state_dir: Path, request: Mapping[str, Any], *, timeout_s: float = 5.0) -> dict[str, Any]:
    """Send a request to the device that runs on `state_dir`; returns its answer's fields.

    Raises:
        DeviceNotRunningError: When no device runs there, or it does not answer.
        UsageError: When the device refuses the request as wrong.
        ComfyWearError: When the device could not do it.
    """
    path = socket_path(state_dir)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout_s)
        try:
            client.connect(str(path))
            client.sendall(_line(request))
            line = _read_line(client, time.monotonic() + timeout_s, _LONGEST_ANSWER_BYTES)
        except PermissionError as error:
            raise DeviceNotRunningError(
                f"{path}: no permission to talk to the device; use its user or join its group"
            ) from error
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            raise DeviceNotRunningError(
                f"no device runs with the state folder {state_dir}: start it with "
                "comfywear run --config FILE, or name its folder with --state-dir"
            ) from error
        except OSError as error:
            raise DeviceNotRunningError(f"{path}: the device does not answer ({error})") from error
    try:
        answer = json.loads(line)
        if answer["ok"]:
            return dict(answer)
        message, code = str(answer["error"]), int(answer["exit_code"])
    except (ValueError, KeyError, TypeError) as error:
        raise DeviceNotRunningError(f"{path}: no answer that can be read; is it a comfywear device?") from error
    raise UsageError(message) if code == UsageError.exit_code else ComfyWearError(message)


def _user_of(connection: socket.socket) -> str:
    """The name of the user at the other end, its number where it has none (SO_PEERCRED, unix(7))."""
    _, user, _ = struct.unpack(
        "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    )
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _read_line(connection: socket.socket, deadline_s: float, longest: int) -> bytes:
    """Bytes up to the end of the line or of the connection.

    Raises:
        OSError: When there is none by `deadline_s` (monotonic), or it is too long.
    """
    data = bytearray()
    while b"\n" not in data:
        left = deadline_s - time.monotonic()
        if left <= 0:
            raise TimeoutError("no line in time")
        connection.settimeout(left)
        part = connection.recv(65536)
        if not part:
            break
        data += part
        if len(data) > longest:
            raise OSError("a line too long")
    return bytes(data)
