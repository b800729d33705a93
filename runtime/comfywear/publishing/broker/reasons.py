"""Why a broker cannot be reached or refuses, in words that say what to look at."""

from __future__ import annotations

import errno
import socket
import ssl

# OpenSSL's verification results (openssl-verify(1)).
_EXPIRED = 10
_UNKNOWN_AUTHORITY = {18, 19, 20, 21}
_WRONG_NAME = {62, 64}

_CODES = {
    0x84: "it does not speak this version of MQTT",
    0x85: "it does not take this client id",
    0x86: "bad user name or password",
    0x87: "not authorised (check user name, password file and the broker's access rules)",
    0x88: "the server is unavailable",
    0x89: "the server is busy",
    0x8A: "this client is banned",
    0x8B: "the server is shutting down",
    0x8D: "it heard nothing for too long",
    0x8E: "another client with the same id has taken the session: give each device its own id",
    0x95: "a message was too large for it",
    0x97: "its quota is exceeded",
}


def of_code(code: int, name: str) -> str:
    """A reason code of MQTT v5 in words; `name` is the standard's, used where there is nothing better."""
    return _CODES.get(code, name.lower())


# The alerts of TLS (RFC 8446, 6.2) by which a broker speaks of our certificate, as OpenSSL names them.
_ALERTS = {
    "CERTIFICATE_REQUIRED": "it wants a client certificate (client_cert and client_key)",
    "HANDSHAKE_FAILURE": "no agreement on TLS; it may want a client certificate (client_cert and client_key)",
    "UNKNOWN_CA": "it does not trust the authority that signed the client certificate",
    "CERTIFICATE_EXPIRED": "the client certificate has expired (or the broker's clock is wrong)",
    "CERTIFICATE_REVOKED": "the client certificate was revoked",
    "BAD_CERTIFICATE": "it does not accept the client certificate",
    "UNSUPPORTED_CERTIFICATE": "it does not accept this kind of client certificate",
    "CERTIFICATE_UNKNOWN": "it does not accept the client certificate",
    "ACCESS_DENIED": "the client certificate gives no access",
}


def of_alert(text: str) -> str | None:
    """An alert of TLS that stands in `text` in words, or None."""
    if "ALERT" not in text:
        return None
    return next((words for name, words in _ALERTS.items() if name in text), None)


def of_silence(client_cert: str) -> str:
    """What it may mean that a broker closed the connection after TLS was agreed; its alert does not always come."""
    if client_cert:
        return " after TLS was agreed: it may not accept the client certificate (its log says why)"
    return " after TLS was agreed: it may want a client certificate (client_cert and client_key)"


def of_error(error: Exception, host: str, port: int) -> str:
    """An error of connecting to `host`:`port` in words."""
    place = f"{host}:{port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error, place)
    if isinstance(error, ConnectionResetError | BrokenPipeError | ssl.SSLEOFError):
        return f"{place} closed the connection while it was made (with tls = true: it may not speak TLS)"
    if isinstance(error, ssl.SSLError):
        if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
            return f"{place} does not speak TLS"
        if alert := of_alert(error.reason or ""):
            return f"{place} refuses: {alert}"
        return f"TLS with {place} fails: {error.reason or error}"
    if isinstance(error, socket.gaierror):
        return f"the name {host} is not known ({error.strerror})"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens on {place}"
    if isinstance(error, TimeoutError):
        return f"no answer from {place}"
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN):
        return f"no network to {place}"
    return f"{place}: {error}"


def _of_certificate(error: ssl.SSLCertVerificationError, place: str) -> str:
    if error.verify_code in _WRONG_NAME:
        return f"TLS: the certificate of {place} is for another name ({error.verify_message})"
    if error.verify_code in _UNKNOWN_AUTHORITY:
        return f"TLS: nobody trusted here signed the certificate of {place}; name its authority with ca_file"
    if error.verify_code == _EXPIRED:
        return f"TLS: the certificate of {place} has expired (or this device's clock is not set)"
    return f"TLS: the certificate of {place} is not accepted: {error.verify_message}"
