"""The proof's hand in the guest: runs scripts that come over a virtio port, as root, and answers what they said."""

import json
import os
import subprocess
import threading
import time
from pathlib import Path

PORT = "/dev/virtio-ports/guest.agent"


def main() -> None:
    port = os.open(PORT, os.O_RDWR)
    lock = threading.Lock()

    def say(message: dict[str, object]) -> None:
        with lock:
            data = json.dumps(message).encode() + b"\n"
            while data:
                data = data[os.write(port, data) :]

    with lock:
        os.write(port, b"\n")  # ends a line that the last shutdown cut
    say({"boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip()})
    rest = b""
    while True:
        data = os.read(port, 65536)
        if not data:
            time.sleep(0.2)  # nobody listens at the other end
            continue
        *lines, rest = (rest + data).split(b"\n")
        for line in filter(None, lines):
            threading.Thread(target=answer, args=(json.loads(line), say), daemon=True).start()


def answer(request, say) -> None:
    try:
        done = subprocess.run(
            ["bash", "-c", request["run"]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=request["timeout_s"],
        )
        rc, out = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        rc, out = 124, (late.stdout or b"") + b"\n(ran out of time)"
    say({"id": request["id"], "rc": rc, "out": out.decode(errors="replace")[-200_000:]})


main()
