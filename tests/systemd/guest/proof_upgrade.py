"""The program is upgraded from a signed repository; what is no good goes again, what is not signed never comes."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from machine import GuestError
from proof_report import Report
from scene import PATIENCE_S, Scene

ROOT = Path(__file__).resolve().parents[3]
SITE = "opt/comfywear/lib/python3.11/site-packages/comfywear"
# What is wrong with a version: it ends at once; it runs and is never heard; its script fails in the middle.
DEAD = 'raise SystemExit("this version is broken")\n'
MUTE = """
_of_the_settings = broker_settings


def broker_settings(mqtt):
    import dataclasses

    return dataclasses.replace(_of_the_settings(mqtt), port=9)
"""
HASTE = "[Service]\nEnvironment=MINUTES=3 HOLD_S=20\n"


class Repository:
    """A signed repository on this machine's loopback address, made by scripts/apt-repository."""

    def __init__(self, folder: Path, package: Path, host: str) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._keys, self.folder, self._package = folder / "keys", folder / "www", package
        self._keys.mkdir(parents=True, mode=0o700)
        self._environ = {**os.environ, "GNUPGHOME": str(self._keys)}
        subprocess.run(
            ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "proof", "ed25519", "sign", "never"],
            env=self._environ, check=True, capture_output=True,
        )  # fmt: skip
        handler = partial(_Quiet, directory=str(self.folder))
        self.folder.mkdir()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://{host}:{self._server.server_port}"

    def publish(self, *packages: Path) -> None:
        """Add packages and sign."""
        command = [ROOT / "scripts/apt-repository", self.folder, "--key", "proof", *packages]
        subprocess.run(command, env=self._environ, check=True, capture_output=True)

    def version(self, version: str, spoil: str = "", file: str = "") -> Path:
        """The package with another version, and with `spoil` at the end (or as the whole) of a file."""
        work = self.folder.parent / "work"
        shutil.rmtree(work, ignore_errors=True)
        subprocess.run(["dpkg-deb", "-R", self._package, work], check=True)
        control = work / "DEBIAN/control"
        lines = control.read_text().splitlines(keepends=True)
        control.write_text("".join(f"Version: {version}\n" if each.startswith("Version: ") else each for each in lines))
        if file:
            target = work / file
            target.write_text(spoil if spoil == DEAD else target.read_text() + spoil)
        made = self.folder.parent / f"comfywear_{version}_amd64.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z1", "-b", work, made], check=True, capture_output=True
        )
        shutil.rmtree(work)
        return made

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def prove(scene: Scene, report: Report, folder: Path) -> None:
    """After the install, whose version is the first."""
    report.say("Upgrade of the program")
    repository = Repository(folder, scene.package, scene.guest.broker_host)
    try:
        first = scene.guest.check("dpkg-query -W -f '${Version}' comfywear")
        checks: list[tuple[str, Callable[[Scene, Repository], str]]] = [
            ("a signed repository is a source of apt", partial(_source, first=first)),
            ("a good version: comfywear upgrade takes it over", _good),
            ("the newest runs: nothing happens", _newest),
            ("a version that does not start: the one before comes back", _dead),
            ("it is not taken again", _refused),
            ("a version that is ready and never heard: the one before comes back", _mute),
            ("what somebody else put there without the key is never installed", _unsigned),
            ("power is cut while a good version is judged: the judgement goes on at the next start", _cut),
            (
                "apt itself installs a version that does not start (as unattended-upgrades does): it goes again",
                _by_apt,
            ),
        ]
        for name, check in checks:
            report.check(name, lambda check=check: check(scene, repository))
    finally:
        repository.close()


def _source(scene: Scene, repository: Repository, first: str) -> str:
    repository.publish(repository.version(first))
    key, url = "/usr/share/keyrings/comfywear-archive-keyring.gpg", repository.url
    fetch = f"python3 -c \"import urllib.request as u; u.urlretrieve('{url}/comfywear-archive-keyring.gpg', '{key}')\""
    scene.guest.check(
        "mkdir -p /etc/apt/disabled; mv /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/disabled 2>/dev/null; "
        f"mkdir -p /usr/share/keyrings /etc/systemd/system/comfywear-upgrade@.service.d && {fetch} && "
        f"echo 'deb [signed-by={key}] {url} stable main' > /etc/apt/sources.list.d/comfywear.list && "
        f"printf {HASTE!r} > /etc/systemd/system/comfywear-upgrade@.service.d/haste.conf && "
        "systemctl daemon-reload && apt-get update 2>&1",
        300,
    )
    kept = "ls /var/lib/comfywear-upgrade/packages"
    scene.guest.wait("the package that runs is kept", lambda: scene.guest.run(kept).rc == 0, PATIENCE_S)
    return f"apt knows it, and keeps {scene.guest.check(kept)} as a way back"


def _upgrade(scene: Scene, code: int) -> tuple[str, float]:
    began_s = time.monotonic()
    done = scene.guest.run("comfywear upgrade 2>&1", 1500)
    took_s = time.monotonic() - began_s
    last = done.out.strip().splitlines()[-1] if done.out.strip() else ""
    if done.rc != code:
        journal = scene.guest.run("journalctl -u 'comfywear-upgrade@*' -o cat --no-pager | tail -20").out
        raise GuestError(f"exit status {done.rc}: {done.out[-800:]}\n{journal}")
    return last, took_s


