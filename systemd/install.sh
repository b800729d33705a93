#!/usr/bin/env bash
# Installs comfywear as a service, or brings it to the version of this checkout, newer or older. Safe to run again.
#   sudo systemd/install.sh                  install, keep settings and data, start
#   systemd/install.sh --dry-run             only say what would be done
#   sudo systemd/install.sh --kiosk          and the unit that shows the page on an attached screen (docs/service.md)
#   sudo systemd/install.sh --jetson         and the device nodes of a Jetson's graphics processor
#   sudo systemd/install.sh --no-start       install without starting or stopping anything
#   sudo systemd/install.sh --uninstall      remove the program; settings and data stay
#   sudo systemd/install.sh --uninstall --purge   and settings and data too
#   --root DIR   below another folder than /, for images and packages; starts nothing
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)

dry= start=1 remove= purge= root= kiosk= jetson=
say() { printf '%s\n' "install: $*"; }
fail() { say "$*" >&2; exit 1; }
usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }

while [ $# -gt 0 ]; do
  case "$1" in
    --dry-run) dry=1 ;;
    --no-start) start= ;;
    --uninstall) remove=1 ;;
    --kiosk) kiosk=1 ;;
    --jetson) jetson=1 ;;
    --purge) purge=1 ;;
    --root) [ -n "${2:-}" ] || fail "--root needs a folder"; root=${2%/}; start=; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; fail "unknown: $1" ;;
  esac
  shift
done
[ -z "$purge" ] || [ -n "$remove" ] || fail "--purge goes with --uninstall"

run() { # every change to the system goes through here
  if [ -n "$dry" ]; then printf '  %s\n' "$*"; else "$@"; fi
}
system() { # tells the running system; nothing to tell in another root
  [ -n "$root" ] || run "$@"
}
may_start() { [ -n "$start" ] && [ -z "$root" ]; }

# What is put where; the same list is removed.
files=(
  "comfywear.service /etc/systemd/system/comfywear.service"
  "sysusers.d/comfywear.conf /etc/sysusers.d/comfywear.conf"
  "tmpfiles.d/comfywear.conf /etc/tmpfiles.d/comfywear.conf"
  "udev/60-comfywear.rules /etc/udev/rules.d/60-comfywear.rules"
)
# Where asked for once, they stay and are brought up to date.
kiosk_unit=/etc/systemd/system/comfywear-kiosk.service
jetson_lines=/etc/systemd/system/comfywear.service.d/jetson.conf
wanted() { [ -n "$remove$1" ] || [ -e "$root$2" ]; }
if wanted "$kiosk" $kiosk_unit; then files+=("comfywear-kiosk.service $kiosk_unit"); fi
if wanted "$jetson" $jetson_lines; then files+=("comfywear.service.d/jetson.conf $jetson_lines"); fi
settings=$root/etc/comfywear/device.toml
program=$root/opt/comfywear

