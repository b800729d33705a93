"""Holds one thread of a process, as a driver does that never answers: `hold_thread.py THREAD`. The others go on.

ptrace(2): PTRACE_SEIZE, then PTRACE_INTERRUPT.
"""

import ctypes
import os
import sys
import time

SEIZE, INTERRUPT = 0x4206, 0x4207
WALL = 0x40000000  # of waitpid(2): threads too


def main() -> None:
    thread = int(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    for request in (SEIZE, INTERRUPT):
        if libc.ptrace(request, thread, None, None) != 0:
            sys.exit(f"ptrace: errno {ctypes.get_errno()}")
    print("held", flush=True)
    while True:  # until the thread ends: a thread that nobody waited for would keep its process from ending
        found, status = os.waitpid(thread, WALL | os.WNOHANG)
        if found and not os.WIFSTOPPED(status):
            return
        time.sleep(0.2)


main()
