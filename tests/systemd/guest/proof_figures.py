"""Figures: from power to comfort, processor and memory at rest."""

from __future__ import annotations

import time

from proof_report import Report
from scene import STATE, Scene

REST_S = 120

# Of each process of the service: resident and proportional memory, KiB, hundredths of a second of processor, command.
PROCESSES = r"""
main=$(systemctl show comfywear.service -p MainPID --value)
for pid in $main $(pgrep -P $main); do
  memory=$(awk '/^Rss:/ {rss = $2} /^Pss:/ {pss = $2} END {print rss, pss}' /proc/$pid/smaps_rollup)
  echo $memory $(sed 's/.*) //' /proc/$pid/stat | awk '{print $12 + $13}') $(tr '\0' ' ' </proc/$pid/cmdline)
done
"""


def prove(scene: Scene, report: Report) -> None:
    """Measure; nothing here fails but for want of an answer."""
    kind = "an emulated processor: no measure of a board" if scene.devices else "this machine's processor"
    report.say(f"Figures ({kind})")
    report.check("from power to the first comfort message", lambda: _start(scene))
    report.check(f"at rest over {REST_S} s, camera looked at", lambda: _rest(scene))
    report.check(f"at rest over {REST_S} s, without a camera", lambda: _rest_without_camera(scene))
    report.check("on the disk", lambda: _disk(scene))


def _start(scene: Scene) -> str:
    scene.guest.power_off()
    scene.guest.power_on()
    boot_s = scene.guest.wait_boot()
    on_s = scene.guest.power_on_s
    first = scene.next("zone/desk/comfort", on_s)
    answered = scene.next("zone/desk/comfort", on_s, level={1, 2, 3, 4, 5})
    scene.wait_active()
    if not scene.devices:  # a container's clock is that of its kernel
        return (
            f"{first.at_s - on_s:.0f} s, with an answer {answered.at_s - on_s:.0f} s; container up after {boot_s:.0f} s"
        )
    shown = scene.guest.check(
        "systemctl show comfywear.service -p ExecMainStartTimestampMonotonic,ActiveEnterTimestampMonotonic"
    )
    facts = {name: int(value) / 1e6 for name, value in (line.split("=") for line in shown.splitlines())}
    started, ready = facts["ExecMainStartTimestampMonotonic"], facts["ActiveEnterTimestampMonotonic"]
    return (
        f"{first.at_s - on_s:.0f} s, with an answer {answered.at_s - on_s:.0f} s; guest up after {boot_s:.0f} s, "
        f"the service started {started:.0f} s after the kernel and was ready {ready - started:.0f} s later"
    )


def _rest(scene: Scene) -> str:
    time.sleep(30)
    before, started_s = _processes(scene), time.monotonic()
    time.sleep(REST_S)
    rows, took_s = _processes(scene), time.monotonic() - started_s
    share = sum(row[2] for row in rows) - sum(row[2] for row in before)
    each = ", ".join(f"{rss / 1024:.0f} MiB ({_short(name)})" for rss, _, _, name in rows)
    shared = sum(row[1] for row in rows) / 1024
    return f"{share / took_s:.0f} % of one processor; RSS {each}; {shared:.0f} MiB in all, what is shared counted once"


def _processes(scene: Scene) -> list[tuple[int, int, int, str]]:
    rows = [line.split(" ", 3) for line in scene.guest.check(PROCESSES).splitlines()]
    return [(int(rss), int(pss), int(ticks), name) for rss, pss, ticks, name in rows]


def _short(command: str) -> str:
    return "camera" if "camera.child" in command else "device"


def _rest_without_camera(scene: Scene) -> str:
    settings = "/etc/comfywear/device.toml"
    without = "/^\\[camera\\]/,/^fps/d"
    scene.guest.check(f"cp {settings} {settings}.whole && sed -i '{without}' {settings}")
    scene.guest.check("systemctl restart comfywear.service", 300)
    try:
        scene.wait_active()
        return _rest(scene)
    finally:
        scene.guest.check(f"mv {settings}.whole {settings} && systemctl restart comfywear.service", 300)


def _disk(scene: Scene) -> str:
    installed = scene.guest.check("du -sm /opt/comfywear | cut -f1")
    state = scene.guest.check(f"du -sk {STATE} | cut -f1")
    size = scene.package.stat().st_size / 1e6
    return f"package {size:.1f} MB, installed with byte code {installed} MiB, state folder {state} KiB"
