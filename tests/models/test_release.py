"""Releases: what is signed is believed, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear_models import Card, ModelFile
from comfywear_models.release import (
    LARGEST_MANIFEST_BYTES,
    PAYLOAD_TYPE,
    Answer,
    Manifest,
    ReleaseError,
    SampleAnswers,
    build,
    file_name,
    new_key,
    open_release,
    public_key_of,
    sign,
)

PRIVATE, PUBLIC = new_key()
OTHER_PRIVATE, OTHER_PUBLIC = new_key()
GRAPH = b"a graph"


def card(**changes: Any) -> Card:
    file = ModelFile("m.fp16.onnx", "onnxruntime", "fp16", hashlib.sha256(GRAPH).hexdigest(), len(GRAPH))
    made = Card("m", "2.1", "attributes", "logits", {"height": 8, "width": 4}, ["a"], "Apache-2.0", [file])
    return msgspec.structs.replace(made, **changes)


def samples(*paths: str) -> list[SampleAnswers]:
    return [SampleAnswers(path, [Answer([1, 1], [0.5], 0.1)]) for path in paths or ["m.fp16.onnx"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.fp16.onnx").write_bytes(GRAPH)
    return tmp_path


def test_a_release_comes_back_as_it_was_signed(folder: Path) -> None:
    moment = datetime(2026, 11, 23, 17, 0, tzinfo=timezone.utc)
    data = sign(build(card(), folder, samples(), released=moment), PRIVATE)
    found = open_release(data, [OTHER_PUBLIC, PUBLIC])
    assert found == Manifest(released="2026-11-23T17:00:00Z", card=card(), samples=samples())
    assert (found.bytes, file_name(found.card)) == (len(GRAPH), "m-2.1.release.json")
    assert public_key_of(PRIVATE) == PUBLIC


def test_the_keys_may_change_while_two_of_them_sign(folder: Path) -> None:
    data = sign(build(card(), folder, samples()), PRIVATE, OTHER_PRIVATE)
    assert open_release(data, [PUBLIC]) == open_release(data, [OTHER_PUBLIC])


def test_only_trusted_keys_count(folder: Path) -> None:
    data = sign(build(card(), folder, samples()), OTHER_PRIVATE)
    with pytest.raises(ReleaseError, match="the signature is wrong: none of the 1 trusted keys"):
        open_release(data, [PUBLIC])
    with pytest.raises(ReleaseError, match="no key is trusted"):
        open_release(data, [])
    with pytest.raises(ReleaseError, match="is no public key"):
        open_release(data, ["not base64"])


def test_openssl_reads_the_signature(folder: Path) -> None:
    """What is signed is what DSSE says, by the field's own tool."""
    data = json.loads(sign(build(card(), folder, samples()), PRIVATE))
    payload = base64.b64decode(data["payload"])
    signed = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    for name, content in (
        ("signed", signed),
        ("sig", base64.b64decode(data["signatures"][0]["sig"])),
        ("key.pem", PRIVATE),
    ):
        (folder / name).write_bytes(content)
    told = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-inkey", "key.pem", "-rawin", "-in", "signed", "-sigfile", "sig"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert "Verified Successfully" in told.stdout, told.stderr


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_no_changed_byte_is_believed(where: int, change: int) -> None:
    signed = sign(
        msgspec.json.encode(Manifest(released="2026-11-23T17:00:00Z", card=card(), samples=samples())), PRIVATE
    )
    bent = bytearray(signed)
    bent[where % len(bent)] ^= change
    try:
        found = open_release(bytes(bent), [PUBLIC])
    except ReleaseError:
        return
    assert found.card == card()  # the change was outside what is signed: the key id, or white space


@given(st.binary(max_size=400))
def test_anything_else_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ReleaseError):
        open_release(data, [PUBLIC])


FILE = card().files[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda: card(name="../m"), "a release's name"),
        (lambda: card(name="M"), "a release's name"),
        (lambda: card(version="1/2"), "a release's version"),
        (lambda: card(version="1..2"), "a release's version"),
        (lambda: card(files=[]), "1 to 16 files"),
        (lambda: card(files=[FILE, FILE]), "one name"),
        (lambda: card(files=[msgspec.structs.replace(FILE, path="../m.onnx")]), "beside its manifest"),
        (lambda: card(files=[msgspec.structs.replace(FILE, path="/etc/passwd")]), "beside its manifest"),
        (lambda: card(files=[msgspec.structs.replace(FILE, path="m.card.json")]), "beside its manifest"),
        (lambda: card(files=[msgspec.structs.replace(FILE, bytes=0)]), "no size"),
        (lambda: card(files=[msgspec.structs.replace(FILE, sha256="")]), "no sha256"),
        (lambda: card(files=[msgspec.structs.replace(FILE, path="n.onnx")]), "built-in sample"),
    ],
)
def test_what_cannot_be_is_neither_made_nor_taken(change: Callable[[], Card], words: str, folder: Path) -> None:
    manifest = Manifest(released="2026-11-23T17:00:00Z", card=change(), samples=samples())
    with pytest.raises(ReleaseError, match=words):
        open_release(sign(msgspec.json.encode(manifest), PRIVATE), [PUBLIC])
    with pytest.raises(ReleaseError, match=words):
        build(change(), folder, samples())


def test_a_release_is_not_made_of_other_files_than_the_cards(folder: Path) -> None:
    (folder / "m.fp16.onnx").write_bytes(b"another")
    with pytest.raises(ReleaseError, match="not the one on its card"):
        build(card(), folder, samples())
    (folder / "m.fp16.onnx").unlink()
    with pytest.raises(ReleaseError, match="cannot be read"):
        build(card(), folder, samples())


def test_keys_and_manifests_of_other_kinds_are_refused() -> None:
    with pytest.raises(ReleaseError, match="not a private key"):
        sign(b"{}", b"no key")
    with pytest.raises(ReleaseError, match="at least one key"):
        sign(b"{}")
    with pytest.raises(ReleaseError, match="not understood"):
        open_release(sign(b'{"schema": "comfywear/release/2"}', PRIVATE), [PUBLIC])
    with pytest.raises(ReleaseError, match="bytes at most"):
        open_release(b" " * (LARGEST_MANIFEST_BYTES + 1), [PUBLIC])
