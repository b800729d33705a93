"""The attacks that the TUF specification lists (1.5.2), each tried against a device by a real web server.

Each is refused in words, and the model in service works on.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from made import prepared
from repositories import FAST, Market
from securesystemslib.signer import Signer
from servers import Server
from tuf.api.metadata import Metadata, Root, Targets

from comfywear.errors import ModelError, UsageError
from comfywear.releases import fetching
from comfywear.releases.pulling import pull
from comfywear_models.repository import Repository, create
from comfywear_models.repository_state import RepositoryState
from comfywear_models.signing_keys import load_keys


@pytest.fixture
def market(tmp_path: Path, server: Server) -> Market:
    made = Market(tmp_path, server)
    made.offer("2")
    return made


def keys_of(market: Market, *roles: str) -> dict[str, Signer]:
    """The keys of some roles alone: what an attacker got hold of."""
    stolen = market.folder / "stolen"
    stolen.mkdir()
    for role in roles:
        shutil.copy(market.keys / f"{role}-1.pem", stolen)
    return load_keys([stolen])


# Arbitrary installation: something else than what was released.


def test_an_altered_file_is_not_installed(market: Market) -> None:
    (file,) = (market.server.folder / "targets/tiny").glob("*.onnx")
    content = bytearray(file.read_bytes())
    content[-30] ^= 1
    file.write_bytes(content)
    market.refused(r"tiny-2\.onnx has the wrong hash")


def test_an_altered_manifest_is_not_believed(market: Market) -> None:
    (file,) = (market.server.folder / "targets/tiny").glob("*.release.json")
    file.write_bytes(file.read_bytes().replace(b"Apache", b"apache"))
    market.refused("its parts do not belong together")


def test_a_repository_with_other_keys_is_not_believed(market: Market, tmp_path: Path) -> None:
    create(tmp_path / "theirs", tmp_path / "their-keys", {})
    theirs = Repository(tmp_path / "theirs", [tmp_path / "their-keys"])
    card, manifest = prepared(tmp_path / "evil", "3")
    theirs.add(card, tmp_path / "evil", manifest)
    market.show(tmp_path / "theirs")
    market.refused("not signed by as many of the keys that this device trusts as must sign")


# Endless data.


@pytest.mark.parametrize("name", ["metadata/timestamp.json", "metadata/2.root.json", "metadata/2.snapshot.json"])
def test_data_without_end_is_not_read(market: Market, name: str) -> None:
    (market.server.folder / name).write_bytes(b" " * 8_000_000)
    said = market.refused("it sends more than it may")
    assert name in said


def test_a_file_that_goes_on_is_cut_off(market: Market) -> None:
    (file,) = (market.server.folder / "targets/tiny").glob("*.onnx")
    file.write_bytes(file.read_bytes() + bytes(1_000_000))
    market.refused("the server's file has")


# Extraneous dependencies: files that nobody released along with it.


def test_a_release_brings_no_file_that_is_not_signed(market: Market) -> None:
    card, _ = prepared(market.folder / "made", "3")
    other = msgspec.structs.replace(card.files[0], path="more.onnx")
    shutil.copy(market.folder / "made" / card.files[0].path, market.folder / "made/more.onnx")
    _, manifest = prepared(market.folder / "made", "3")
    fields = json.loads(manifest)
    fields["card"]["files"].append(msgspec.to_builtins(other))
    fields["samples"].append({**fields["samples"][0], "path": "more.onnx"})
    market.repository.add(card, market.folder / "made", json.dumps(fields).encode())
    market.refused("nobody who may has signed tiny/more.onnx")


# Fast forward: versions so high that the true ones look old for ever.


def test_a_device_recovers_from_versions_that_ran_ahead(market: Market) -> None:
    before = market.kept()
    state = RepositoryState.load(market.server.folder, keys_of(market, "timestamp", "snapshot"), None)
    state.timestamp.signed.version = state.snapshot.signed.version = 2**31
    state.publish(["snapshot"])
    assert market.pull()[0].version == "2"
    market.show(before)
    market.offer("3")
    with pytest.raises(ModelError, match="it shows an older state than this device has seen before"):
        market.pull()
    assert market.version == "2"
    market.repository.rotate("snapshot")
    market.repository.rotate("timestamp")
    assert market.pull()[0].version == "3"


# Indefinite freeze: an old state for ever.


def test_an_old_state_is_not_believed_for_ever(market: Market) -> None:
    market.repository.renew(["timestamp"], {"timestamp": 0})
    said = market.refused("what it says held until a moment that is past")
    assert "timestamp.json is expired" in said
    assert "comfywear-export release timestamp" in said
    market.repository.refresh()
    assert market.pull()[0].version == "2"


@pytest.mark.parametrize("role", ["root", "snapshot", "targets", "tiny", "rollouts"])
def test_what_any_role_signed_ends(market: Market, role: str) -> None:
    market.repository.renew([role], {role: 0})
    market.refused("what it says held until a moment that is past")


# Malicious mirrors that prevent updates: the device says so, and another mirror will do.


def test_a_mirror_that_gives_nothing_is_said_and_another_will_do(market: Market) -> None:
    good = market.kept()
    for path in market.metadata.glob("*.snapshot.json"):
        path.unlink()
    market.refused("a part of it is missing")
    (market.metadata / "timestamp.json").write_bytes(b"<html>no</html>")
    market.refused("it is damaged, or no repository of models")
    assert market.pull(str(good))[0].version == "2"


# Mix and match: parts of several states.


def test_parts_of_two_states_are_not_believed(market: Market) -> None:
    old = market.kept()
    market.offer("3")
    newest = max(market.metadata.glob("*.tiny.json"))
    shutil.copy(old / "metadata/1.tiny.json", newest)
    market.refused("its parts do not belong together")


def test_a_snapshot_of_another_state_is_not_believed(market: Market) -> None:
    old = market.kept()
    market.offer("3")
    version = json.loads((market.metadata / "timestamp.json").read_bytes())["signed"]["meta"]["snapshot.json"][
        "version"
    ]
    shutil.copy(old / f"metadata/{version - 1}.snapshot.json", market.metadata / f"{version}.snapshot.json")
    market.refused("its parts do not belong together")


# Rollback: an older state than was seen.


def test_an_older_state_is_not_believed(market: Market) -> None:
    old = market.kept()
    market.repository.halt("tiny", "to look at it first")
    market.refused("its roll-out is stopped: to look at it first", error=UsageError)
    market.show(old)
    market.refused("it shows an older state than this device has seen before")


def test_a_role_cannot_be_rolled_back_below_a_new_timestamp(market: Market) -> None:
    """Who holds the keys of timestamp and snapshot shows an old state of a model's role."""
    market.repository.roll_out("tiny", 0.0)
    market.refused("this one's turn comes at", error=UsageError)
    state = RepositoryState.load(market.server.folder, keys_of(market, "timestamp", "snapshot"), None)
    old = (market.metadata / "1.rollouts.json").read_bytes()
    state.snapshot.signed.meta["rollouts.json"] = state.snapshot.signed.meta["rollouts.json"].from_data(
        1, old, ["sha256"]
    )
    state.publish(["snapshot"])
    market.refused("it shows an older state than this device has seen before")


