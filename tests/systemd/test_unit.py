"""The service unit: systemd understands it and finds it little exposed."""

from __future__ import annotations

import os
import queue
import re
import shutil
import stat
import subprocess
import sys
import threading
from ctypes.util import find_library
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "systemd"
UNIT = FOLDER / "comfywear.service"
KIOSK = FOLDER / "comfywear-kiosk.service"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (apt install systemd)"
)


def analyse(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=900)


@needs_systemd
@pytest.mark.parametrize("unit", [UNIT, KIOSK], ids=lambda unit: unit.name)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    # The programs of the units are not installed where the tests run: one that exists stands in for them.
    for each in (UNIT, KIOSK):
        (tmp_path / each.name).write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", each.read_text()))
    more = tmp_path / f"{unit.name}.d"
    more.mkdir()
    for lines in (FOLDER / f"{unit.name}.d").glob("*.conf"):
        shutil.copy(lines, more)
    # Neither the manual pages nor the other units of this machine count here (the latter: systemd 250).
    apart = ["--recursive-errors=no"] if "--recursive-errors" in analyse("--help").stdout else []
    result = analyse("verify", "--man=no", *apart, str(tmp_path / unit.name))
    assert result.returncode == 0, result.stderr
    assert "comfywear" not in result.stderr


@needs_systemd
@pytest.mark.parametrize("unit", [UNIT, KIOSK], ids=lambda unit: unit.name)
def test_the_service_is_little_exposed(unit: Path) -> None:
    result = analyse("security", "--offline=true", "--threshold=15", str(unit))
    assert result.returncode == 0, result.stdout[-400:]


def settings_of(unit: Path, key: str) -> list[str]:
    return [line.split("=", 1)[1] for line in unit.read_text().splitlines() if line.startswith(key + "=")]


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="needs systemd-sysusers (apt install systemd)")
def test_every_group_of_the_unit_is_made_so_that_it_can_start(tmp_path: Path) -> None:
    """A unit with a group that does not exist fails with status 216 before its first line runs."""
    (tmp_path / "etc").mkdir()
    command = ["systemd-sysusers", f"--root={tmp_path}", str(FOLDER / "sysusers.d" / "comfywear.conf")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    made = {line.split(":")[0] for line in (tmp_path / "etc" / "group").read_text().splitlines()}
    wanted = {group for unit in (UNIT, KIOSK) for group in settings_of(unit, "SupplementaryGroups")[0].split()}
    assert wanted == {"video", "dialout", "i2c", "gpio", "input", "render"}
    assert wanted <= made


def test_devices_get_a_group_and_are_never_for_everybody() -> None:
    rules = [
        line
        for line in (FOLDER / "udev" / "60-comfywear.rules").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules
    groups = set(settings_of(UNIT, "SupplementaryGroups")[0].split())
    for rule in rules:
        found = re.search(r'GROUP="(\w+)", MODE="(\d+)"$', rule)
        assert found, rule
        assert found[1] in groups
        assert found[2] == "0660"


def test_the_unit_reaches_each_kind_of_device_that_settings_can_name() -> None:
    allowed = {line.split()[0] for line in settings_of(UNIT, "DeviceAllow")}
    kinds = ("video4linux", "ttyUSB", "ttyACM", "i2c", "gpiochip", "input")
    assert allowed == {f"char-{kind}" for kind in kinds}
    assert settings_of(UNIT, "DevicePolicy") == ["closed"]
    assert settings_of(UNIT, "Type") == ["notify"]


CONFINED = [sys.executable, str(Path(__file__).with_name("confined.py"))]
needs_seccomp = pytest.mark.skipif(
    find_library("seccomp") is None or shutil.which("systemd-analyze") is None,
    reason="needs systemd's list of system calls and libseccomp (apt install systemd libseccomp2)",
)


@needs_seccomp
@pytest.mark.parametrize("engine", ["onnxruntime", "litert"])
def test_the_engines_run_with_the_unit_s_system_calls_and_memory(engine: str) -> None:
    assert settings_of(UNIT, "MemoryDenyWriteExecute") == ["yes"]
    photo = FOLDER.parent / "docs" / "demo.png"
    program = [sys.executable, "-m", "comfywear.cli", "detect", str(photo), "--engine", engine, "--json"]
    result = subprocess.run([*CONFINED, str(UNIT), *program], capture_output=True, text=True, check=False, timeout=120)
    if result.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert result.returncode == 0, result.stderr
    assert '"person"' in result.stdout or '"persons"' in result.stdout


@needs_seccomp
def test_a_system_call_that_is_refused_is_an_error_and_no_end() -> None:
    """Asking the kernel about the clock is refused; the device is to say that it does not know, not to die of it."""
    asked = "clock._kernel_is_synchronised(), clock.wall_time().time_ok in (0, 1)"
    program = f"from comfywear.system import clock; print({asked})"
    command = [*CONFINED, str(UNIT), sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if result.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert (result.returncode, result.stdout) == (0, "False True\n"), result.stderr


@needs_seccomp
def test_the_page_changes_settings_with_the_unit_s_system_calls(tmp_path: Path) -> None:
    """No file may be given away (chown is refused): one that the service owns is replaced all the same."""
    file = tmp_path / "device.toml"
    file.write_text("[device]\nsite = 'home'\n")
    file.chmod(0o640)
    program = f"from comfywear.settings.edit import save; from pathlib import Path; save(Path({str(file)!r}), '# new')"
    command = [*CONFINED, str(UNIT), sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if result.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert result.returncode == 0, result.stderr
    assert file.read_text() == "# new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


class _Page(BaseHTTPRequestHandler):
    """A page whose script asks for /ran."""

    asked: queue.Queue[str] = queue.Queue()

    def do_GET(self) -> None:
        self.asked.put(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<script>fetch('/ran')</script>" if self.path == "/" else b"")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@needs_seccomp
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cog") is None, reason="needs the browser cog (apt install cog)")
def test_the_kiosk_s_browser_runs_scripts_with_its_unit_s_system_calls_and_memory(tmp_path: Path) -> None:
    """Without a screen: cog's headless platform instead of drm."""
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    for line in settings_of(KIOSK, "Environment"):
        environ.update(word.split("=", 1) for word in line.split() if word.startswith("JSC_"))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = settings_of(KIOSK, "ExecStart")[0].replace("platform=drm", "platform=headless").split()[:-1]
        command = [*CONFINED, str(KIOSK), *words, f"http://127.0.0.1:{server.server_port}/"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ)
        try:
            assert _Page.asked.get(timeout=60) == "/"
            while _Page.asked.get(timeout=60) != "/ran":
                pass
        finally:
            browser.terminate()
            browser.wait(timeout=90)
            server.shutdown()
