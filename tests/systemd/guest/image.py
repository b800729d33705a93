"""The guest's disk: a bare Debian 12 with the kernel's test drivers and what plays the devices, without comfywear."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

INSIDE = Path(__file__).resolve().parent / "inside"

# udev, networkd and the kernel's modules as on any Debian; Python is what the package asks for; the rest is to look.
PACKAGES = (
    "systemd,systemd-sysv,udev,dbus,kmod,linux-image-amd64,python3,python3-venv,ca-certificates,"
    "libgomp1,procps,i2c-tools,v4l-utils,sqlite3"
)
TOOLS = {"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "mosquitto": "mosquitto"}
DISK_BYTES = 6 * 2**30

# Run in the new root. The initial RAM disk holds only what finds the disk: a small one saves seconds at every start.
PREPARE = r"""
set -e
root=$1
cat >"$root/etc/initramfs-tools/conf.d/guest" <<'END'
MODULES=list
COMPRESS=gzip
END
printf '%s\n' virtio_pci virtio_blk ext4 >>"$root/etc/initramfs-tools/modules"
chroot "$root" update-initramfs -u
echo guest >"$root/etc/hostname"
printf '127.0.0.1 localhost guest\n' >"$root/etc/hosts"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
echo '/dev/vda / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
chroot "$root" systemctl enable systemd-networkd.service
chroot "$root" systemctl mask getty@tty1.service serial-getty@ttyS0.service apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-pstore.service
rm -rf "$root"/var/cache/apt/* "$root"/usr/share/doc/* "$root"/usr/share/locale/*
"""


class ToolMissingError(Exception):
    """A program that is needed is not installed."""


def check_tools(*, container: bool) -> None:
    """Say at once what is not installed, of what a container or a virtual machine needs.

    Raises:
        ToolMissingError: With the command that installs it.
    """
    machine = {"systemd-nspawn": "systemd-container"} if container else {"qemu-system-x86_64": "qemu-system-x86"}
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = sorted(
        package for tool, package in {**TOOLS, **machine}.items() if shutil.which(tool, path=places) is None
    )
    if missing:
        raise ToolMissingError(f"not installed: apt install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise ToolMissingError("an image with its owners and device files is made as root: sudo scripts/prove-service")


def make_disk(cache: Path, fresh: bool = False) -> Path:
    """The folder of the guest's `disk`, `vmlinuz` and `initrd`, made where it is not there yet (about three minutes).

    Args:
        cache: Where it is kept.
        fresh: Make the base system anew too, with the newest packages.
    """
    base = _base(cache, fresh)
    made = cache / f"disk-{_key(base.name, str(base.stat().st_mtime_ns), *_files())}"
    if not (made / "disk").exists():
        for old in cache.glob("disk-*"):
            shutil.rmtree(old)
        _make_disk(base, made)
    return made


def make_folder(cache: Path) -> Path:
    """The same bare system as a folder, for a container."""
    root = cache / "container"
    shutil.rmtree(root, ignore_errors=True)
    _fill(_base(cache, False), root)
    return root


def _base(cache: Path, fresh: bool) -> Path:
    base = cache / f"base-{_key(PACKAGES, PREPARE)}.tar"
    if fresh:
        base.unlink(missing_ok=True)
    if not base.exists():
        _make_base(base)
    return base


def _make_base(base: Path) -> None:
    base.parent.mkdir(parents=True, exist_ok=True)
    hook = base.with_suffix(".hook")
    hook.write_text("#!/bin/bash\n" + PREPARE)
    hook.chmod(0o755)
    part = base.with_suffix(".part.tar")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", f"--customize-hook={hook}"]
    subprocess.run([*command, "bookworm", str(part)], check=True)
    part.rename(base)


def _fill(base: Path, root: Path) -> None:
    """Unpack the base, with the proof's own files; their services start in a virtual machine alone."""
    root.mkdir(parents=True)
    subprocess.run(["tar", "-xf", base, "-C", root, "--numeric-owner"], check=True)
    for source in INSIDE.rglob("*"):
        if source.is_file() and "__pycache__" not in source.parts:
            target = root / source.relative_to(INSIDE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod(0o644)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    for unit in sorted((INSIDE / "etc/systemd/system").glob("guest-*.service")):
        (wants / unit.name).symlink_to(f"/etc/systemd/system/{unit.name}")


def _make_disk(base: Path, made: Path) -> None:
    root = made / "root"
    _fill(base, root)
    (kernel,), (initrd,) = root.glob("boot/vmlinuz-*"), root.glob("boot/initrd.img-*")
    shutil.copyfile(kernel, made / "vmlinuz")
    shutil.copyfile(initrd, made / "initrd")
    part = made / "disk.part"
    with part.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-F", "-d", root, part], check=True)
    shutil.rmtree(root)
    part.rename(made / "disk")


def _files() -> list[str]:
    return [
        f"{path.relative_to(INSIDE)} {path.read_text()}"
        for path in sorted(INSIDE.rglob("*.*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]


def parcel(package: Path, folder: Path) -> Path:
    """A small read-only disk that holds the package."""
    content, disk = folder / "parcel.d", folder / "parcel"
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir(parents=True)
    shutil.copyfile(package, content / package.name)
    disk.unlink(missing_ok=True)
    megabytes = package.stat().st_size // 2**20 * 5 // 4 + 16
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-F", "-d", content, disk, f"{megabytes}M"], check=True
    )
    shutil.rmtree(content)
    return disk
