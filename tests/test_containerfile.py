"""The container: what its recipe names is there, and the image that it makes is a device that runs as nobody's root."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import httpx
import pytest

from comfywear.cli import main
from ports import free_port
from waiting import until

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BASE = "debian:bookworm-slim"
PASSWORD = "a long password"


@cache
def steps() -> tuple[tuple[str, str], ...]:
    """The instructions of the Containerfile and what each says, lines joined."""
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / "Containerfile").read_text(encoding="utf-8")).replace("\\\n", " ")
    return tuple((line.split()[0], line.split(maxsplit=1)[1].strip()) for line in text.splitlines() if line.strip())


def said(instruction: str) -> list[str]:
    return [text for name, text in steps() if name == instruction]


def copied() -> set[str]:
    """What is copied from the checkout."""
    words = [text.split() for text in said("COPY") if not text.startswith("--from")]
    return {source for each in words for source in each[:-1]}


def test_what_is_copied_is_there_and_is_all_that_the_build_sees() -> None:
    assert [name for name in sorted(copied()) if not (ROOT / name).exists()] == []
    lines = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == copied()


def test_the_wheel_that_is_built_in_it_finds_all_its_parts() -> None:
    parts = {package.split("/")[0] for package in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    parts |= {PROJECT["project"]["readme"], *PROJECT["project"]["license-files"], "pyproject.toml", "constraints.txt"}
    assert parts <= copied()


def test_bases_are_named_without_a_registry_and_extras_are_the_project_s() -> None:
    assert {text.split()[0] for text in said("FROM")} == {BASE}
    (extras,) = (text.split("=")[1] for text in said("ARG"))
    assert set(shlex.split(extras)[0].split()) <= set(PROJECT["project"]["optional-dependencies"])


def test_it_runs_as_a_user_of_its_own_that_owns_the_volume() -> None:
    last = [name for name, _ in steps()]
    assert last.index("USER") > len(last) - 1 - last[::-1].index("FROM"), "the stage that runs has its user"
    (user,), (volume,) = said("USER"), said("VOLUME")
    assert user not in ("root", "0")
    made = said("RUN")[-1]
    assert re.search(rf"useradd .*\b{user}\b", made)
    assert f"--owner {user}" in made
    assert volume in made
    assert f"STATE_DIRECTORY={volume} " in said("ENV")[0]


@pytest.mark.parametrize("instruction", ["CMD", "HEALTHCHECK"])
def test_its_commands_are_comfywear_s(instruction: str, capsys: pytest.CaptureFixture[str]) -> None:
    entry = json.loads(said("ENTRYPOINT")[0])
    assert entry[0] in PROJECT["project"]["scripts"]
    words = json.loads(said(instruction)[-1][said(instruction)[-1].index("[") :])
    if instruction == "HEALTHCHECK":
        assert words.pop(0) == entry[0]
    known = [word for word in words if not re.fullmatch(r"[\d.]+", word)]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    usage = capsys.readouterr().out
    assert all(word in usage for word in known)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="scripts/pins needs Python 3.11, as the container has")
def test_an_extra_that_is_none_is_refused_before_anything_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/pins", "tflight"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert "no extra tflight; it has tflite, modbus" in done.stderr
    assert not done.stdout


# What follows builds the image with buildah, which needs no daemon, and runs it in a chroot. The base comes from Debian
# rather than a registry: its smallest system, made here under that name.


def needed() -> str:
    """Why the image cannot be built here; "" when it can."""
    missing = [tool for tool in ("buildah", "mmdebstrap") if shutil.which(tool) is None]
    if missing:
        return f"needs {' and '.join(missing)} (Debian: apt install {' '.join(missing)})"
    return "" if os.geteuid() == 0 else "needs root, for a Debian system with its owners"


class Buildah:
    """buildah with images in a folder of its own.

    Args:
        folder: Where images and containers are kept; `close` removes what is in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        settings = folder / "storage.conf"
        settings.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/images"\nrunroot = "{folder}/run"\n')
        self.environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(settings)}

    def __call__(self, *words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["buildah", *map(str, words)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=1500)
        assert not check or done.returncode == 0, f"{command}: {(done.stdout + done.stderr)[-3000:]}"
        return done

    def make_base(self) -> None:
        """Debian's smallest system under the base's name. It trusts for pip whom this machine trusts."""
        tree = self._folder / "base.tar"
        command = ["mmdebstrap", "--quiet", "--variant=minbase"]
        if (certificates := Path("/etc/ssl/certs/ca-certificates.crt")).exists():
            command.append(f"--customize-hook=upload {certificates} /etc/pip.pem")
            command.append('--customize-hook=printf "[global]\\ncert = /etc/pip.pem\\n" >"$1/etc/pip.conf"')
        subprocess.run([*command, "bookworm", str(tree)], check=True, capture_output=True, timeout=600)
        base = self("from", "scratch").stdout.strip()
        self("add", "--quiet", base, tree, "/")
        self("commit", "--quiet", "--rm", base, f"docker.io/library/{BASE}")
        tree.unlink()

    def close(self) -> None:
        self("rm", "--all", check=False)
        self("rmi", "--all", "--force", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)


class Image:
    """The image, with a volume for its state folder."""

    def __init__(self, buildah: Buildah, volume: Path) -> None:
        self._buildah, self.volume = buildah, volume
        told = json.loads(buildah("inspect", "--type", "image", "comfywear").stdout)["Docker"]["config"]
        self.entry, self.words, self.health = told["Entrypoint"], told["Cmd"], told["Healthcheck"]["Test"][1:]
        self.user = told["User"]
        self._container = buildah("from", "--pull-never", "comfywear").stdout.strip()

    def command(self, *words: str, mounts: Sequence[str] = ()) -> list[str]:
        volumes = [f"--volume={each}" for each in (f"{self.volume}:/var/lib/comfywear", *mounts)]
        return ["run", "--isolation", "chroot", *volumes, self._container, "--", *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._buildah(*self.command(*words), check=False)

    @contextmanager
    def running(self, log: Path, port: int, *words: str, mounts: Sequence[str] = ()) -> Iterator[int]:
        """What the image starts by itself, at another port, or with other words; yields its process."""
        words = words or tuple(f"{word}:{port}" if word == "0.0.0.0" else word for word in self.words)
        command = ["buildah", *self.command(*self.entry, *words, mounts=mounts)]
        with log.open("a") as out:
            process = subprocess.Popen(command, env=self._buildah.environment, stdout=out, stderr=out)
        try:
            until(lambda: answers(port) or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            inside = self._inside(words[-1])
            yield inside
            os.kill(inside, signal.SIGTERM)
            assert process.wait(90) == 0, log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(30)

    @staticmethod
    def _inside(word: str) -> int:
        """The device itself, among its parents, which begin otherwise."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"/opt/comfywear/bin/" in words[0] and word.encode() in words:
                return int(folder.name)
        raise AssertionError(f"no device was started with {word}")


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/words/en.json", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if reason := needed():
        pytest.skip(reason)
    buildah = Buildah(tmp_path_factory.mktemp("buildah"))
    try:
        buildah.make_base()
        buildah("bud", "--isolation", "chroot", "--pull-never", "--format", "docker", "-t", "comfywear", ROOT)
        volume = tmp_path_factory.mktemp("volume")
        shutil.chown(volume, 990, 990)
        for folder in volume.parents[:3]:  # pytest's own folders are for their owner alone
            if folder.name.startswith("pytest"):
                folder.chmod(0o711)
        yield Image(buildah, volume)
    finally:
        buildah.close()


@pytest.mark.slow
def test_the_image_has_the_device_s_packages_alone_each_as_it_is_pinned(image: Image) -> None:
    code = "import importlib.metadata as m; [print(d.name, d.version) for d in m.distributions()]"
    found = dict(line.split() for line in image.run("/opt/comfywear/bin/python", "-c", code).stdout.splitlines())
    assert found.pop("comfywear") == PROJECT["project"]["version"]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    names = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found.items()}
    assert [f"{name}=={each}" for name, each in names.items() if f"\n{name}=={each} " not in f"\n{pins}"] == []
    assert {"onnxruntime", "ai-edge-litert", "pymodbus"} <= set(names)
    assert not {"pip", "pytest", "scipy", "torch", "hatchling"} & set(names)


@pytest.mark.slow
def test_its_doctor_finds_this_machine_fit(image: Image) -> None:
    done = image.run("comfywear", "doctor")
    assert done.returncode == 0, done.stdout
    assert "engine onnxruntime" in done.stdout
    assert "engine litert" in done.stdout
    assert "0 faults" in done.stdout


@pytest.mark.slow
def test_it_is_set_up_by_its_page_runs_as_its_user_and_keeps_everything_over_a_restart(
    image: Image, tmp_path: Path
) -> None:
    log, port = tmp_path / "said", free_port()
    url = f"http://127.0.0.1:{port}"
    signed_in = {"Authorization": f"Bearer {PASSWORD}"}

    def in_its_own_words(*words: str) -> Callable[[], bool]:
        return lambda: image.run(*words).returncode == 0

    with image.running(log, port) as device:
        assert image.run(*image.health).returncode == 1, "nothing to be healthy yet"
        found = re.search(r"with the code ([A-Z2-9]{12}) ", log.read_text())
        assert found
        with httpx.Client(base_url=url, timeout=60, headers={"Origin": url}) as phone:
            assert phone.post("/login", data={"token": found[1]}).status_code == 303
            draft = phone.get("/api/setup").json()["values"]
            draft |= {"device": {"site": "office", "id": "box"}, "sensors": [{"uri": "fake://"}]}
            draft |= {"zones": [{"name": "desk"}]}
            secret = {"path": ["web", "token_file"], "text": PASSWORD}
            kept = phone.post("/api/setup/draft", json={"step": "done", "values": draft, "secrets": [secret]})
            assert kept.status_code == 200, kept.text
            done = phone.post("/api/setup/finish", json={})
            assert done.status_code == 200, done.text
        until(in_its_own_words(*image.health))
        owners = re.findall(r"(?m)^[UG]id:\s+(.*)$", Path(f"/proc/{device}/status").read_text())
        assert owners == ["990\t990\t990\t990"] * 2
        assert image.user == "comfywear"
        assert image.run("touch", "/opt/comfywear/changed").returncode == 1
        assert httpx.get(f"{url}/metrics", headers=signed_in, timeout=60).status_code == 200
        voted = image.run("comfywear", "vote", "4", "--zone", "desk")
        assert voted.returncode == 0, voted.stdout + voted.stderr
        checked = image.run("comfywear", "doctor", "--config", "/var/lib/comfywear/device.toml")
        assert checked.returncode == 0, checked.stdout
    settings = (image.volume / "device.toml").read_text()
    assert 'id = "box"' in settings
    assert PASSWORD not in log.read_text()
    with image.running(log, port):
        until(in_its_own_words(*image.health))
        assert (image.volume / "device.toml").read_text() == settings
        votes = image.run("comfywear", "votes", "export")
        assert votes.stdout.count("desk") == 1, votes.stdout + votes.stderr
    assert {path.stat().st_uid for path in image.volume.rglob("*")} == {990}


@pytest.mark.slow
def test_settings_that_are_mounted_are_used_as_they_are_and_stay_so(image: Image, tmp_path: Path) -> None:
    port, inside = free_port(), "/etc/comfywear/device.toml"
    mine = tmp_path / "device.toml"
    text = f"# mine\n[device]\nsite = 'shed'\n[[zones]]\nname = 'bench'\n[web]\nenabled = true\nport = {port}\n"
    mine.write_text(text)
    with image.running(tmp_path / "said", port, "run", "--config", inside, mounts=[f"{mine}:{inside}:ro"]):
        until(lambda: image.run(*image.health).returncode == 0)
        form = httpx.get(f"http://127.0.0.1:{port}/api/settings/form", timeout=60).json()
        assert form["values"]["device"]["site"] == "shed"
        assert form["barred"]
    assert mine.read_text() == text
