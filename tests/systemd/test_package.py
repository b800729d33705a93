"""The Debian package: built from this checkout, then installed, upgraded, removed and purged by dpkg in a root."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACED = (
    "opt/comfywear/bin/comfywear",
    "opt/comfywear/bin/python3",
    "usr/bin/comfywear",
    "usr/lib/systemd/system/comfywear.service",
    "usr/lib/sysusers.d/comfywear.conf",
    "usr/lib/tmpfiles.d/comfywear.conf",
    "usr/lib/udev/rules.d/60-comfywear.rules",
    "usr/share/doc/comfywear/copyright",
    "usr/share/comfywear/device.toml",
)
SETTINGS = "etc/comfywear/device.toml"
# Scripts run from here and are told of the other root; who owns files and what else is installed is not the question.
CHROOTLESS = ("--force-script-chrootless", "--force-depends", "--force-not-root", "--force-architecture")

pytestmark = pytest.mark.skipif(
    shutil.which("dpkg-deb") is None or shutil.which("deb-systemd-helper") is None, reason="needs Debian's dpkg"
)


class Builder:
    """A checkout to build packages from; a few files stand for the Python packages."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "checkout"
        self.output = folder / "dist"
        for name in ("scripts", "systemd"):
            shutil.copytree(ROOT / name, self.source / name)
        for name in ("pyproject.toml", "constraints.txt", "THIRD_PARTY.md"):
            shutil.copy(ROOT / name, self.source / name)
        self.site = folder / "site"
        info = self.site / "comfywear-0.dist-info"
        info.mkdir(parents=True)
        (info / "entry_points.txt").write_text("[console_scripts]\ncomfywear = comfywear.cli:main\n")
        (self.site / "comfywear" / "tests").mkdir(parents=True)
        (self.site / "comfywear" / "cli.py").write_text("print('hello')\n")

    def set_version(self, version: str) -> None:
        project = self.source / "pyproject.toml"
        text = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', project.read_text())
        if text != project.read_text():  # its age becomes the age of everything in the package
            project.write_text(text)

    def build(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.source / "scripts/package"), "--site", str(self.site), "--output", str(self.output), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def package(self, version: str, *words: str) -> Path:
        self.set_version(version)
        result = self.build("--arch", "arm64", *words)
        assert result.returncode == 0, result.stderr
        found: Path = max(self.output.glob("*.deb"), key=lambda path: path.stat().st_mtime_ns)
        return found


