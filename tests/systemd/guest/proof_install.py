"""From a bare Debian 12 to a device: the package is installed, the service starts, the settings are taken over."""

from __future__ import annotations

import json
import time

from proof_report import Report
from scene import STATE, Scene


def prove(scene: Scene, report: Report) -> None:
    """Install the package in the running guest."""
    report.say("Install")
    report.check("the package installs on a bare Debian 12", lambda: _install(scene))
    report.check("the service is active by its own notification, as a user of its own", lambda: _active(scene))
    report.check("without settings its page waits for whoever has the code of the journal", lambda: _waits(scene))
    report.check("set up on its page, which also changes a setting; nothing is in /etc", lambda: _by_page(scene))
    report.check("backed up, wiped and restored: the vote is there and the page's settings", lambda: _restored(scene))
    report.check("settings for camera, sensors and a broker", lambda: _settings(scene))
    report.check("settings of /etc are given to the page and taken back", lambda: _handed_over(scene))
    report.check("a reload takes over a changed setting, in the same process", lambda: _reload(scene))
    report.check("comfywear doctor in the guest finds no fault", lambda: _doctor(scene))


def _install(scene: Scene) -> str:
    guest = scene.guest
    guest.check("test ! -e /opt/comfywear && mkdir -p /mnt/package")
    if scene.devices:
        guest.check("mount -o ro /dev/vdb /mnt/package")
    started_s = time.monotonic()
    guest.check("DEBIAN_FRONTEND=noninteractive dpkg -i /mnt/package/*.deb 2>&1", 900)
    size = scene.package.stat().st_size / 1e6
    return f"{size:.0f} MB in {time.monotonic() - started_s:.0f} s"


def _active(scene: Scene) -> str:
    service = scene.wait_active()
    shown = scene.guest.check("systemctl show comfywear.service -p Type,WatchdogUSec,DynamicUser,FragmentPath")
    facts = dict(line.split("=", 1) for line in shown.splitlines())
    assert facts["Type"] == "notify", facts
    assert facts["WatchdogUSec"] not in ("", "0", "infinity"), facts
    user = int(scene.guest.check(f"stat -c %u /proc/{service.pid}"))
    assert 61184 <= user <= 65519, f"user {user} is none that systemd made for the service"
    enabled = scene.guest.check("systemctl is-enabled comfywear.service")
    assert enabled == "enabled", enabled
    return f"watchdog {facts['WatchdogUSec']}, user {user}, “{service.status}”"


def _waits(scene: Scene) -> str:
    scene.guest.check('test -d /etc/comfywear && test -z "$(ls -A /etc/comfywear)"')
    before = scene.service()
    scene.guest.check("systemctl reload comfywear.service && sleep 1")
    after = scene.service()
    assert after.pid == before.pid, "a reload ended it"
    assert "waits to be set up" in after.status, after.status
    return f"“{after.status}”"


def _by_page(scene: Scene) -> str:
    code = scene.guest.check(
        "journalctl -u comfywear.service -o cat | grep -oP 'with the code \\K[A-Z2-9]{12}' | tail -1"
    )
    said = json.loads(scene.guest.check(f"python3 /opt/guest/by_page.py {code}", 600).splitlines()[-1])
    assert said["barred"] is None, said
    assert said["state"] == "kept", said
    scene.guest.check('test -z "$(ls -A /etc/comfywear)"')
    owner = scene.guest.check(f"cd {STATE} && stat -c '%n %u %a' device.toml device.toml.previous secrets/*")
    lines = scene.guest.check(f"grep -E 'state_dir|stale_after_s|token_file' {STATE}/device.toml")
    assert "stale_after_s = 77.0" in lines, lines
    scene.vote(4, "room")
    assert len(scene.stored()) == 1
    done = scene.guest.run("/opt/comfywear/bin/comfywear doctor --config /var/lib/comfywear/device.toml 2>&1", 600)
    assert done.rc == 0, done.out[-2500:]
    scene.earlier = frozenset(vote for vote, _ in scene.stored())
    return f"{said['file']}: {said['state']}; {'; '.join(lines.splitlines())}; {'; '.join(owner.splitlines())}"


