"""confined.py UNIT PROGRAM …: runs a program with the system calls and the memory that a service unit allows.

What systemd does with SystemCallFilter=, SystemCallErrorNumber= and MemoryDenyWriteExecute=, without systemd: its own
lists (systemd-analyze syscall-filter), libseccomp and prctl(2). Ends with 77 where the kernel is too old for the last.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

KILL, ALLOW, ERROR = 0x80000000, 0x7FFF0000, 0x00050000  # SCMP_ACT_*; the errno goes into the lowest 16 bits
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1


def calls(word: str) -> set[str]:
    """The system calls that one word of SystemCallFilter= means; a group starts with @."""
    if not word.startswith("@"):
        return {word}
    command = ["systemd-analyze", "syscall-filter", word]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[1:]
    words = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return set().union(*(calls(each) for each in words))


def filter_of(unit: Path) -> tuple[set[str], int]:
    """The allowed system calls of `unit`, and the action for all others."""
    allowed, action = calls("@default"), KILL
    for line in unit.read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "SystemCallFilter":
            meant = set().union(*(calls(word) for word in value.lstrip("~").split()))
            allowed = allowed - meant if value.startswith("~") else allowed | meant
        elif key == "SystemCallErrorNumber":
            action = ERROR | int(getattr(errno, value))
    return allowed, action


def confine(allowed: set[str], action: int) -> None:
    """From here on, and for every child, only `allowed`; no memory that is written and executed."""
    if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
        sys.exit(77)
    try:
        mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        sys.exit("memory that is written and executed was given")
    except PermissionError:
        pass
    library = ctypes.CDLL(find_library("seccomp"))
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(action)))
    for name in sorted(allowed):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number != -1:  # known to this libseccomp
            library.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), ctypes.c_int(number), ctypes.c_uint(0))
    if library.seccomp_load(context):
        sys.exit("the filter could not be loaded")


confine(*filter_of(Path(sys.argv[1])))
os.execvp(sys.argv[2], sys.argv[2:])
