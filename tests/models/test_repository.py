"""The writer of TUF repositories: by hand of the keys it has, whole at every moment, and nobody's tool."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from tuf.api.metadata import Metadata, Timestamp

from comfywear_models import Card, ModelFile
from comfywear_models.release import Answer, ReleaseError, SampleAnswers, build
from comfywear_models.repository import ROLLOUTS, Repository, create

GRAPH = b"a graph"


def card(name: str = "m", version: str = "1") -> Card:
    file = ModelFile("m.onnx", "onnxruntime", "fp16", hashlib.sha256(GRAPH).hexdigest(), len(GRAPH))
    return Card(name, version, "attributes", "logits", {"height": 8, "width": 4}, ["a"], "Apache-2.0", [file])


class Desk:
    """A workstation: a repository, and the folder of its keys."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys, self.out = folder, folder / "keys", folder / "out"
        (folder / "m.onnx").write_bytes(GRAPH)
        create(self.out, self.keys, {"targets": (2, 2)})

    def open(self, *keys: Path) -> Repository:
        return Repository(self.out, keys or [self.keys])

    def add(self, made: Card, share: float = 1.0, *keys: Path) -> None:
        samples = [SampleAnswers("m.onnx", [Answer([1], [0.5], 0.1)])]
        self.open(*keys).add(made, self.folder, build(made, self.folder, samples), share)

    def only(self, *roles: str) -> Path:
        """A folder with the keys of some roles alone."""
        folder = self.folder / "-".join(roles)
        folder.mkdir(mode=0o700)
        for role in roles:
            for path in self.keys.glob(f"{role}-*.pem"):
                shutil.copy(path, folder)
        return folder


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def published(desk: Desk) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (desk.out / "metadata").iterdir()}


def test_keys_are_their_owners_alone(desk: Desk) -> None:
    assert {path.stat().st_mode & 0o777 for path in desk.keys.glob("*.pem")} == {0o600}
    next(desk.keys.glob("root-*.pem")).chmod(0o644)
    with pytest.raises(ReleaseError, match="others can read this private key; chmod 600"):
        desk.open()
    assert not [path for path in desk.out.rglob("*") if b"PRIVATE" in (path.read_bytes() if path.is_file() else b"")]


def test_a_repository_is_not_made_over_another(desk: Desk) -> None:
    with pytest.raises(ReleaseError, match="a repository lies there already"):
        create(desk.out, desk.keys, {})
    with pytest.raises(ReleaseError, match="3 of 2 keys cannot sign"):
        create(desk.folder / "other", desk.folder / "other-keys", {"root": (3, 2)})
    with pytest.raises(ReleaseError, match="no role 'boss' at the beginning"):
        create(desk.folder / "third", desk.folder / "other-keys", {"boss": (1, 1)})


def test_online_keys_renew_and_let_go_but_release_nothing(desk: Desk) -> None:
    desk.add(card())
    online = desk.only("timestamp", "snapshot", ROLLOUTS)
    assert desk.open(online).refresh() == ["timestamp"]
    assert desk.open(online).halt("m", "ghosts").halted == "ghosts"
    assert desk.open(online).roll_out("m", 0.5).halted == ""
    before = published(desk)
    with pytest.raises(ReleaseError, match="1 of the 1 keys of the role 'm' must sign, and 0 lie in the folders"):
        desk.add(card(version="2"), 1.0, online)
    with pytest.raises(ReleaseError, match="2 of the 2 keys of the role 'targets' must sign, and 0 lie"):
        desk.add(card("new"), 1.0, online)
    assert published(desk) == before
    desk.add(card(version="2"), 1.0, desk.only("m"), online)
    assert desk.open().rollouts()["m"].version == "2"


def test_what_is_half_way_to_its_end_is_renewed_with_the_timestamp(desk: Desk) -> None:
    desk.open().renew(["snapshot"], {"snapshot": 10})
    assert desk.open().refresh(3) == ["snapshot", "timestamp"]
    ends = {role: until for role, until, _ in desk.open().ends()}
    now = datetime.now(timezone.utc)
    assert ends["snapshot"] - now > timedelta(days=29)
    assert ends["timestamp"] - now < timedelta(days=3.1)


def test_what_somebody_put_into_the_folder_is_not_signed_anew(desk: Desk) -> None:
    desk.add(card())
    path = desk.out / "metadata/1.m.json"
    fields = msgspec.json.decode(path.read_bytes())
    fields["signed"]["targets"]["m/evil"] = fields["signed"]["targets"]["m/m-1.release.json"]
    path.write_bytes(msgspec.json.encode(fields))
    before = published(desk)
    with pytest.raises(ReleaseError, match="the repository is damaged, nothing is signed: m was signed by 0/1 keys"):
        desk.open().refresh()
    assert published(desk) == before


def test_another_repository_in_the_folders_place_is_noticed(desk: Desk) -> None:
    create(desk.folder / "theirs", desk.folder / "their-keys", {})
    shutil.rmtree(desk.out)
    shutil.copytree(desk.folder / "theirs", desk.out)
    with pytest.raises(ReleaseError, match="its first root is not the one that lies with the keys"):
        desk.open().refresh()


@pytest.mark.parametrize("name", ["root", "timestamp", ROLLOUTS])
def test_a_model_cannot_take_the_name_of_a_role(desk: Desk, name: str) -> None:
    with pytest.raises(ReleaseError, match="cannot be called"):
        desk.add(card(name))


def test_a_version_is_released_once_and_its_files_are_those_of_its_card(desk: Desk) -> None:
    desk.add(card())
    with pytest.raises(ReleaseError, match="raise the model's version"):
        desk.add(card())
    made = card(version="2")
    manifest = build(made, desk.folder, [SampleAnswers("m.onnx", [Answer([1], [0.5], 0.1)])])
    (desk.folder / "m.onnx").write_bytes(b"another")
    with pytest.raises(ReleaseError, match="not the one on its card"):
        desk.open().add(made, desk.folder, manifest)
    with pytest.raises(ReleaseError, match="'x' was never released here; m was"):
        desk.open().halt("x", "")
    with pytest.raises(ReleaseError, match="1 is being rolled out, not 7"):
        desk.open().halt("m", "", "7")
    with pytest.raises(ReleaseError, match="there is no role 'x'"):
        desk.open().rotate("x")


def test_a_run_that_is_killed_before_its_end_has_published_nothing(desk: Desk) -> None:
    """Killed at the last step, when the timestamp is to appear; the same command makes it whole."""
    killed = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "replaced = Path.replace\n"
        "def replace(path, target):\n"
        "    if target.name == 'timestamp.json': os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return replaced(path, target)\n"
        "Path.replace = replace\n"
        "from comfywear_models.repository import Repository\n"
        "Repository(Path(sys.argv[1]), [Path(sys.argv[2])]).renew()"
    )
    timestamp = (desk.out / "metadata/timestamp.json").read_bytes()
    desk.add(card())
    before = desk.open().rollouts()
    assert (desk.out / "metadata/timestamp.json").read_bytes() != timestamp
    timestamp = (desk.out / "metadata/timestamp.json").read_bytes()
    done = subprocess.run([sys.executable, "-c", killed, str(desk.out), str(desk.keys)], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert (desk.out / "metadata/timestamp.json").read_bytes() == timestamp
    assert desk.open().rollouts() == before
    desk.open().renew()
    found: Metadata[Timestamp] = Metadata[Timestamp].from_bytes((desk.out / "metadata/timestamp.json").read_bytes())
    assert found.signed.version == 3
