"""Makes the backups in this folder: lives a little as a device of the version that is imported, and backs it up.

    git archive COMMIT runtime sensors models | tar -x -C OLD
    PYTHONPATH=OLD/runtime:OLD/sensors:OLD/models python tests/backup/earlier/make_earlier.py COMMIT

The votes are made. Beside NAME.comfywear, NAME.csv has the votes and NAME.txt what was learnt, as that version told.
"""

from __future__ import annotations

import csv
import shutil
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

from comfywear import settings as settings_file
from comfywear.cli import main
from comfywear.device.device import Device

HERE = Path(__file__).resolve().parent
LIVED = Path("/srv/lab")
COLUMNS = ("id", "zone", "level", "person", "ts", "undone", "air_temp_c", "humidity_pct", "clo", "expected_vote")
PASSPHRASE = "a long enough passphrase"
SETTINGS = f"""# The office
[device]
site = "office"
id = "lab-board"  # on the wall
state_dir = "{LIVED}/state"
[mqtt]
host = ""
username = "comfy"
password_file = "{LIVED}/mqtt.password"
[votes]
repeat_s = 0
[web]
enabled = true
port = 0
[[zones]]
name = "desk"
[[zones]]
name = "window"
[[sensors]]
uri = "fake://"
"""
VOTES = (
    *(("desk", level, person) for level, person in ((4, "first"), (2, None), (5, "second"), (3, None), (1, "first"))),
    *(("window", level, person) for level, person in ((5, None), (2, "second"), (4, None))),
)


def make(name: str) -> None:
    """Write NAME.comfywear, NAME.csv and NAME.txt into this folder."""
    LIVED.mkdir()
    config, passphrase = LIVED / "device.toml", LIVED / "passphrase"
    config.write_text(SETTINGS)
    (LIVED / "mqtt.password").write_text("a made password\n")
    passphrase.write_text(f"{PASSPHRASE}\n")
    with Device(settings_file.load(config)) as device:
        while len(device.estimates()) < 2:
            time.sleep(0.1)
        for number, (zone, level, person) in enumerate(VOTES):
            device.vote(zone, level, f"button{number}", person=person)
            time.sleep(0.3)
        device.undo(device.vote("desk", 1, "mistaken").id)
        device.commands.names.set("desk", "Fensterplatz")
        time.sleep(3.0)
        with (HERE / f"{name}.txt").open("w") as file, redirect_stdout(file):
            main(["learning", "show", "--config", str(config)])
    main(["votes", "export", "--config", str(config), "--out", str(LIVED / "votes.csv")])
    with (LIVED / "votes.csv").open() as file, (HERE / f"{name}.csv").open("w") as kept:
        rows = csv.DictWriter(kept, COLUMNS, extrasaction="ignore", lineterminator="\n")
        rows.writeheader()
        rows.writerows(csv.DictReader(file))
    out = str(HERE / f"{name}.comfywear")
    main(["backup", "--config", str(config), "--out", out, "--passphrase-file", str(passphrase), "--force"])


if __name__ == "__main__":
    try:
        make(sys.argv[1])
    finally:
        shutil.rmtree(LIVED)
