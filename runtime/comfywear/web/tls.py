"""The page's certificate: of a file, or one that the device makes for its own name; and its fingerprint."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

from comfywear.errors import UsageError
from comfywear.system.clock import Clock, wall_time
from comfywear.system.credential import credential_path
from comfywear.system.files import replace_file
from comfywear.texts import Text

__all__ = ["CERTIFICATE_FILE", "KEY_FILE", "OWN", "PageTls", "local_names", "page_tls"]

OWN = "own"
CERTIFICATE_FILE, KEY_FILE = "page-cert.pem", "page-key.pem"
LASTS = timedelta(days=825)
"""Apple's systems trust no longer ones that were made since 2019 (support.apple.com/103769)."""
_ANEW = timedelta(days=30)
_UNSET_BEGINS = datetime(2026, 1, 1, tzinfo=timezone.utc)  # where the clock is not set when it is made
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PageTls:
    """What the page encrypts with: the context, and the SHA-256 fingerprint of its certificate as browsers show it."""

    context: ssl.SSLContext
    fingerprint: str


def page_tls(certificate: str, key: str, folder: Path, clock: Clock = wall_time) -> PageTls | None:
    """What the settings ask for; None where they ask for none.

    Args:
        certificate: A PEM file with the certificate and those between it and its authority; `OWN` = made for this
            machine's name, and kept; "" = none.
        key: Its key; "" = it stands in the same file. Either may be `credential:NAME`.
        folder: Where a certificate of one's own is kept.
        clock: The wall clock.

    Raises:
        UsageError: A file cannot be used; the message says which and why.
    """
    if not certificate:
        return None
    if certificate == OWN:
        _make_own(folder, clock)
        return _loaded(folder / CERTIFICATE_FILE, folder / KEY_FILE)
    return _loaded(_path(certificate, "certificate"), _path(key, "certificate_key") if key else None)


def local_names() -> list[str]:
    """The names and addresses by which this machine is asked, for a certificate of its own."""
    host = socket.gethostname().split(".")[0] or "localhost"
    return [f"{host}.local", host, "localhost", "127.0.0.1", "::1"]


def _loaded(certificate: Path, key: Path | None) -> PageTls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    files = f"{certificate}" + (f" with the key {key}" if key else "")
    asked: list[str] = []

    def passphrase() -> str:  # without it OpenSSL would ask at the terminal, and a service has none
        asked.append("?")
        return "?"

    try:
        context.load_cert_chain(certificate, key, password=passphrase)
        first = _PEM.search(certificate.read_text(encoding="utf-8", errors="replace"))
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first.group())).hexdigest().upper() if first else ""
    except (OSError, ssl.SSLError, ValueError) as error:
        why = "the key is locked with a passphrase; unlock it (openssl pkey -in KEY -out NEW)" if asked else _why(error)
        raise UsageError(Text("web.certificate {files} cannot be used: {why}", files=files, why=why)) from error
    return PageTls(context, ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)))


def _make_own(folder: Path, clock: Clock) -> None:
    """Have a certificate of one's own in the folder; the one that is there stays while it holds for these names."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    found = clock()
    now = datetime.fromisoformat(found.ts) if found.ts else None
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ip_address(each)) if _is_address(each) else x509.DNSName(each) for each in local_names()]
    )
    try:
        old = x509.load_pem_x509_certificate((folder / CERTIFICATE_FILE).read_bytes())
        for_us = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == names
        holds = now is None or old.not_valid_before_utc <= now < old.not_valid_after_utc - _ANEW
        if for_us and holds and (folder / KEY_FILE).is_file():
            return
    except (OSError, ValueError, x509.ExtensionNotFound):
        pass
    key, begins = generate_private_key(SECP256R1()), (now - timedelta(days=1)) if now else _UNSET_BEGINS
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, local_names()[0][:64])])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + LASTS)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        replace_file(folder / KEY_FILE, secret, mode=0o600)
        replace_file(folder / CERTIFICATE_FILE, made.public_bytes(Encoding.PEM))
    except OSError as error:
        raise UsageError(
            Text(
                "web.certificate = {own}: the certificate cannot be kept in {folder} ({why}); make the state "
                "folder writable, or name a certificate's file",
                own=repr(OWN),
                folder=folder,
                why=error.strerror,
            )
        ) from error


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _path(file: str, field: str) -> Path:
    try:
        return credential_path(file)
    except (LookupError, ValueError):
        raise UsageError(
            Text(
                "web.{field} {file}: the service manager gave no such credential (LoadCredential=)",
                field=field,
                file=file,
            )
        ) from None


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key is not that of the certificate"
        return f"no certificate and key in PEM form ({error.reason or 'nothing readable'})"
    return str(error.strerror) if isinstance(error, OSError) else str(error)
