"""A release: a model that devices may take over, named by one signed manifest.

On a server or a memory stick a release is a folder:

    NAME-VERSION.release.json    the signed manifest, made by `sign`
    *.onnx, *.tflite             the files of the model's card, beside it

The manifest holds the model's whole card, and the card names each file with its size and sha256: what is signed is
everything. It is carried in a DSSE envelope (https://github.com/secure-systems-lab/dsse, "envelope.md" and
"protocol.md"), so that the very bytes of the manifest are signed and nothing has to be brought into a canonical form:

    {"payloadType": PAYLOAD_TYPE, "payload": base64(manifest), "signatures": [{"keyid": …, "sig": base64(ed25519)}]}

The manifest itself is a JSON object with the fields of `Manifest`. To make a release:

    payload = build(card, folder, samples)     # checks the files against the card
    (folder / file_name(card)).write_bytes(sign(payload, private_key))

where `private_key` is PEM as `new_key()` or `openssl genpkey -algorithm ed25519` makes it, and `samples` says what each
form of the model answers to the built-in sample (`comfywear.vision.sample_answers` computes it). A device opens it with
`open_release(data, public_keys)`, which raises unless one of the keys of its settings has signed.

The same envelope around the first root of a TUF repository (`ROOT_TYPE`) brings devices that know nothing but
`updates.keys` to that repository (`comfywear_models.repository`); there the manifest lies as it is, a target among
others.

The package `cryptography` is imported by what signs or checks a signature alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from comfywear_models.cards import Card, CardError
from comfywear_models.registry import verify

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = [
    "LARGEST_MANIFEST_BYTES",
    "PAYLOAD_TYPE",
    "ROOT_TYPE",
    "SUFFIX",
    "Answer",
    "Manifest",
    "ReleaseError",
    "SampleAnswers",
    "build",
    "file_name",
    "new_key",
    "open_envelope",
    "open_release",
    "private_key_of",
    "public_key_of",
    "read_manifest",
    "read_public_key",
    "sign",
]

SUFFIX = ".release.json"
PAYLOAD_TYPE = "application/vnd.comfywear.release+json"
ROOT_TYPE = "application/vnd.comfywear.tuf-root+json"
LARGEST_MANIFEST_BYTES = 1_000_000
MOST_FILES = 16

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*(\.[A-Za-z0-9_+-]+)*", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ReleaseError(ValueError):
    """A release is not one, is not signed by a key that is trusted, or says what cannot be."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one output of a graph holds for the built-in sample.

    Attributes:
        shape: Of the output, with the batch of one.
        values: Some of its values: evenly spaced over the flattened output, from the first to the last.
        tolerance: Other processors round otherwise: the mean absolute difference that is still right.
    """

    shape: list[int]
    values: list[float]
    tolerance: float


class SampleAnswers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the form in the file `path` answers to the built-in sample: an `Answer` an output, in the graph's order."""

    path: str
    outputs: list[Answer]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is signed.

    Attributes:
        schema: The version of this format; a device refuses one that it does not know.
        released: ISO 8601 UTC. A device does not go back to an older release of the same name unless told to.
        card: The model's whole card; its files are the release's files.
        samples: What each form answers to the built-in sample.
    """

    schema: Literal["comfywear/release/1"] = "comfywear/release/1"
    released: str
    card: Card
    samples: list[SampleAnswers]

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(file.bytes for file in self.card.files)


class _Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: list[_Signature]


def file_name(card: Card) -> str:
    """The usual name of the manifest's file, such as "attributes-3.release.json"."""
    return f"{card.name}-{card.version}{SUFFIX}"


def build(card: Card, folder: Path, samples: Sequence[SampleAnswers], *, released: datetime | None = None) -> bytes:
    """The manifest of a release, to be signed.

    Args:
        card: Of the model.
        folder: Where the card's files lie.
        samples: What each of its files answers to the built-in sample.
        released: With a time zone; now when it is left out.

    Raises:
        ReleaseError: A file is missing or not the one on the card, or a name or version cannot stand in a release.
    """
    moment = (released or datetime.now(timezone.utc)).astimezone(timezone.utc)
    manifest = Manifest(released=moment.strftime("%Y-%m-%dT%H:%M:%SZ"), card=card, samples=list(samples))
    _check(manifest)
    for file in card.files:
        try:
            path = verify(file, folder)
        except CardError as error:
            raise ReleaseError(str(error)) from error
        if path.stat().st_size != file.bytes:
            raise ReleaseError(f"{path}: it has {path.stat().st_size} bytes, its card says {file.bytes}")
    return msgspec.json.encode(manifest)


