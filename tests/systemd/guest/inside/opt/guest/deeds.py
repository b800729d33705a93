"""What the service must not be able to do, tried from where it is run, one deed a process; prints JSON.

Run as root without the unit's rules, each deed is done: so a refusal is the rules' doing, and no accident.
"""

import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

STATE = Path(os.environ.get("STATE_DIRECTORY", "/var/lib/probe-state"))
libc = ctypes.CDLL(None, use_errno=True)


def call(function, *words) -> None:
    if function(*words) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def opened(path, flags=os.O_RDONLY):
    return lambda: os.close(os.open(path, flags))


def read(path):
    return lambda: Path(path).read_bytes()


def made(path):
    def deed() -> None:
        Path(path).write_text("probe\n")
        Path(path).unlink()

    return deed


def socketed(family, kind, protocol=0):
    return lambda: socket.socket(family, kind, protocol).close()


def become_root() -> None:
    if subprocess.run(["/opt/guest/setuid-id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0":
        raise PermissionError(errno.EPERM, "the program with the bit runs as we do")


def make_setuid() -> None:
    path = STATE / "probe"
    path.write_text("")
    try:
        path.chmod(0o4755)
        if not path.stat().st_mode & 0o4000:
            raise PermissionError(errno.EPERM, "the bit is not there")
    finally:
        path.unlink()


def see_others() -> None:
    if not Path("/proc/1/stat").exists():
        raise PermissionError(errno.EPERM, "process 1 is not there")


def unload_module() -> None:
    try:
        call(libc.syscall, 176, b"no-such-module", 0)
    except OSError as error:
        if error.errno != errno.ENOENT:  # a root is told that there is none of this name
            raise


def trace() -> None:
    child = os.fork()
    if child == 0:
        time.sleep(5)
        os._exit(0)
    try:
        call(libc.ptrace, 0x4206, child, None, None)
    finally:
        os.kill(child, signal.SIGKILL)


def set_the_clock() -> None:
    time.clock_settime(time.CLOCK_REALTIME, time.time())


def same_hostname() -> None:
    socket.sethostname(socket.gethostname())


def written_and_executed() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def real_time() -> None:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def mount_something() -> None:
    call(libc.mount, b"none", b"/mnt", b"tmpfs", 0, None)
    call(libc.umount, b"/mnt")


# Device nodes that anybody might open, made for this proof: what refuses is the device policy alone.
DEVICES_REFUSED = {
    "read the disk": opened("/dev/probe-disk"),
    "read the memory": opened("/dev/probe-mem"),
    "write the kernel's log": opened("/dev/probe-kmsg", os.O_WRONLY),
    "make an input device": opened("/dev/probe-uinput", os.O_RDWR),
    "open a serial port of the board": opened("/dev/probe-ttyS1", os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY),
    "open the console": opened("/dev/probe-tty0", os.O_RDWR | os.O_NOCTTY),
    "make a network interface": opened("/dev/probe-tun", os.O_RDWR),
}
FILES_REFUSED = {
    "write into /etc": made("/etc/probe"),
    "write into /usr": made("/usr/probe"),
    "write into the program": made("/opt/probe"),
    "write beside the state folder": made("/var/lib/probe"),
    "write beside the settings": made("/etc/comfywear/probe"),
    "change the settings": opened("/etc/comfywear/device.toml", os.O_WRONLY),
    "read the passwords": read("/etc/shadow"),
    "read root's home": read("/root/probe"),
    "read a home": read("/home/anna/probe"),
    "read another service's file": read("/srv/probe"),
    "see other processes": see_others,
    "read the kernel's log": lambda: call(libc.klogctl, 10, None, 0),
    "change a kernel setting": opened("/proc/sys/kernel/domainname", os.O_WRONLY),
    "change a control group": opened("/sys/fs/cgroup/cgroup.procs", os.O_WRONLY),
}
PRIVILEGES_REFUSED = {
    "become root by a setuid program": become_root,
    "make a setuid program": make_setuid,
    "mount": mount_something,
    "a user namespace": lambda: call(libc.unshare, 0x10000000),
    "a network namespace": lambda: call(libc.unshare, 0x40000000),
    "change root": lambda: os.chroot("/"),
    "unload a module": unload_module,
    "set the clock": set_the_clock,
    "name the host": same_hostname,
    "restart the machine": lambda: call(libc.reboot, 0),  # only switches Ctrl-Alt-Del off
    "trace a process": trace,
    "signal process 1": lambda: os.kill(1, 0),
    "real-time priority": real_time,
    "input and output ports": lambda: call(libc.iopl, 3),
    "memory written and executed": written_and_executed,
    "load a BPF program": lambda: call(libc.syscall, 321, 0, struct.pack("IIII", 2, 4, 8, 1).ljust(128, b"\0"), 128),
}
SOCKETS_REFUSED = {
    "a raw socket": socketed(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "a packet socket": socketed(socket.AF_PACKET, socket.SOCK_RAW),
    "a netlink socket": socketed(socket.AF_NETLINK, socket.SOCK_RAW),
    "a crypto socket": socketed(socket.AF_ALG, socket.SOCK_SEQPACKET),
}
ALLOWED = {
    "the camera": opened("/dev/video0", os.O_RDWR),
    "the serial sensor": opened("/dev/ttyACM0", os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY),
    "the I2C bus": opened("/dev/i2c-0", os.O_RDWR),
    "the keypad": opened("/dev/input/by-id/guest-keypad", os.O_RDWR),
    "its state folder": made(STATE / "probe-file"),
    "its temporary folder": made("/tmp/probe"),
    "TCP": socketed(socket.AF_INET, socket.SOCK_STREAM),
}
GROUPS = {
    "devices": DEVICES_REFUSED,
    "files": FILES_REFUSED,
    "privileges": PRIVILEGES_REFUSED,
    "sockets": SOCKETS_REFUSED,
    "allowed": ALLOWED,
}


def attempt(deed) -> str:
    """ "done", or how it was refused."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        result = "done"
        try:
            deed()
        except OSError as error:
            result = errno.errorcode.get(error.errno or 0, str(error))
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
        os.write(writing, result.encode())
        os._exit(0)
    os.close(writing)
    said = os.read(reading, 1000).decode()
    os.close(reading)
    _, status = os.waitpid(child, 0)
    return f"killed by {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else said


json.dump({group: {name: attempt(deed) for name, deed in deeds.items()} for group, deeds in GROUPS.items()}, sys.stdout)
print()
