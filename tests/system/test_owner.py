"""Root in a folder of another user: what that user plants there reaches nothing of root's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from comfywear.system.owner import become_owner

NOBODY = 65534

# All is imported first: Python itself may lie where only root can read.
ROLL_BACK = """
import os, sys
from pathlib import Path
import comfywear.releases.store, comfywear.releases.slots, comfywear.system.json_file, fcntl, json
from comfywear.releases import Releases
from comfywear.errors import ComfyWearError
from comfywear.system.owner import become_owner
folder = become_owner(Path(sys.argv[1]))
try:
    Releases(folder / "releases").refuse("detector", "3", "a release that root pulled is refused")
except ComfyWearError as error:
    print("refused:", error)
print(os.geteuid(), os.getgroups())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to work in another user's folder")
@pytest.mark.parametrize("planted", ["slots.json.{pid}.new", "slots.json", "."])
def test_a_link_in_the_services_folder_reaches_nothing_of_roots(tmp_path: Path, planted: str) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o005)  # the attacker can walk here; root's own file stays closed
    victim = tmp_path / "only-root"
    victim.mkdir(mode=0o700)
    (victim / "slots.json").write_text("root's own")
    model = tmp_path / "state" / "releases" / "detector"
    if planted == ".":
        model.parent.mkdir(parents=True)
        model.symlink_to(victim)
    else:
        model.mkdir(parents=True)
        (model / planted.format(pid=1)).symlink_to(victim / "slots.json")
    for path in (tmp_path / "state", *(tmp_path / "state").rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    result = subprocess.run(
        [sys.executable, "-c", ROLL_BACK, str(tmp_path / "state")], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == f"{NOBODY} []"
    assert (victim / "slots.json").read_text() == "root's own"
    assert [path.name for path in victim.iterdir()] == ["slots.json"]


def test_an_own_folder_and_one_that_is_not_there_change_nobody(tmp_path: Path) -> None:
    who = os.geteuid()
    assert become_owner(tmp_path) == tmp_path
    assert become_owner(tmp_path / "none") == tmp_path / "none"
    assert os.geteuid() == who
