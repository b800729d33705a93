"""What a client shows to a broker: a password from a file, certificates; never held longer than a connection is made.

A file may be named `credential:NAME`: the service manager keeps it (systemd's LoadCredential) in a folder that only
this service sees.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from comfywear.errors import BrokerError

__all__ = ["read_password", "tls_context"]

_KEPT = "credential:"


def read_password(file: str) -> str | None:
    """The password that `file` holds, without the end of its line; None without a file.

    Raises:
        BrokerError: When it cannot be read; the message never holds the password.
    """
    if not file:
        return None
    path = _path(file, "password file")
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise BrokerError(f"the password file {path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        raise BrokerError(f"the password file {path} is not a text file") from None


def tls_context(ca_file: str = "", client_cert: str = "", client_key: str = "") -> ssl.SSLContext:
    """A context that verifies the broker's certificate and name, and shows ours where there is one.

    Args:
        ca_file: The broker's authority; empty = the system's.
        client_cert: Our certificate, with those between it and its authority; empty = none.
        client_key: Its key; empty = it stands in the same file.

    Raises:
        BrokerError: When a file cannot be used; the message says which.
    """
    authority = _path(ca_file, "CA file") if ca_file else None
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(f"the CA file {authority} cannot be used ({error})") from error
    if client_cert:
        certificate = _path(client_cert, "client certificate")
        key = _path(client_key, "client key") if client_key else None
        try:
            # A key that is locked would have OpenSSL ask at the terminal, and a service has none.
            context.load_cert_chain(certificate, key, password=lambda: b"")
        except (OSError, ssl.SSLError, ValueError) as error:
            files = f"{certificate}" + (f" with the key {key}" if key else "")
            raise BrokerError(f"the client certificate {files} cannot be used: {_why(error)}") from error
    return context


def _path(file: str, what: str) -> Path:
    if not file.startswith(_KEPT):
        return Path(file).expanduser()
    folder, name = os.environ.get("CREDENTIALS_DIRECTORY", ""), file.removeprefix(_KEPT)
    if not folder:
        raise BrokerError(f"the {what} {file} is kept by the service manager, and this program was not started by it")
    if not name or Path(name).name != name or name == "..":
        raise BrokerError(f"the {what} {file}: a credential's name is a file's name")
    return Path(folder) / name


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key is not that of the certificate"
        if error.reason == "BAD_DECRYPT":
            return "the key is locked with a passphrase; unlock it (openssl pkey -in KEY -out NEW)"
        return f"no certificate and key in PEM form ({error.reason or 'nothing readable'})"
    return str(error.strerror) if isinstance(error, OSError) else str(error)
