"""A serial sensor at the gadget's end of the cable: a line of temperature and humidity every two seconds."""

import os
import time
from itertools import count

PORT = "/dev/ttyGS0"


def main() -> None:
    for number in count():
        try:
            port = os.open(PORT, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            time.sleep(1)  # not there, or its cable is unplugged
            continue
        try:
            # It never says exactly the same for long: such a sensor counts as stuck.
            os.write(port, f"{24.0 + number % 10 / 10:.1f},{44 + number % 3}.0\r\n".encode())
        except OSError:
            pass  # nobody takes it
        finally:
            os.close(port)
        time.sleep(2)


main()