def _restored(scene: Scene) -> str:
    guest, config = scene.guest, "/var/lib/comfywear/device.toml"
    (vote,), text = scene.stored(), guest.check(f"cat {config}")
    guest.check("echo a long enough passphrase > /root/pass")
    words = f"--config {config} --passphrase-file /root/pass"
    guest.check(f"comfywear backup {words} --out /root/box.comfywear", 300)
    guest.check(f"systemctl stop comfywear.service && find {STATE} -mindepth 1 -delete")
    said = guest.check(f"comfywear restore /root/box.comfywear {words} --id guest", 300)
    owners = set(guest.check(f"stat -c %u {STATE}/device.toml {STATE}/secrets/* {STATE}/votes.sqlite").split())
    guest.check("systemctl start comfywear.service", 300)
    service = scene.wait_active()
    assert scene.stored() == [vote]
    assert "stale_after_s = 77.0" in text
    assert "stale_after_s = 77.0" in guest.check(f"cat {config}")
    assert owners == {guest.check(f"stat -c %u /proc/{service.pid}")}, owners
    done = guest.run(f"comfywear doctor --config {config} 2>&1", 600)
    assert done.rc == 0, done.out[-2500:]
    return f"{said.splitlines()[1]}; {done.out.strip().splitlines()[-1]}"


def _handed_over(scene: Scene) -> str:
    """As docs/service.md says it; then back, for the rest of the proof."""
    guest, kept, own = scene.guest, "/etc/comfywear/device.toml", "/var/lib/comfywear/device.toml"
    said = scene.journal("-5min")
    assert f"the settings are {kept}; those that the page made" in said, said[-1500:]
    give = f"mv {kept} {own} && chown --reference=/var/lib/comfywear/. {own}"
    for moved in (give, f"mv {own} {kept} && chown root:root {kept}"):
        since_s = time.monotonic()
        guest.check(f"{moved} && systemctl restart comfywear.service", 300)
        scene.next("status", since_s, state="online")
    return f"“online” from {own}, then from {kept}"


def _settings(scene: Scene) -> str:
    since_s = time.monotonic()
    new_settings(scene)
    took_s = time.monotonic() - since_s
    heard = scene.next("status", since_s, state="online")
    return f"ready after {took_s:.0f} s, “online” at the broker after {heard.at_s - since_s:.0f} s"


def new_settings(scene: Scene) -> None:
    """Write the guest's settings for the broker of this run; returns when the service is ready with them."""
    guest = scene.guest
    serial = guest.check("ls /dev/serial/by-id/* | head -1") if scene.devices else ""
    file = "device.toml" if scene.devices else "container.toml"
    given = {"SERIAL": serial, "BROKER": guest.broker_host, "PORT": scene.broker.port}
    changes = " ".join(f"-e 's#@{name}@#{value}#'" for name, value in given.items())
    guest.check(
        f"sed {changes} /opt/guest/{file} "
        "> /etc/comfywear/device.toml && /opt/comfywear/bin/comfywear config check /etc/comfywear/device.toml"
    )
    guest.check("systemctl restart comfywear.service", 300)


def _reload(scene: Scene) -> str:
    before, since_s = scene.wait_active(), time.monotonic()
    settings = "/etc/comfywear/device.toml"
    scene.guest.check(
        f"sed -i 's/^stale_after_s.*/stale_after_s = 30.0/' {settings} && systemctl reload comfywear.service"
    )
    scene.next("status", since_s, state="offline")
    heard = scene.next("status", since_s, state="online")
    after = scene.wait_active()
    assert before.pid == after.pid, "it was another process"
    return f"“offline” and “online” again within {heard.at_s - since_s:.0f} s"


def _doctor(scene: Scene) -> str:
    done = scene.guest.run("/opt/comfywear/bin/comfywear doctor --config /etc/comfywear/device.toml 2>&1", 600)
    assert done.rc == 0, done.out[-2500:]
    return done.out.strip().splitlines()[-1]
