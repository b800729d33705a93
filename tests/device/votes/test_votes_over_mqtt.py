"""A device as a process that ends between the commit of a vote and its acknowledgement to the broker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from comfywear.feedback.vote_files import read_votes
from waiting import until

# What is patched is the acknowledgement alone: the process ends as by kill -9 right before it.
DEVICE = """
import os, sys, threading
from comfywear import settings
from comfywear.device.device import Device
from comfywear.publishing.broker.connection import Connection
from comfywear.publishing.broker.publisher import Publisher
if sys.argv[2] == "dies":
    done = Connection.done
    Connection.done = lambda self, message: os._exit(9) if "/vote/" in message.topic else done(self, message)
heard, notice = threading.Event(), Publisher._notice_double
Publisher._notice_double = lambda self, message: (notice(self, message), heard.set())
with Device(settings.load(sys.argv[1])) as device:
    heard.wait(30)  # its own birth message: what was subscribed to before, such as votes, is subscribed to by now
    print("connected", flush=True)
    sys.stdin.readline()
"""


def device(config: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DEVICE, str(config), how]
    found = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert found.stdout is not None
    assert found.stdout.readline() == "connected\n"
    return found


def test_a_vote_whose_acknowledgement_was_lost_in_a_crash_is_stored_once(tmp_path: Path, mosquitto: Any) -> None:
    config = tmp_path / "device.toml"
    config.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n[votes]\nrepeat_s = 0\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {mosquitto.port}\n"
    )
    sender = paho.Client(paho.CallbackAPIVersion.VERSION2)
    sender.connect("127.0.0.1", mosquitto.port)
    sender.loop_start()
    topic = "comfywear/v1/home/d1/zone/room/vote/set"
    crashing = device(config, "dies")
    sender.publish(topic, "4", qos=1).wait_for_publish(60)
    assert crashing.wait(90) == 9
    levels = lambda: [vote.level for vote in read_votes(tmp_path / "state" / "votes.sqlite")]  # noqa: E731
    assert levels() == [4]
    again = device(config, "lives")
    sender.publish(topic, "2", qos=1).wait_for_publish(60)  # comes behind what the broker brings again
    until(lambda: 2 in levels())
    again.communicate("\n", timeout=90)
    sender.loop_stop()
    assert levels() == [4, 2]