def _wait_settled(scene: Scene) -> None:
    trial = "test -e /var/lib/comfywear-upgrade/trial.json"
    scene.guest.wait("it is settled", lambda: scene.guest.run(trial).rc, 900, 3.0)


def _version(scene: Scene) -> str:
    scene.wait_active()
    return scene.guest.check("dpkg-query -W -f '${Version} ${Status}' comfywear")


def _good(scene: Scene, repository: Repository) -> str:
    repository.publish(repository.version("0.2.0"))
    scene.vote(4, "desk")
    votes, since_s = len(scene.stored()), time.monotonic()
    said, took_s = _upgrade(scene, 0)
    heard = scene.next("status", since_s, state="online")
    assert _version(scene) == "0.2.0 install ok installed", _version(scene)
    assert len(scene.stored()) == votes, "votes are gone"
    return f"“{said}” after {took_s:.0f} s, “online” after {heard.at_s - since_s:.0f} s; {votes} votes kept"


def _newest(scene: Scene, repository: Repository) -> str:
    return f"“{_upgrade(scene, 0)[0]}”"


def _dead(scene: Scene, repository: Repository) -> str:
    repository.publish(repository.version("0.3.0", DEAD, f"{SITE}/cli.py"))
    since_s = time.monotonic()
    said, took_s = _upgrade(scene, 1)
    assert _version(scene) == "0.2.0 install ok installed", _version(scene)
    scene.next("status", since_s, state="online")
    return f"“{said}” after {took_s:.0f} s"


def _refused(scene: Scene, repository: Repository) -> str:
    said, _ = _upgrade(scene, 0)
    assert _version(scene).startswith("0.2.0 ")
    return f"“{said}”; {scene.guest.check('grep Pin: /etc/apt/preferences.d/comfywear-refused')}"


def _mute(scene: Scene, repository: Repository) -> str:
    repository.publish(repository.version("0.4.0", MUTE, f"{SITE}/device/mqtt/mqtt_worker.py"))
    since_s = time.monotonic()
    said, took_s = _upgrade(scene, 1)
    assert _version(scene).startswith("0.2.0 ")
    scene.next("status", since_s, state="online")
    return f"“{said}” after {took_s:.0f} s"


def _unsigned(scene: Scene, repository: Repository) -> str:
    index = repository.folder / "dists/stable/main/binary-amd64/Packages"
    whole = {path: path.read_bytes() for path in (index, index.with_suffix(".gz"), *index.parents[2].glob("*Release*"))}
    try:
        other = repository.version("0.9.0")
        shutil.copy(other, repository.folder / "pool/main/c/comfywear/")
        scanned = subprocess.run(
            ["apt-ftparchive", "packages", "pool"], cwd=repository.folder, check=True, capture_output=True
        )
        index.write_bytes(scanned.stdout)
        index.with_suffix(".gz").unlink()
        release = subprocess.run(
            ["apt-ftparchive", "release", "."], cwd=index.parents[2], check=True, capture_output=True
        )
        (index.parents[2] / "Release").write_bytes(release.stdout)
        (index.parents[2] / "InRelease").unlink()  # the old signature is beside another Release
        told = scene.guest.run("apt-get update 2>&1", 300).out
        assert "signature" in told or "GPG" in told or "signed" in told, told[-600:]
        _upgrade(scene, 0)
        assert _version(scene).startswith("0.2.0 ")
    finally:
        for path, content in whole.items():
            path.write_bytes(content)
        (repository.folder / "pool/main/c/comfywear" / other.name).unlink()
    line = next(line for line in told.splitlines() if "signature" in line or "signed" in line or "GPG" in line)
    return f"“{line.strip()[:160]}”"


def _by_apt(scene: Scene, repository: Repository) -> str:
    before = _version(scene).split()[0]
    repository.publish(repository.version("0.7.0", DEAD, f"{SITE}/cli.py"))
    scene.guest.check("apt-get update 2>&1", 300)
    began_s = time.monotonic()
    scene.guest.check("DEBIAN_FRONTEND=noninteractive apt-get -y upgrade 2>&1", 900)
    back = "dpkg-query -W -f '${Version}' comfywear"
    scene.guest.wait("it is there again", lambda: scene.guest.run(back).out.strip() == before, 900, 3.0)
    _wait_settled(scene)
    assert _version(scene).startswith(f"{before} install ok")
    return f"back after {time.monotonic() - began_s:.0f} s"


def _cut(scene: Scene, repository: Repository) -> str:
    repository.publish(repository.version("0.6.0"))
    scene.guest.check("systemctl start --no-block comfywear-upgrade@run.service")
    judging = "grep -c '\"judging\"' /var/lib/comfywear-upgrade/state.json"
    scene.guest.wait("it is judged", lambda: scene.guest.run(judging).rc == 0, 1200, 1.0)
    scene.guest.cut_power()
    scene.guest.power_on()
    scene.guest.wait_boot()
    _wait_settled(scene)
    assert _version(scene) == "0.6.0 install ok installed", _version(scene)
    outcome = scene.guest.check("grep outcome /var/lib/comfywear-upgrade/state.json").strip()
    assert "upgraded" in outcome, outcome
    return f"{_version(scene)}; {outcome}; {scene.sound()}"
