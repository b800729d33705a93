"""Everything else is refused: the same unit, word for word, with a program in it that tries what it must not do."""

from __future__ import annotations

import json

from machine import GuestError
from proof_report import Report
from scene import Scene

# Root's own nodes of those devices are made once more for anybody to open: what refuses them is the policy of the unit.
NODES = r"""
set -e
rm -f /dev/probe-*
node() { mknod -m 666 /dev/probe-$1 $2 $3 $4; }
node disk b $((0x$(stat -c %t /dev/vda))) $((0x$(stat -c %T /dev/vda)))
node mem c 1 1; node kmsg c 1 11; node uinput c 10 223; node ttyS1 c 4 65; node tty0 c 4 0
modprobe tun; node tun c 10 200
"""
FILES = r"""
set -e
install -m 4755 /usr/bin/id /opt/guest/setuid-id
mkdir -p /home/anna /srv /var/lib/probe-state
echo probe | tee /root/probe /home/anna/probe /srv/probe >/dev/null
chmod 755 /root /home/anna
chmod 644 /root/probe /home/anna/probe
chmod 600 /srv/probe
"""
# Lines of the unit that say what is run and how it is watched; every other line stays.
OWN = "^(ExecStart|ExecReload|Type|NotifyAccess|Restart|RestartSec|Watchdog.*|StateDirectory|WantedBy|TimeoutStartSec)="
PROBE = rf"""
set -e
unit=/run/systemd/system/guest-probe.service
mkdir -p /run/systemd/system
systemctl cat comfywear.service | grep -vE '{OWN}' > $unit
cat >> $unit <<'END'
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /opt/guest/deeds.py
StateDirectory=guest-probe
StandardOutput=truncate:/run/guest-probe.json
TimeoutStartSec=300
END
systemctl daemon-reload
systemctl start guest-probe.service
cat /run/guest-probe.json
"""


def prove(scene: Scene, report: Report) -> None:
    """Try each deed as root without the unit, where it succeeds, then in the unit, where it must not."""
    report.say("Refusals")
    free: dict[str, dict[str, str]] = {}
    kept: dict[str, dict[str, str]] = {}

    def without() -> str:
        if scene.devices:
            scene.guest.check(NODES)
        scene.guest.check(FILES)
        free.update(_read(scene.guest.check("python3 /opt/guest/deeds.py", 300)))
        not_done = {name: said for deeds in free.values() for name, said in deeds.items() if said != "done"}
        assert not (scene.devices and not_done), not_done
        tried = f"{sum(map(len, free.values())) - len(not_done)} deeds are done"
        # A container's root cannot do everything either.
        return tried + (f"; not tried here, since no root can: {', '.join(not_done)}" if not_done else "")

    def within() -> str:
        for group, deeds in _read(scene.guest.check(PROBE, 600)).items():
            kept[group] = {name: said for name, said in deeds.items() if free[group][name] == "done"}
        return f"{sum(map(len, kept.values()))} deeds are tried"

    if not report.check("root without the unit can do all of it, so that a refusal is the unit's", without):
        return
    if not report.check("the unit's own lines around another program", within):
        return
    for group in ("devices", "files", "privileges", "sockets"):
        if kept[group]:
            report.check(f"{group} are refused", lambda group=group: _refused(kept[group]))
    report.check("what the device needs is allowed", lambda: _allowed(kept["allowed"]))
    report.check("systemd's measure of the unit", lambda: _exposure(scene))


def _read(said: str) -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, str]] = json.loads(said.splitlines()[-1])
    return read


def _refused(deeds: dict[str, str]) -> str:
    done = [name for name, said in deeds.items() if said == "done"]
    if done:
        raise GuestError(f"not refused: {', '.join(done)}; refused: {deeds}")
    return ", ".join(f"{name} ({said})" for name, said in deeds.items())


def _allowed(deeds: dict[str, str]) -> str:
    refused = {name: said for name, said in deeds.items() if said != "done"}
    assert not refused, refused
    return ", ".join(deeds)


def _exposure(scene: Scene) -> str:
    said = scene.guest.check("systemd-analyze security comfywear.service --no-pager | tail -1")
    return " ".join(said.replace("→", "").encode("ascii", "ignore").decode().split())
