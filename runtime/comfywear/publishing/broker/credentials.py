"""What a client shows to a broker: who it is, a password from a file, certificates.

It is called the same over restarts, and otherwise on another machine; secrets are held no longer than it takes to
connect.
"""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

from comfywear.errors import BrokerError
from comfywear.publishing.messages.topics import Topics
from comfywear.system.credential import credential_path
from comfywear.texts import Text

__all__ = ["client_id", "machine_id", "read_password", "tls_context"]

# machine-id(5); the second is where systems without systemd keep it. It should not be shown, so only a hash is.
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def client_id(topics: Topics, otherwise: str) -> str:
    """The client id, from the machine's id and the device's name.

    Args:
        topics: The device's.
        otherwise: Stands for the machine where it has no id: something that stays with its memory card.
    """
    digest = hashlib.sha256(f"comfywear {machine_id() or otherwise} {topics.base}".encode()).hexdigest()
    return f"comfywear-{topics.device}-{digest[:12]}"


def machine_id() -> str | None:
    """The machine's id, or None where it has none."""
    for path in _MACHINE_IDS:
        try:
            text = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if len(text) == 32:
            return text
    return None


def read_password(file: str) -> str | None:
    """The password that `file` holds, without the end of its line; None without a file.

    Raises:
        BrokerError: When it cannot be read; the message never holds the password.
    """
    if not file:
        return None
    path = _path(file, Text("password file"))
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise BrokerError(
            Text("the password file {path} cannot be read ({why})", path=path, why=error.strerror)
        ) from error
    except UnicodeDecodeError:
        raise BrokerError(Text("the password file {path} is not a text file", path=path)) from None


def tls_context(ca_file: str = "", client_cert: str = "", client_key: str = "") -> ssl.SSLContext:
    """A context that verifies the broker's certificate and name, and shows ours where there is one.

    Args:
        ca_file: The broker's authority; empty = the system's.
        client_cert: Our certificate, with those between it and its authority; empty = none.
        client_key: Its key; empty = it stands in the same file.

    Raises:
        BrokerError: When a file cannot be used; the message says which.
    """
    authority = _path(ca_file, Text("CA file")) if ca_file else None
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(
            Text("the CA file {authority} cannot be used ({why})", authority=authority, why=error)
        ) from error
    if client_cert:
        certificate = _path(client_cert, Text("client certificate"))
        key = _path(client_key, Text("client key")) if client_key else None
        try:
            # A key that is locked would have OpenSSL ask at the terminal, and a service has none.
            context.load_cert_chain(certificate, key, password=lambda: b"")
        except (OSError, ssl.SSLError, ValueError) as error:
            files = (
                Text("{certificate} with the key {key}", certificate=certificate, key=key) if key else str(certificate)
            )
            raise BrokerError(
                Text("the client certificate {files} cannot be used: {why}", files=files, why=_why(error))
            ) from error
    return context


def _path(file: str, what: str) -> Path:
    try:
        return credential_path(file)
    except LookupError:
        raise BrokerError(
            Text(
                "the {what} {file} is kept by the service manager, and this program was not started by it",
                what=what,
                file=file,
            )
        ) from None
    except ValueError:
        raise BrokerError(
            Text("the {what} {file}: a credential's name is a file's name", what=what, file=file)
        ) from None


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return Text("the key is not that of the certificate")
        if error.reason == "BAD_DECRYPT":
            return Text("the key is locked with a passphrase; unlock it (openssl pkey -in KEY -out NEW)")
        return Text("no certificate and key in PEM form ({why})", why=error.reason or Text("nothing readable"))
    return str(error.strerror) if isinstance(error, OSError) else str(error)
