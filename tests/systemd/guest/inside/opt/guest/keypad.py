"""A USB keypad made with uinput: presses the keys that a FIFO names, and writes down each time its light goes on.

Structures and codes: linux/uinput.h, linux/input-event-codes.h.
"""

import fcntl
import os
import select
import struct
import time
from pathlib import Path

FIFO = Path("/run/keypad")
LIGHTS = Path("/run/keypad-lights")  # one line each time the light went on: a press was stored
UI_SET_EVBIT, UI_SET_KEYBIT, UI_SET_LEDBIT = 0x40045564, 0x40045565, 0x40045569
UI_DEV_SETUP, UI_DEV_CREATE = 0x405C5503, 0x5501
EV_SYN, EV_KEY, EV_LED, LED_NUML = 0x00, 0x01, 0x11, 0
EVENT = struct.Struct("llHHi")


def main() -> None:
    device = os.open("/dev/uinput", os.O_RDWR | os.O_NONBLOCK)
    for kind in (EV_KEY, EV_LED):
        fcntl.ioctl(device, UI_SET_EVBIT, kind)
    for level in range(1, 6):
        fcntl.ioctl(device, UI_SET_KEYBIT, 1 + level)
    fcntl.ioctl(device, UI_SET_LEDBIT, LED_NUML)
    fcntl.ioctl(device, UI_DEV_SETUP, struct.pack("HHHH80sI", 3, 0x1209, 0x0001, 1, b"guest keypad", 0))
    fcntl.ioctl(device, UI_DEV_CREATE)
    FIFO.unlink(missing_ok=True)
    os.mkfifo(FIFO)
    keys = os.open(FIFO, os.O_RDWR | os.O_NONBLOCK)  # its own writer too, so that it never ends
    while True:
        ready, _, _ = select.select([device, keys], [], [])
        if device in ready:
            for _, _, kind, code, value in EVENT.iter_unpack(os.read(device, 64 * EVENT.size)):
                if (kind, code, value) == (EV_LED, LED_NUML, 1):
                    with LIGHTS.open("a") as file:
                        file.write(f"{time.monotonic()}\n")
        if keys in ready:
            for word in os.read(keys, 4096).split():
                press(device, int(word))


def press(device: int, level: int) -> None:
    for down in (1, 0):
        os.write(device, EVENT.pack(0, 0, EV_KEY, 1 + level, down) + EVENT.pack(0, 0, EV_SYN, 0, 0))
        time.sleep(0.05)


main()
