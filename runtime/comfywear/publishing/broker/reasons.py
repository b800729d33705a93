"""Why a broker cannot be reached or refuses, in words that say what to look at."""

from __future__ import annotations

import errno
import socket
import ssl

from comfywear.texts import Text

# OpenSSL's verification results (openssl-verify(1)).
_EXPIRED = 10
_UNKNOWN_AUTHORITY = {18, 19, 20, 21}
_WRONG_NAME = {62, 64}

_CODES = {
    0x84: Text("it does not speak this version of MQTT"),
    0x85: Text("it does not take this client id"),
    0x86: Text("bad user name or password"),
    0x87: Text("not authorised (check user name, password file and the broker's access rules)"),
    0x88: Text("the server is unavailable"),
    0x89: Text("the server is busy"),
    0x8A: Text("this client is banned"),
    0x8B: Text("the server is shutting down"),
    0x8D: Text("it heard nothing for too long"),
    0x8E: Text("another client with the same id has taken the session: give each device its own id"),
    0x95: Text("a message was too large for it"),
    0x97: Text("its quota is exceeded"),
}


def of_code(code: int, name: str) -> str:
    """A reason code of MQTT v5 in words; `name` is the standard's, used where there is nothing better."""
    return _CODES.get(code, name.lower())


# The alerts of TLS (RFC 8446, 6.2) by which a broker speaks of our certificate, as OpenSSL names them.
_ALERTS = {
    "CERTIFICATE_REQUIRED": Text("it wants a client certificate (client_cert and client_key)"),
    "HANDSHAKE_FAILURE": Text("no agreement on TLS; it may want a client certificate (client_cert and client_key)"),
    "UNKNOWN_CA": Text("it does not trust the authority that signed the client certificate"),
    "CERTIFICATE_EXPIRED": Text("the client certificate has expired (or the broker's clock is wrong)"),
    "CERTIFICATE_REVOKED": Text("the client certificate was revoked"),
    "BAD_CERTIFICATE": Text("it does not accept the client certificate"),
    "UNSUPPORTED_CERTIFICATE": Text("it does not accept this kind of client certificate"),
    "CERTIFICATE_UNKNOWN": Text("it does not accept the client certificate"),
    "ACCESS_DENIED": Text("the client certificate gives no access"),
}


def of_alert(text: str) -> str | None:
    """An alert of TLS that stands in `text` in words, or None."""
    if "ALERT" not in text:
        return None
    return next((words for name, words in _ALERTS.items() if name in text), None)


def of_silence(client_cert: str) -> str:
    """What it may mean that a broker closed the connection after TLS was agreed; its alert does not always come."""
    if client_cert:
        return Text(" after TLS was agreed: it may not accept the client certificate (its log says why)")
    return Text(" after TLS was agreed: it may want a client certificate (client_cert and client_key)")


def of_error(error: Exception, host: str, port: int) -> str:
    """An error of connecting to `host`:`port` in words."""
    place = f"{host}:{port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error, place)
    if isinstance(error, ConnectionResetError | BrokenPipeError | ssl.SSLEOFError):
        return Text(
            "{place} closed the connection while it was made (with tls = true: it may not speak TLS)", place=place
        )
    if isinstance(error, ssl.SSLError):
        if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
            return Text("{place} does not speak TLS", place=place)
        if alert := of_alert(error.reason or ""):
            return Text("{place} refuses: {why}", place=place, why=alert)
        return Text("TLS with {place} fails: {why}", place=place, why=error.reason or error)
    if isinstance(error, socket.gaierror):
        return Text("the name {host} is not known ({why})", host=host, why=error.strerror)
    if isinstance(error, ConnectionRefusedError):
        return Text("nothing listens on {place}", place=place)
    if isinstance(error, TimeoutError):
        return Text("no answer from {place}", place=place)
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN):
        return Text("no network to {place}", place=place)
    return Text("{place}: {why}", place=place, why=error)


def _of_certificate(error: ssl.SSLCertVerificationError, place: str) -> str:
    if error.verify_code in _WRONG_NAME:
        return Text(
            "TLS: the certificate of {place} is for another name ({why})",
            place=place,
            why=error.verify_message,
        )
    if error.verify_code in _UNKNOWN_AUTHORITY:
        return Text(
            "TLS: nobody trusted here signed the certificate of {place}; name its authority with ca_file", place=place
        )
    if error.verify_code == _EXPIRED:
        return Text("TLS: the certificate of {place} has expired (or this device's clock is not set)", place=place)
    return Text(
        "TLS: the certificate of {place} is not accepted: {why}",
        place=place,
        why=error.verify_message,
    )
