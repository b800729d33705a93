"""The installer into a folder that stands for a system: what it puts there, what it leaves, what it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from comfywear import settings as settings_file

ROOT = Path(__file__).resolve().parents[2]
PLACED = (
    "etc/systemd/system/comfywear.service",
    "etc/sysusers.d/comfywear.conf",
    "etc/tmpfiles.d/comfywear.conf",
    "etc/udev/rules.d/60-comfywear.rules",
)
SETTINGS = "etc/comfywear/device.toml"
# Stands for Python where the packages themselves are not the question: it makes a folder and fetches nothing.
QUICK_PYTHON = """#!/bin/sh
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip "*) [ -z "$BROKEN" ] && echo "$*" > "$(dirname "$0")/comfywear" ;;
esac
"""


class System:
    """A folder to install into, and a checkout to install from."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.source = folder / "checkout"
        self.root.mkdir()
        python = folder / "python"
        python.write_text(QUICK_PYTHON)
        python.chmod(0o755)
        self.environ = {**os.environ, "PYTHON": str(python)}
        for name in ("systemd", "runtime", "sensors"):
            shutil.copytree(ROOT / name, self.source / name, ignore=shutil.ignore_patterns("__pycache__"))
        (self.source / "models").mkdir()
        for name in ("pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.source / name)

    def install(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.source / "systemd" / "install.sh"), "--root", str(self.root), *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=900, env={**self.environ, **environ}
        )

    def settings(self) -> Path:
        """Settings that somebody wrote."""
        settings = self.root / SETTINGS
        settings.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.source / "systemd" / "device.toml", settings)
        return settings

    def files(self) -> set[str]:
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_it_places_program_unit_groups_and_rules_and_leaves_the_settings_to_the_page(system: System) -> None:
    result = system.install()
    assert result.returncode == 0, result.stderr
    assert set(PLACED) <= system.files()
    link = system.root / "opt" / "comfywear"
    assert link.is_symlink()
    assert (link / "bin" / "comfywear").exists()
    pins = (link / "constraints.txt").read_text()
    assert "numpy==" in pins
    assert "sha256" not in pins
    assert SETTINGS not in system.files()
    assert "set it up at http://" in result.stdout
    assert "doctor --config" in result.stdout
    assert settings_file.load(system.source / "systemd" / "device.toml").zones[0].name == "room"


def test_again_changes_nothing_and_an_upgrade_keeps_settings_and_the_version_before(system: System) -> None:
    assert system.install().returncode == 0
    settings = system.settings()
    settings.write_text("[device]\nsite = 'mine'\n")
    before, first = system.files(), str((system.root / "opt" / "comfywear").readlink())
    assert system.install().returncode == 0
    assert system.files() == before
    (system.source / "runtime" / "comfywear" / "new.py").write_text("# a newer version\n")
    result = system.install()
    assert "stays as it is" in result.stdout
    assert settings.read_text() == "[device]\nsite = 'mine'\n"
    second = str((system.root / "opt" / "comfywear").readlink())
    assert first != second
    assert (system.root / "opt" / first).is_dir()
    (system.source / "runtime" / "comfywear" / "new.py").write_text("# newer still\n")
    assert system.install().returncode == 0
    assert not (system.root / "opt" / first).exists(), "of old versions one stays"
    assert (system.root / "opt" / second).is_dir()


def test_what_cannot_be_fetched_leaves_the_version_that_runs(system: System) -> None:
    assert system.install().returncode == 0
    first = str((system.root / "opt" / "comfywear").readlink())
    (system.source / "runtime" / "comfywear" / "new.py").write_text("# a newer version\n")
    assert system.install(BROKEN="1").returncode != 0
    assert str((system.root / "opt" / "comfywear").readlink()) == first
    assert (system.root / "opt" / first / "bin" / "comfywear").exists()
    assert system.install().returncode == 0, "and the next try succeeds"


def test_a_dry_run_changes_nothing_and_names_every_file(system: System) -> None:
    result = system.install("--dry-run")
    assert result.returncode == 0
    assert system.files() == set()
    for name in PLACED:
        assert f"{system.root}/{name}" in result.stdout


def test_removing_keeps_settings_and_data_unless_told(system: System) -> None:
    assert system.install().returncode == 0
    system.settings()
    votes = system.root / "var/lib/comfywear/votes.sqlite"
    votes.parent.mkdir(parents=True)
    votes.write_text("votes")
    assert system.install("--uninstall").returncode == 0
    assert system.files() == {SETTINGS, "var/lib/comfywear/votes.sqlite"}
    assert system.install().returncode == 0
    assert system.install("--uninstall", "--purge").returncode == 0
    assert system.files() == set()