# Slow retrieval.


@pytest.mark.parametrize("name", ["metadata/timestamp.json", "metadata/1.tiny.json"])
def test_an_answer_that_does_not_end_is_given_up(market: Market, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_LONGEST_MANIFEST_S", 0.5)
    market.server.stall[name] = 10
    market.refused("does not come in time")


# Key compromise.


def test_online_keys_alone_release_nothing(market: Market, tmp_path: Path) -> None:
    """With the keys of timestamp, snapshot and roll-outs: another manifest under the model's name."""
    stolen = keys_of(market, "timestamp", "snapshot", "rollouts")
    state = RepositoryState.load(market.server.folder, stolen, None)
    role = state.targets["tiny"]
    role.signed.targets["tiny/tiny-9.release.json"] = role.signed.targets["tiny/tiny-2.release.json"]
    role.signed.version += 1
    for signer in stolen.values():
        role.sign(signer, append=True)
    data = role.to_bytes()
    (market.metadata / f"{role.signed.version}.tiny.json").write_bytes(data)
    meta = state.snapshot.signed.meta["tiny.json"]
    state.snapshot.signed.meta["tiny.json"] = meta.from_data(role.signed.version, data, ["sha256"])
    state.publish(["snapshot"])
    market.refused("not signed by as many of the keys")


def test_one_key_of_the_root_alone_makes_no_new_root(market: Market) -> None:
    root: Metadata[Root] = Metadata[Root].from_bytes((market.metadata / "1.root.json").read_bytes())
    root.signed.version = 2
    root.signed.roles["root"].threshold = 1
    (signer,) = keys_of(market, "root").values()
    root.sign(signer)
    (market.metadata / "2.root.json").write_bytes(root.to_bytes())
    market.refused(r"not signed by as many of the keys .*root was signed by 1/2 keys")


def test_keys_that_were_replaced_sign_nothing_any_more(market: Market) -> None:
    market.repository.rotate("tiny")
    old = keys_of(market, "tiny", "targets", "snapshot", "timestamp")
    state = RepositoryState.load(market.server.folder, old, None)
    role: Metadata[Targets] = state.targets["tiny"]
    role.signed.version += 1
    for signer in old.values():
        role.sign(signer)
    data = role.to_bytes()
    (market.metadata / f"{role.signed.version}.tiny.json").write_bytes(data)
    meta = state.snapshot.signed.meta["tiny.json"]
    state.snapshot.signed.meta["tiny.json"] = meta.from_data(role.signed.version, data, ["sha256"])
    state.publish(["snapshot"])
    market.refused("not signed by as many of the keys")


# Wrong software: something that was signed, but for something else.


def test_the_role_of_one_model_does_not_speak_for_another(market: Market) -> None:
    """The keys of `other` sign a manifest of `tiny` under their own name."""
    card, _ = prepared(market.folder / "made", "5", name="other")
    tiny, manifest = prepared(market.folder / "made", "5")
    assert tiny.files == card.files
    market.repository.add(card, market.folder / "made", manifest)
    settings = market.settings()
    with pytest.raises(ModelError, match=r"the role of 'other' has signed tiny 5 in the place of other 5"):
        pull(market.releases, market.server.url, settings, model="other", version="5", rules=FAST)
    assert market.old_model_works()


def test_a_role_signs_nothing_outside_its_folder(market: Market) -> None:
    card, manifest = prepared(market.folder / "made", "5", name="other")
    market.repository.add(card, market.folder / "made", manifest)
    state = RepositoryState.load(market.server.folder, load_keys([market.keys]), None)
    role = state.targets["other"].signed
    for path in ("tiny/tiny-5.release.json", "rollouts.json"):
        role.targets[path] = role.targets["other/other-5.release.json"]
    state.publish(["other"])
    with pytest.raises(ModelError, match=r"nobody who may has signed tiny/tiny-5\.release\.json"):
        pull(market.releases, market.server.url, market.settings(), model="tiny", version="5", rules=FAST)
    assert market.old_model_works()


def test_an_older_release_is_not_taken_though_it_is_signed(market: Market) -> None:
    """Who holds the keys of the roll-outs goes back to a release with a known fault."""
    market.offer("0", days=0)
    market.refused("before one that was in service here")