if [ -z "$dry" ] && [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
  fail "this changes the system: run it as root (sudo), or see what it would do with --dry-run"
fi

if [ -d "$program" ] && [ ! -L "$program" ]; then
  fail "the Debian package is installed, which apt looks after: sudo apt remove comfywear first (settings and data stay)"
fi

if [ -n "$remove" ]; then
  say "removing the program${purge:+, its settings and its data}"
  if may_start; then
    for unit in comfywear-kiosk.service comfywear.service; do
      if [ -e "/etc/systemd/system/$unit" ]; then run systemctl disable --now "$unit" || true; fi
    done
  fi
  for entry in "${files[@]}"; do run rm -f "$root${entry#* }"; done
  if [ -d "$root${jetson_lines%/*}" ]; then run rmdir --ignore-fail-on-non-empty "$root${jetson_lines%/*}"; fi
  run rm -rf "$program" "$program"-[0-9]*
  system systemctl daemon-reload
  if [ -n "$purge" ]; then
    run rm -rf "$root/etc/comfywear" "$root/var/lib/comfywear" "$root/var/lib/private/comfywear"
  else
    say "settings stay in $root/etc/comfywear, votes and unsent messages in $root/var/lib/comfywear (--purge removes both)"
  fi
  exit 0
fi

# Programs of 32 bits run on a 64-bit kernel too (Raspberry Pi OS, 32-bit), so that not the kernel is asked.
[ "$(getconf LONG_BIT)" = 64 ] || fail "this system has 32 bits and the model engines have none: install the 64-bit one"
python=
for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.10; do
  [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
  if "$candidate" -c 'import sys; sys.exit(not ((3, 10) <= sys.version_info[:2] <= (3, 13) and sys.maxsize > 2**32))' \
    2>/dev/null; then
    python=$(command -v "$candidate")
    break
  fi
done
[ -n "$python" ] || fail "a 64-bit Python 3.10 to 3.13 is needed: apt install python3 python3-venv, or name one with PYTHON=…"
# The service may not read anybody's home (ProtectHome), so that a Python in one could not start it.
case "${root:+image}$("$python" -c 'import sys; print(sys.base_prefix)')" in
  /root/* | /home/*) fail "$python lies in a home, which the service may not read: PYTHON=/usr/bin/python3 systemd/install.sh" ;;
esac

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$source/pyproject.toml")
content=$(cd "$source" && find runtime sensors models pyproject.toml constraints.txt -type f ! -name '*.pyc' | sort |
  xargs -d '\n' sha256sum | sha256sum | cut -c1-8)
into=/opt/comfywear-$version-$content
extras=tflite,modbus,bacnet
case "$(uname -m)" in aarch64) extras=$extras,pi ;; esac

say "comfywear $version into $root$into, with $("$python" --version 2>&1)"
# A folder of its own for each version, and a link to the one in use: what runs is never half replaced.
if [ ! -e "$root$into/.ready" ] || [ -n "$dry" ]; then
  run rm -rf "$root$into"
  run mkdir -p "$root/opt"
  run "$python" -m venv "$root$into" || fail "Python's venv module is missing: apt install python3-venv"
  pins=$root$into/constraints.txt
  if [ -z "$dry" ]; then sed -e '/--hash=/d' -e 's/ \\$//' "$source/constraints.txt" >"$pins"; fi
  say "fetching packages (some minutes on a small board)"
  run "$root$into/bin/python" -m pip install --disable-pip-version-check --quiet --constraint "$pins" "$source[$extras]"
  run touch "$root$into/.ready"
fi
if [ -n "$root" ]; then
  say "a virtual environment knows its own place: in the image, run this script itself (chroot) rather than copying"
fi

for entry in "${files[@]}"; do run install -D -m 644 "$source/systemd/${entry% *}" "$root${entry#* }"; done
if [ -e "$settings" ]; then
  say "$settings stays as it is"
elif [ ! -e "$root/var/lib/private/comfywear/device.toml" ]; then
  say "set it up at http://THIS MACHINE:8080/ with the code that journalctl -u comfywear says,"
  say "or by hand: cp $source/systemd/device.toml $settings, and restart the service"
fi
previous=$(readlink "$program" 2>/dev/null || true)
run ln -sfn "${into##*/}" "$program"

system systemd-sysusers
system systemd-tmpfiles --create /etc/tmpfiles.d/comfywear.conf
if [ -d /run/udev ]; then
  system udevadm control --reload
  system udevadm trigger --subsystem-match=gpio --subsystem-match=i2c-dev
fi
if may_start; then
  run systemctl daemon-reload
  run systemctl enable comfywear.service
  run systemctl restart comfywear.service
fi
if [ -n "$kiosk" ]; then
  say "the page on a screen is off: apt install cog, [web] enabled = true, then systemctl enable --now comfywear-kiosk"
fi
if [ -e /etc/nv_tegra_release ] && [ -z "$root" ] && [ ! -e "$jetson_lines" ]; then
  say "this is a Jetson: for the engines cuda and tensorrt run it again with --jetson"
fi
# The version before stays until the next one, so that going back is `ln -sfn` and a restart.
for old in "$program"-[0-9]*; do
  case "${old##*/}" in "${into##*/}" | "$previous" | 'comfywear-[0-9]*') ;; *) run rm -rf "$old" ;; esac
done
say "done. Once it has settings, check them with: $program/bin/comfywear doctor --config FILE"
