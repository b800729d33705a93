"""A real device and a real collector: what the device accepts while the collector is away arrives all the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from collected import rows

from children import Child
from comfywear.feedback import ask
from waiting import until


def test_nothing_is_lost_while_collector_and_broker_are_away(mosquitto: Any, collect: Any, tmp_path: Path) -> None:
    state, place, config = tmp_path / "state", str(tmp_path / "collected.db"), tmp_path / "device.toml"
    config.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{state}'\n[[sensors]]\nuri = 'fake://'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {mosquitto.port}\nconfirm_by = ['archive']\ninterval_s = 1\n"
    )
    program = [sys.executable, "-m", "comfywear.cli"]
    arguments = ["--db", place, "--broker", f"127.0.0.1:{mosquitto.port}", "--name", "archive", "--ack-every", 0.3]

    def vote(level: int) -> None:
        done = subprocess.run(
            [*program, "vote", str(level), "--config", str(config)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def votes() -> list[int]:
        return [level for (level,) in rows(place, "SELECT level FROM votes ORDER BY seq")]

    with Child([*program, "run", "--config", str(config)], stderr=subprocess.DEVNULL) as device:
        try:
            collector = collect(*arguments)
            until(lambda: (state / "control.sock").exists())
            until(lambda: "collecting from" in collector.said())
            vote(1)
            until(lambda: votes() == [1])
            collector.end(signal.SIGKILL)
            vote(2)  # the broker takes it for the collector's session
            time.sleep(1)
            mosquitto.stop(signal.SIGKILL)  # and forgets it, with the session
            vote(3)
            mosquitto.start()
            collector = collect(*arguments)
            until(lambda: votes() == [1, 2, 3])
            device.send_signal(signal.SIGKILL)
            device.wait(90)
        finally:
            device.kill()
    with Child([*program, "run", "--config", str(config)], stderr=subprocess.DEVNULL) as device:
        until(lambda: rows(place, "SELECT missing FROM completeness") == [(0,)])
        newest = rows(place, "SELECT newest FROM completeness")[0][0]
        until(lambda: rows(place, "SELECT newest FROM completeness")[0][0] > newest)
        device.terminate()
    assert collector.end() == 0
    (counted, distinct, newest, gone) = rows(
        place,
        "SELECT count(*), count(DISTINCT seq), max(seq), (SELECT gone FROM completeness) FROM messages",
    )[0]
    assert counted == distinct
    assert counted + gone >= newest
    assert rows(place, "SELECT count(*) FROM devices WHERE device = 'd1'") == [(1,)]


def test_what_is_deleted_on_the_device_is_deleted_by_its_collector_and_that_is_confirmed(
    mosquitto: Any, collect: Any, tmp_path: Path
) -> None:
    state, place, config = tmp_path / "state", str(tmp_path / "collected.db"), tmp_path / "device.toml"
    config.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{state}'\n[votes]\nrepeat_s = 0\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {mosquitto.port}\nconfirm_by = ['archive']\n"
    )
    program = [sys.executable, "-m", "comfywear.cli"]
    arguments = ["--db", place, "--broker", f"127.0.0.1:{mosquitto.port}", "--name", "archive", "--ack-every", 0.3]

    def told() -> list[str]:
        return [each["state"] for each in ask(state, {"verb": "deletions"})["told"]]

    def collected() -> list[int]:
        return [level for (level,) in rows(place, "SELECT level FROM votes ORDER BY seq")]

    with Child([*program, "run", "--config", str(config)], stderr=subprocess.DEVNULL) as device:
        collector = collect(*arguments)
        until(lambda: (state / "control.sock").exists())
        until(lambda: "collecting from" in collector.said())
        for level, person in ((1, "Ada"), (2, None), (3, "Ada"), (4, "Bo")):
            ask(state, {"verb": "vote", "level": level, "source": "phone", "person": person})
        until(lambda: collected() == [1, 2, 3, 4])
        assert collector.end() == 0
        assert ask(state, {"verb": "delete-votes", "person": "Ada"})["deleted"] == 2
        assert told() == ["not confirmed yet"], "the collector is away"
        collector = collect(*arguments)
        until(lambda: collected() == [2, 4])
        until(lambda: told() == ["done by archive"])
        device.terminate()
        device.wait(90)
    offline = subprocess.run(
        [*program, "votes", "delete", "--person", "Bo", "--yes", "--config", str(config)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 vote deleted" in offline.stdout, offline.stderr
    assert collected() == [2, 4]
    with Child([*program, "run", "--config", str(config)], stderr=subprocess.DEVNULL) as device:
        until(lambda: collected() == [2])
        until(lambda: told() == ["done by archive", "done by archive"])
        said = subprocess.run(
            [*program, "votes", "deletions", "--config", str(config)], capture_output=True, text=True, check=True
        ).stdout
        assert [line.split("  ")[-1] for line in said.splitlines()] == [
            "2 votes: done by archive",
            "1 vote: done by archive",
        ]
        device.terminate()
    assert collector.end() == 0
    assert b"Ada" not in Path(place).read_bytes()