class Debian:
    """A root to install into."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (self.root / "var/lib/dpkg/info").mkdir(parents=True)
        (self.root / "var/lib/dpkg/updates").mkdir()
        for name in ("status", "available"):
            (self.root / "var/lib/dpkg" / name).touch()

    def dpkg(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["dpkg", f"--root={self.root}", f"--log={self.root}/dpkg.log", *CHROOTLESS, *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL
        )

    def has(self, name: str) -> bool:
        return os.path.lexists(self.root / name)


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(tmp_path_factory.mktemp("builder"))


@pytest.fixture(scope="module")
def old(builder: Builder) -> str:
    return str(builder.package("1.2.3"))


@pytest.fixture(scope="module")
def new(builder: Builder, old: str) -> str:
    """A later version, with a module and an example that the older one does not have."""
    (builder.source / "systemd/device.toml").write_text("# a newer example\n")
    (builder.site / "comfywear" / "new.py").write_text("# a newer module\n")
    return str(builder.package("1.10.0"))


@pytest.fixture
def debian(tmp_path: Path) -> Debian:
    return Debian(tmp_path / "root")


def control(deb: str) -> dict[str, str]:
    text = subprocess.run(["dpkg-deb", "-f", deb], capture_output=True, text=True, check=True, timeout=60).stdout
    return dict(re.findall(r"(?m)^(\S+): ((?:.*)(?:\n .*)*)", text))


def test_the_package_says_what_it_is_and_what_it_needs(old: str) -> None:
    assert Path(old).name == "comfywear_1.2.3_arm64.deb"
    fields = control(old)
    assert fields["Architecture"] == "arm64"
    needs = {need.strip() for need in re.split(r",\s*", fields["Depends"])}
    assert {"python3 (>= 3.11)", "python3 (<< 3.12)", "libc6 (>= 2.36)"} <= needs
    assert int(fields["Installed-Size"]) > 0
    listed = subprocess.run(["dpkg-deb", "-c", old], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "/comfywear/cli.py" in listed
    assert "/tests/" not in listed
    assert all(line.split()[1] == "root/root" for line in listed.splitlines())


def test_for_another_python_it_says_so_and_the_same_sources_give_the_same_package(builder: Builder, new: str) -> None:
    """After `new`, whose sources those are."""
    first = builder.package("1.10.0", "--python", "3.10")
    fields = control(str(first))
    assert fields["Version"] == "1.10.0+py3.10"
    assert {"python3 (>= 3.10)", "python3 (<< 3.11)"} <= set(re.split(r",\s*", fields["Depends"]))
    content = first.read_bytes()
    assert builder.package("1.10.0", "--python", "3.10").read_bytes() == content


def test_installed_twice_it_places_everything_and_is_enabled(debian: Debian, old: str) -> None:
    for _ in range(2):
        result = debian.dpkg("--install", old)
        assert result.returncode == 0, result.stderr
        assert "set it up at http://" in result.stdout
        assert not debian.has(SETTINGS)
        assert [name for name in PLACED if not debian.has(name)] == []
        wanted = debian.root / "etc/systemd/system/multi-user.target.wants"
        assert [each.name for each in wanted.iterdir()] == ["comfywear.service"], "the kiosk is off"
    groups = (debian.root / "etc/group").read_text()
    assert all(re.search(rf"(?m)^{name}:", groups) for name in ("video", "dialout", "i2c", "gpio", "input"))
    unit = (debian.root / "usr/lib/systemd/system/comfywear.service").read_text()
    program = re.search(r"(?m)^ExecStart=/(\S+)", unit)
    assert program
    assert os.access(debian.root / program[1], os.X_OK), "what the unit starts is in the package"


def test_upgrade_and_downgrade_keep_settings_data_and_a_disabled_service_without_a_question(
    debian: Debian, old: str, new: str
) -> None:
    assert debian.dpkg("--install", old).returncode == 0
    settings, votes = debian.root / SETTINGS, debian.root / "var/lib/comfywear/votes.sqlite"
    settings.write_text("# mine\n")
    votes.parent.mkdir(parents=True)
    votes.write_text("votes")
    wanted = debian.root / "etc/systemd/system/multi-user.target.wants/comfywear.service"
    wanted.unlink()
    left_behind = debian.root / "opt/comfywear/lib/python3.11/site-packages/comfywear/__pycache__"
    left_behind.mkdir()
    (left_behind / "cli.cpython-311.pyc").write_text("byte code of the older version")
    module = "opt/comfywear/lib/python3.11/site-packages/comfywear/new.py"
    for deb, there in ((new, True), (old, False)):
        result = debian.dpkg("--install", deb)
        assert result.returncode == 0, result.stderr
        assert debian.has(module) is there
        assert settings.read_text() == "# mine\n"
        assert votes.read_text() == "votes"
        assert not os.path.lexists(wanted)
        assert not left_behind.exists()


def test_removing_keeps_settings_and_data_and_purging_takes_them(debian: Debian, old: str) -> None:
    assert debian.dpkg("--install", old).returncode == 0
    votes = debian.root / "var/lib/private/comfywear/votes.sqlite"
    votes.parent.mkdir(parents=True)
    votes.write_text("votes")
    (debian.root / SETTINGS).write_text("# mine\n")
    result = debian.dpkg("--remove", "comfywear")
    assert result.returncode == 0, result.stderr
    assert "settings stay" in result.stdout
    assert [name for name in PLACED if debian.has(name)] == []
    assert debian.has(SETTINGS)
    assert votes.exists()
    assert debian.dpkg("--install", old).returncode == 0
    assert votes.exists()
    result = debian.dpkg("--purge", "comfywear")
    assert result.returncode == 0, result.stderr
    assert not debian.has(SETTINGS)
    assert not votes.exists()
    assert not debian.has("opt/comfywear")
    assert not debian.has("etc/systemd/system/multi-user.target.wants/comfywear.service")


def test_beside_the_installer_s_own_copy_it_is_refused_before_a_file_changes(debian: Debian, old: str) -> None:
    (debian.root / "opt/comfywear-1-abc").mkdir(parents=True)
    (debian.root / "opt/comfywear").symlink_to("comfywear-1-abc")
    result = debian.dpkg("--install", old)
    assert result.returncode != 0
    assert "install.sh --uninstall" in result.stderr
    assert list((debian.root / "opt/comfywear-1-abc").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--arch", "armhf"], "64-bit"),
        (["--arch", "riscv64"], "--arch arm64"),
        (["--arch", "arm64", "--python", "3.9"], "3.10"),
        (["--arch"], "needs a word"),
        (["--frobnicate"], "unknown"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_sentence(builder: Builder, words: list[str], said: str) -> None:
    before = list(builder.output.glob("*"))
    result = builder.build(*words)
    assert result.returncode == 1
    assert said in result.stderr.splitlines()[-1]
    assert list(builder.output.glob("*")) == before


# What each system of the documentation has, and what of its packages must be there.
RUNTIME = {"numpy", "onnxruntime", "opencv-python-headless", "paho-mqtt", "pyserial", "lap", "msgspec", "starlette"}
EXTRAS = {"ai-edge-litert", "pymodbus", "bacpypes3", "smbus2", "gpiozero"}
HEAVY = {"torch", "scipy", "scikit-learn", "numba", "pandas", "matplotlib", "pytest", "mypy", "ruff"}


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["arm64", "amd64"])
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_every_system_gets_all_its_packages_as_wheels_that_are_pinned(python: str, arch: str) -> None:
    """By resolution, over the network: JetPack 6 has Python 3.10, Debian 13 has 3.13."""
    command = [str(ROOT / "scripts/package"), "--resolve", "--python", python, "--arch", arch]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert result.returncode == 0, result.stderr
    found = dict(re.findall(r"(?m)^  (\S+)==(\S+)", result.stdout))
    print(python, arch, found)
    assert found.keys() >= RUNTIME | EXTRAS
    assert not found.keys() & HEAVY
    pins = (ROOT / "constraints.txt").read_text()
    assert [name for name, version in found.items() if not re.search(rf"(?m)^{name}=={version}\b", pins)] == []
    assert found.keys() & {"lgpio", "adafruit-lgpio"} or (python, arch) == ("3.13", "amd64"), "GPIO, where built at all"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/usr/bin/python3.11").exists(), reason="needs Debian 12's Python")
def test_what_is_in_the_package_runs_where_it_lies(tmp_path: Path) -> None:
    """The packages themselves, over the network; a minute or two."""
    command = [str(ROOT / "scripts/package"), "--output", str(tmp_path)]
    subprocess.run(command, check=True, timeout=1500)
    (deb,) = tmp_path.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", str(deb), str(tmp_path / "root")], check=True, timeout=300)
    site = tmp_path / "root/opt/comfywear/lib/python3.11/site-packages"
    there = {each.name.split("-")[0] for each in site.glob("*.dist-info")}
    assert not there & {"torch", "scipy", "pytest", "mypy", "ruff"}
    assert not (site / "comfywear_export").exists()
    assert [each for each in site.rglob("*") if each.name in ("tests", "__pycache__", "direct_url.json")] == []
    told = [str(tmp_path / "root/opt/comfywear/bin/python3"), "-m", "comfywear.cli", "doctor", "--json"]
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    result = subprocess.run(told, capture_output=True, text=True, check=False, timeout=900, env=environ)
    print(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
    good = {each["what"] for each in json.loads(result.stdout)["findings"] if each["state"] == "good"}
    assert {"engine onnxruntime", "engine litert", "models"} <= good