def test_kiosk_and_jetson_are_there_only_where_wanted_and_then_stay(system: System) -> None:
    kiosk = "etc/systemd/system/comfywear-kiosk.service"
    jetson = "etc/systemd/system/comfywear.service.d/jetson.conf"
    assert system.install().returncode == 0
    assert not {kiosk, jetson} & system.files()
    assert system.install("--kiosk", "--jetson").returncode == 0
    assert {kiosk, jetson} <= system.files()
    (system.source / "systemd/comfywear-kiosk.service").write_text("# newer\n")
    assert system.install().returncode == 0
    assert (system.root / kiosk).read_text() == "# newer\n"
    own = system.root / "etc/systemd/system/comfywear.service.d/override.conf"
    own.write_text("[Service]\n")
    assert system.install("--uninstall").returncode == 0
    assert system.files() == {str(own.relative_to(system.root))}, "what a person wrote stays"


@pytest.mark.parametrize("words", [[], ["--uninstall"]])
def test_beside_the_debian_package_it_is_refused(system: System, words: list[str]) -> None:
    program = system.root / "opt/comfywear/bin/comfywear"
    program.parent.mkdir(parents=True)
    program.touch()
    result = system.install(*words)
    assert result.returncode == 1
    assert "apt remove comfywear" in result.stderr
    assert system.files() == {"opt/comfywear/bin/comfywear"}


def test_a_32_bit_system_is_refused_in_one_sentence(system: System, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    getconf = tmp_path / "bin" / "getconf"
    getconf.write_text("#!/bin/sh\necho 32\n")
    getconf.chmod(0o755)
    result = system.install(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "64-bit" in result.stderr
    assert system.files() == set()


def test_a_32_bit_python_is_passed_over(system: System, tmp_path: Path) -> None:
    python = tmp_path / "python32"
    python.write_text('#!/bin/sh\ncase "$*" in *maxsize*) exit 1 ;; esac\nexit 0\n')
    python.chmod(0o755)
    (tmp_path / "bin").mkdir()
    for name in ("python3", "python3.13", "python3.12", "python3.11", "python3.10"):
        (tmp_path / "bin" / name).symlink_to(python)
    result = system.install(PYTHON=str(python), PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert result.returncode == 1
    assert "64-bit Python" in result.stderr


@pytest.mark.parametrize("words", [["--frobnicate"], ["--purge"], ["--root"]])
def test_wrong_words_are_refused(system: System, words: list[str]) -> None:
    result = system.install(*words)
    assert result.returncode == 1
    assert system.files() == set()


def test_a_python_in_somebodys_home_is_refused_since_the_service_may_not_read_it(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *base_prefix*) echo /home/anna/.pyenv ;; esac\n')
    python.chmod(0o755)
    environ = {**os.environ, "PYTHON": str(python)}
    command = [str(ROOT / "systemd" / "install.sh"), "--dry-run"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environ)
    assert result.returncode == 1
    assert "PYTHON=/usr/bin/python3" in result.stderr
    python.write_text('#!/bin/sh\ncase "$*" in *base_prefix*) echo /usr ;; esac\n')
    assert subprocess.run(command, capture_output=True, check=False, timeout=60, env=environ).returncode == 0


def test_without_being_root_the_system_is_not_touched(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("this user is root")
    result = subprocess.run(
        [str(ROOT / "systemd" / "install.sh")], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 1
    assert "--dry-run" in result.stderr


@pytest.mark.slow
def test_what_is_installed_runs_and_finds_itself_fit(tmp_path: Path) -> None:
    """With the packages themselves, from the network; minutes."""
    command = [str(ROOT / "systemd" / "install.sh"), "--root", str(tmp_path)]
    subprocess.run(command, check=True, timeout=1500)
    program = tmp_path / "opt" / "comfywear" / "bin" / "comfywear"
    config = ROOT / "systemd" / "device.toml"
    environ = {**os.environ, "STATE_DIRECTORY": str(tmp_path / "state")}
    result = subprocess.run(
        [str(program), "doctor", "--config", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env=environ,
    )
    print(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "✓ engine onnxruntime" in result.stdout
    assert "✓ engine litert" in result.stdout