def sign(payload: bytes, *private_keys: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """The file of a release: the manifest that `build` made with a signature of each key.

    Args:
        payload: The manifest, or what `payload_type` names.
        private_keys: PEM, ed25519. Two keys at once let devices change from one to the other.
        payload_type: What is signed.

    Raises:
        ReleaseError: No key is given, or one is not an ed25519 key in PEM without a password.
    """
    if not private_keys:
        raise ReleaseError("a release is signed with at least one key")
    keys = [private_key_of(pem) for pem in private_keys]
    signatures = [
        {"keyid": _key_id(_public_text(key)), "sig": _base64(key.sign(_signed_bytes(payload_type, payload)))}
        for key in keys
    ]
    envelope = {"payloadType": payload_type, "payload": _base64(payload), "signatures": signatures}
    return msgspec.json.format(msgspec.json.encode(envelope), indent=1) + b"\n"


def open_release(data: bytes, public_keys: Sequence[str]) -> Manifest:
    """The manifest in a release's file, signed by one of `public_keys`.

    Args:
        data: The whole file.
        public_keys: As `new_key` and `public_key_of` give them: base64 of 32 bytes.

    Raises:
        ReleaseError: The file is not a release, none of the keys has signed it, or its manifest says what cannot be
            (a file outside the folder, two files of one name, no sample for a file). Nothing of it is believed then.
    """
    return read_manifest(open_envelope(data, public_keys, PAYLOAD_TYPE))


def open_envelope(data: bytes, public_keys: Sequence[str], payload_type: str) -> bytes:
    """What is in an envelope, signed by one of `public_keys` as what `payload_type` names; else ReleaseError."""
    if len(data) > LARGEST_MANIFEST_BYTES:
        raise ReleaseError(f"a release's manifest has {LARGEST_MANIFEST_BYTES} bytes at most, this has {len(data)}")
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
        payload = base64.b64decode(envelope.payload, validate=True)
    except (msgspec.DecodeError, UnicodeError, RecursionError, binascii.Error, ValueError) as error:
        raise ReleaseError(f"not a signed release: {error}") from error
    if envelope.payload_type != payload_type:
        raise ReleaseError(f"what is signed is {envelope.payload_type[:80]!r}, not {payload_type!r}")
    if not public_keys:
        raise ReleaseError("no key is trusted: name the public keys of those who may release models")
    _check_signed(envelope, payload, [read_public_key(text) for text in public_keys])
    return payload


def read_manifest(payload: bytes) -> Manifest:
    """The manifest in bytes that were found to be signed.

    Raises:
        ReleaseError: It is none, or says what cannot be.
    """
    try:
        manifest = msgspec.json.decode(payload, type=Manifest)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ReleaseError(
            f"the manifest is not understood (made for another version of comfywear?): {error}"
        ) from error
    _check(manifest)
    return manifest


def new_key() -> tuple[bytes, str]:
    """A new private key as PEM (keep it off the devices), and its public key for the settings of devices."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), _public_text(key)


def public_key_of(private_key: bytes) -> str:
    """The public key, as in settings, of a private key in PEM; ReleaseError when it is none."""
    return _public_text(private_key_of(private_key))


def read_public_key(text: str) -> Ed25519PublicKey:
    """The key in a text as `new_key` gives it.

    Raises:
        ReleaseError: When it is not base64 of 32 bytes.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        raw = base64.b64decode(text, validate=True)
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise ReleaseError(f"{text[:64]!r} is no public key: base64 of the 32 bytes of an ed25519 key") from error


def _check_signed(envelope: _Envelope, payload: bytes, keys: Sequence[Ed25519PublicKey]) -> None:
    from cryptography.exceptions import InvalidSignature

    signed = _signed_bytes(envelope.payload_type, payload)
    for signature in envelope.signatures[:8]:
        try:
            raw = base64.b64decode(signature.sig, validate=True)
        except ValueError:
            continue
        for key in keys:
            # The key id is a hint for people: every trusted key is tried.
            try:
                key.verify(raw, signed)
            except InvalidSignature:
                continue
            return
    by = ", ".join(signature.keyid[:16] or "?" for signature in envelope.signatures[:8]) or "nobody"
    raise ReleaseError(
        f"the signature is wrong: none of the {len(keys)} trusted keys has signed this manifest (signed by: {by})"
    )


def _check(manifest: Manifest) -> None:
    """ReleaseError unless the manifest says what can be."""
    card = manifest.card
    for what, text, pattern in (("name", card.name, _NAME), ("version", card.version, _VERSION)):
        if len(text) > 64 or not pattern.fullmatch(text):
            raise ReleaseError(f"a release's {what} is letters, digits, dots, _ and -, not {text[:80]!r}")
    try:
        datetime.strptime(manifest.released, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise ReleaseError(f"the time of the release is not like 2026-11-23T17:00:00Z: {error}") from error
    if not 1 <= len(card.files) <= MOST_FILES:
        raise ReleaseError(f"a release has 1 to {MOST_FILES} files, this has {len(card.files)}")
    paths = [file.path for file in card.files]
    if len(set(paths)) < len(paths):
        raise ReleaseError("two files of the release have one name")
    for file in card.files:
        if len(file.path) > 128 or not _FILE.fullmatch(file.path) or file.path.endswith(".json"):
            raise ReleaseError(f"a file of a release lies beside its manifest and is a model's, not {file.path[:80]!r}")
        if not _SHA256.fullmatch(file.sha256) or file.bytes < 1:
            raise ReleaseError(f"{file.path}: the card says no size or no sha256")
    if sorted(sample.path for sample in manifest.samples) != sorted(paths):
        raise ReleaseError("the release does not say what each of its files answers to the built-in sample")


def _signed_bytes(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what the signature is over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def private_key_of(pem: bytes) -> Ed25519PrivateKey:
    """The key in a PEM; ReleaseError where it is no ed25519 key, or wants a password."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise ReleaseError(f"not a private key in PEM without a password: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ReleaseError("the private key is not an ed25519 key: openssl genpkey -algorithm ed25519")
    return key


def _public_text(key: Ed25519PrivateKey) -> str:
    return _base64(key.public_key().public_bytes_raw())


def _key_id(public_text: str) -> str:
    return hashlib.sha256(base64.b64decode(public_text)).hexdigest()[:16]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
