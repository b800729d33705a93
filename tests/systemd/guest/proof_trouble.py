"""What happens in years: something hangs, is killed, unplugged, restarted, away. The service is back with its data."""

from __future__ import annotations

import time
from collections.abc import Callable

from proof_report import Report
from scene import PATIENCE_S, Scene, Service

# The oldest thread, but for the first, that woke between once and sixty times in three seconds: a worker's, as they do;
# a pool of the mathematics sleeps or spins.
WAKING = r"""
cd /proc/%d/task
count() { awk '/^voluntary/ {print $2}' $1/status; }
declare -A before
for each in *; do before[$each]=$(count $each); done
sleep 3
for each in $(ls | sort -n | tail -n +2); do
  woke=$(($(count $each) - ${before[$each]:-0}))
  if [ $woke -ge 1 ] && [ $woke -le 60 ]; then echo $each; exit; fi
done
exit 1
"""


def prove(scene: Scene, report: Report) -> None:
    """One trouble after another; each must end with an active service and every vote still there."""
    report.say("Trouble")
    troubles: list[tuple[str, Callable[[Scene], str]]] = [
        ("the serial sensor is unplugged and plugged in again: said, and read again, by the same process", _unplugged),
        ("the camera's own process hangs: it alone is replaced", _camera_hangs),
        ("kill -9: started again", _killed),
        ("one worker's thread hangs: the watchdog starts the service again", _thread_hangs),
        ("the whole process hangs (SIGSTOP): the watchdog starts it again", _process_hangs),
        ("the broker is away while the machine restarts: a vote of that time arrives later", _broker_away),
    ]
    for name, trouble in troubles if scene.devices else troubles[1:]:
        report.check(name, lambda trouble=trouble: _with_votes_kept(scene, trouble))


def _with_votes_kept(scene: Scene, trouble: Callable[[Scene], str]) -> str:
    scene.press(3)
    time.sleep(2)
    before = scene.stored()
    said = trouble(scene)
    scene.wait_active()
    after = scene.stored()
    missing = set(before) - set(after)
    assert not missing, f"votes are missing: {missing}"
    scene.sound()
    since_s = time.monotonic()
    scene.press(4)
    scene.next("zone/desk/vote", since_s, level=4)
    return f"{said}; {len(after)} votes kept"


def _unplugged(scene: Scene) -> str:
    before, since_s = scene.service(), time.monotonic()
    # The host's side of the cable, since dummy_hcd does not let the gadget's side connect again.
    cable = "/sys/bus/usb/devices/1-1/authorized"
    ports = "ls /dev/serial/by-id"
    scene.guest.check(f"echo 0 > {cable}")
    scene.guest.wait("its name is gone", lambda: scene.guest.run(ports).rc != 0)
    gone = scene.next("zone/desk/climate", since_s, state="stale")
    shelf = scene.next("zone/shelf/climate", gone.at_s, state="fresh")
    assert shelf
    again_s = time.monotonic()
    scene.guest.check(f"echo 1 > {cable}")
    scene.guest.wait("its name is back", lambda: scene.guest.run(ports).rc == 0)
    back = scene.next("zone/desk/climate", again_s, state="fresh")
    assert scene.service().pid == before.pid, "another process"
    return f"stale after {gone.at_s - since_s:.0f} s, fresh {back.at_s - again_s:.0f} s after it was back"


def _camera_hangs(scene: Scene) -> str:
    before = scene.service()
    child = "pgrep -f '[c]omfywear.vision.camera.child'"
    old = int(scene.guest.check(child).split()[0])
    started_s = time.monotonic()
    scene.guest.check(f"kill -STOP {old}")
    new = scene.guest.wait(
        "the camera has another process",
        lambda: [each for each in scene.guest.run(child).out.split() if int(each) != old],
        PATIENCE_S,
    )
    took_s = time.monotonic() - started_s
    scene.next("zone/desk/people", time.monotonic(), reason=None)
    assert new
    assert scene.service().pid == before.pid, "the service was started again"
    return f"after {took_s:.0f} s, the service's process is the same"


def _again(scene: Scene, before: Service, patience_s: float = PATIENCE_S) -> str:
    started_s = time.monotonic()
    service = scene.wait_active(patience_s, not_pid=before.pid)
    assert service.restarts == before.restarts + 1, f"{service.restarts - before.restarts} starts"
    scene.next("status", started_s, state="online")
    return f"active again after {time.monotonic() - started_s:.0f} s"


def _killed(scene: Scene) -> str:
    before = scene.service()
    scene.guest.check(f"kill -9 {before.pid}")
    return _again(scene, before)


def _thread_hangs(scene: Scene) -> str:
    before = scene.service()
    thread = scene.guest.check(WAKING % before.pid)
    scene.guest.check(f"systemd-run --quiet --unit=guest-hold-{thread} python3 /opt/guest/hold_thread.py {thread}")
    seen: Service = scene.guest.wait(
        "the service says what hangs",
        lambda: (found := scene.service()) and "hung" in found.status and found,
        PATIENCE_S,
    )
    said = _watchdog(scene, before)
    assert "most recent call first" in scene.journal(), "the journal does not say where the threads were"
    return f"“{seen.status}”, {said}, the journal says where each thread was"


def _process_hangs(scene: Scene) -> str:
    before = scene.service()
    scene.guest.check(f"kill -STOP {before.pid}")
    return _watchdog(scene, before)


def _watchdog(scene: Scene, before: Service) -> str:
    bites = "journalctl -u comfywear.service --no-pager -o cat | grep -c 'Watchdog timeout'"
    earlier = int(scene.guest.run(bites).out or 0)
    said = _again(scene, before, 600)
    now = int(scene.guest.run(bites).out or 0)
    assert now > earlier, "it was not the watchdog"
    return f"watchdog, {said}"


def _broker_away(scene: Scene) -> str:
    scene.broker.stop()
    took_s = scene.guest.reboot()
    service = scene.wait_active()
    count = len(scene.stored())
    scene.guest.wait("a press is stored without a broker", lambda: scene.press(5) or len(scene.stored()) > count)
    newest = scene.stored()[-1][0]
    since_s = time.monotonic()
    scene.broker.start()
    scene.guest.wait("the vote arrives", lambda: newest in scene.broker.votes(), PATIENCE_S)
    came_s = time.monotonic() - since_s
    return f"restarted in {took_s:.0f} s, “{service.status}”; the vote came {came_s:.0f} s after the broker"
