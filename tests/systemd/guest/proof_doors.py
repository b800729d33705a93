"""The devices, through the unit's device policy: camera, serial sensor, I2C chip, keypad; and votes from elsewhere."""

from __future__ import annotations

import time

from proof_report import Report
from scene import PATIENCE_S, Scene


def prove(scene: Scene, report: Report) -> None:
    """Every door that the settings name gives what stands behind it."""
    report.say("Devices")
    if not scene.devices:
        report.check("camera: a photograph is looked at", lambda: _photo(scene))
        report.check("comfort comes from clothing and air", lambda: _comfort(scene))
        report.check("a vote over MQTT and one of the command line", lambda: _other_votes(scene))
        return
    report.check("camera: pictures of a V4L2 camera (vivid) are looked at", lambda: _camera(scene))
    report.check(
        "serial: a USB sensor's lines (ttyACM of dummy_hcd and g_serial) become the desk's air", lambda: _serial(scene)
    )
    report.check("I2C: a BME280 (i2c-stub) on /dev/i2c-0 becomes the shelf's air", lambda: _chip(scene))
    report.check("comfort comes from them", lambda: _comfort(scene))
    report.check("buttons: presses of a uinput keypad become votes and light its lamp", lambda: _presses(scene))
    report.check("a vote over MQTT and one of the command line", lambda: _other_votes(scene))


def _camera(scene: Scene) -> str:
    since_s = time.monotonic()
    scene.next("zone/desk/people", 0.0, 2 * PATIENCE_S, reason=None)
    metrics = scene.guest.wait(
        "frames are counted",
        lambda: [each.body for each in scene.broker.heard("device/metrics", 0) if each.body["frames"]],
        2 * PATIENCE_S,
    )[-1]
    holders = scene.guest.check("fuser /dev/video0 2>/dev/null || ls -l /proc/*/fd 2>/dev/null | grep -c /dev/video0")
    assert holders
    return f"{metrics['frames']:.0f} frames, {time.monotonic() - since_s:.0f} s waited"


def _photo(scene: Scene) -> str:
    people = scene.next("zone/desk/people", 0.0, count={1}).body
    kinds = ", ".join(each["kind"] for each in people["persons"][0]["garments"])
    return f"one person: {kinds}; {people['mean_clo']:.2f} clo"


def _serial(scene: Scene) -> str:
    air = scene.next("zone/desk/climate", 0.0, state="fresh").body
    assert 23.5 <= air["air_temp_c"] <= 25.5, air
    assert 43 <= air["humidity_pct"] <= 47, air
    return f"{air['air_temp_c']:.1f} °C, {air['humidity_pct']:.0f} %"


def _chip(scene: Scene) -> str:
    air = scene.next("zone/shelf/climate", 0.0, state="fresh").body
    assert abs(air["air_temp_c"] - 25.08) < 0.1, air
    return f"{air['air_temp_c']:.1f} °C, {air['humidity_pct']:.0f} %"


def _comfort(scene: Scene) -> str:
    comfort = scene.next("zone/desk/comfort", 0.0, level={1, 2, 3, 4, 5}).body
    return f"level {comfort['level']}, expected vote {comfort['expected_vote']:+.1f}"


def _presses(scene: Scene) -> str:
    before = {vote for vote, source in scene.stored() if source.startswith("keypad:")}
    lights = scene.lights()
    for level in range(1, 6):
        scene.press(level)
        time.sleep(0.7)
    stored = scene.guest.wait(
        "five votes are stored",
        lambda: (
            len(new := [each for each, source in scene.stored() if source.startswith("keypad:") and each not in before])
            == 5
            and new
        ),
    )
    scene.guest.wait("the light went on five times", lambda: scene.lights() == lights + 5)
    scene.guest.wait("five votes came to the broker", lambda: set(stored) <= set(scene.broker.votes()))
    levels = [scene.broker.votes()[each]["level"] for each in stored]
    assert levels == [1, 2, 3, 4, 5], levels
    return "1 2 3 4 5, five lights, five messages"


def _other_votes(scene: Scene) -> str:
    since_s = time.monotonic()
    scene.broker.send("zone/desk/vote/set", "4")
    scene.next("zone/desk/vote", since_s, source="mqtt", level=4)
    said = scene.vote(2, "shelf")
    scene.next("zone/shelf/vote", since_s, source="command", level=2)
    return f"“{said}”"
