"""The signed repository, as apt itself reads it: its versions, and what it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("apt-ftparchive", "apt-get", "dpkg-deb", "gpg")

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason="needs apt, apt-utils, dpkg and gnupg"
)


class Site:
    """A maker's keys and packages, the repository, and a user's apt with folders of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.repository = folder, folder / "www"
        keys = folder / "keys"
        keys.mkdir(mode=0o700)
        self.environ = {**os.environ, "GNUPGHOME": str(keys), "LC_ALL": "C"}
        self.new_key("maker")

    def new_key(self, name: str) -> None:
        command = ["gpg", "--batch", "--passphrase", "", "--quick-gen-key", name, "ed25519", "sign", "never"]
        subprocess.run(command, env=self.environ, check=True, capture_output=True, timeout=120)

    def package(self, version: str, name: str = "comfywear", arch: str = "arm64", more: str = "") -> Path:
        root = self.folder / "root"
        shutil.rmtree(root, ignore_errors=True)
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\n"
            f"Maintainer: m <m@localhost>\nDescription: d{more}\n"
        )
        made = self.folder / f"{name}_{version}_{arch}.deb"
        subprocess.run(["dpkg-deb", "-b", root, made], check=True, capture_output=True, timeout=60)
        return made

    def make(self, *words: object, key: str = "maker") -> subprocess.CompletedProcess[str]:
        command = [str(each) for each in (ROOT / "scripts/apt-repository", self.repository, "--key", key, *words)]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False, timeout=120)

    def apt(self, *words: str, keyring: Path | None = None) -> str:
        """What apt says, with the repository as its only source."""
        user = self.folder / "user"
        for name in ("lists/partial", "cache/archives/partial", "parts", "status.d"):
            (user / name).mkdir(parents=True, exist_ok=True)
        (user / "status").touch()
        signed = keyring or self.repository / "comfywear-archive-keyring.gpg"
        (user / "sources").write_text(f"deb [arch=arm64 signed-by={signed}] file:{self.repository} stable main\n")
        options = {
            "Dir::State::lists": user / "lists", "Dir::State::status": user / "status", "Dir::Cache": user / "cache",
            "Dir::Etc::sourcelist": user / "sources", "Dir::Etc::sourceparts": user / "parts",
            "Dir::Etc::parts": user / "parts", "Dir::Etc::preferencesparts": user / "parts",
            "APT::Architecture": "arm64", "APT::Sandbox::User": "root",
        }  # fmt: skip
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        command = [words[0], *given, *words[1:]]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False, timeout=120)
        return done.stdout + done.stderr


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=made.environ, check=False, timeout=60)


def test_apt_sees_every_version_of_its_architecture_and_takes_the_newest(site: Site) -> None:
    assert site.make(site.package("1.2.0"), site.package("1.10.0")).returncode == 0
    assert site.make(site.package("2.0", arch="amd64")).returncode == 0
    told = site.apt("apt-get", "update")
    assert "E: " not in told, told
    assert "W: " not in told, told
    policy = site.apt("apt-cache", "policy", "comfywear")
    assert "Candidate: 1.10.0" in policy
    assert "1.2.0" in policy
    assert "2.0" not in policy.replace("1.2.0", "")


@pytest.mark.parametrize("spoilt", ["Packages", "Release", "InRelease"])
def test_what_was_changed_after_signing_is_refused(site: Site, spoilt: str) -> None:
    assert site.make(site.package("1.2.0")).returncode == 0
    dist = site.repository / "dists/stable"
    if spoilt == "Packages":
        (dist / "main/binary-arm64/Packages.gz").unlink()
        index = dist / "main/binary-arm64/Packages"
        index.write_text(index.read_text().replace("1.2.0", "9.9.9"))
    else:
        if spoilt == "Release":
            (dist / "InRelease").unlink()
        file = dist / spoilt
        file.write_text(file.read_text().replace("Origin: comfywear", "Origin: somebody"))
    told = site.apt("apt-get", "update")
    assert "E: " in told, told
    assert "9.9.9" not in site.apt("apt-cache", "policy", "comfywear")


def test_another_key_than_the_one_that_devices_trust_is_refused(site: Site) -> None:
    assert site.make(site.package("1.2.0")).returncode == 0
    trusted = shutil.copy(site.repository / "comfywear-archive-keyring.gpg", site.folder / "trusted.gpg")
    site.new_key("somebody")
    assert site.make(key="somebody").returncode == 0
    told = site.apt("apt-get", "update", keyring=Path(trusted))
    assert "NO_PUBKEY" in told or "not signed" in told, told
    assert "1.2.0" not in site.apt("apt-cache", "policy", "comfywear")


def test_it_can_be_good_for_some_days_alone(site: Site) -> None:
    assert site.make("--days", "3", site.package("1.2.0")).returncode == 0
    release = (site.repository / "dists/stable/Release").read_text()
    dates = dict(line.split(": ", 1) for line in release.splitlines() if line.startswith(("Date: ", "Valid-Until: ")))
    begun, ended = (parsedate_to_datetime(dates[name]) for name in ("Date", "Valid-Until"))
    assert (ended - begun).days == 3
    assert "E: " not in site.apt("apt-get", "update")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nothing", "no package is there yet"),
        ("another", "is no package of comfywear"),
        ("changed", "is there already with another content"),
        ("no key", "there is no secret key nobody"),
        ("bad suite", "--suite needs small letters"),
        ("bad days", "--days needs a number"),
    ],
)
def test_what_cannot_be_published_is_refused_in_words(site: Site, what: str, said: str) -> None:
    if what == "changed":
        assert site.make(site.package("1.2.0")).returncode == 0
    words: dict[str, list[object]] = {
        "another": [site.package("1.0", name="other")],
        "changed": [site.package("1.2.0", more=" changed")],
        "bad suite": ["--suite", "../x"],
        "bad days": ["--days", "soon"],
    }
    result = site.make(*words.get(what, []), key="nobody" if what == "no key" else "maker")
    assert result.returncode == 1
    assert said in result.stderr.splitlines()[-1]
