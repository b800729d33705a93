"""Foreign bytes at every door: seeds that a door understands, changed at random, until the time is over.

    scripts/fuzz [DOOR …] [--minutes N] [--seed N]

A door may read them or refuse them in its own words; any other exception, a hang or an end is a fault, which hypothesis
makes as short as it can. Exit code 1 when there was one.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from contextlib import suppress

from doors import DOORS, Door
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from comfywear.system.arguments import number, whole

_WORDS = (
    b"", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r\n", b"\n", b'"', b"{", b"}", b"[", b"]", b"null", b"true", b"NaN",
    b"Infinity", b"-1", b"1e999", b"9" * 400, b"0.0000000001", b",", b";", b":", b"//", b"@", b"%", b"%zz",
    "ä°℃".encode(), b"\xb0C", b" " * 300, b"[" * 5000, b"../../etc/passwd", b"$(id)",
)  # fmt: skip


class OverError(Exception):
    """The time is over."""


def changed(door: Door) -> st.SearchStrategy[bytes]:
    """A seed of the door with up to six places cut, doubled or overwritten; sometimes any bytes at all."""
    edits = st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 40), st.sampled_from(_WORDS) | st.binary(max_size=20)),
        max_size=6,
    )

    def apply(start: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
        data = bytearray(start)
        for place, length, word in changes:
            at = place % (len(data) + 1)
            data[at : at + length] = word
        return bytes(data)

    return st.builds(apply, st.sampled_from(door.seeds), edits) | st.binary(max_size=400)


def fuzz(door: Door, seconds: float, number: int) -> tuple[int, str]:
    """How many inputs were tried, and the fault that was found, in words; "" = none."""
    until_s, tried = time.monotonic() + seconds, 0
    failed: list[tuple[bytes, str]] = []

    with door.open() as read:

        @seed(number)
        @settings(
            max_examples=10_000_000,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(changed(door))
        def attempt(data: bytes) -> None:
            nonlocal tried
            if time.monotonic() > until_s:
                raise OverError
            tried += 1
            try:
                read(data)
            except door.refuses as refusal:
                if str(refusal):
                    return
                failed.append((data, "refused without a word"))
                raise
            except Exception as error:
                failed.append((data, "".join(traceback.format_exception(error, limit=-3))))
                raise

        with suppress(Exception):  # the faults are noted; hypothesis raises them together
            attempt()
    if not failed:
        return tried, ""
    data, words = min(failed, key=lambda each: len(each[0]))
    return tried, f"{data[:300]!r}{' …' if len(data) > 300 else ''} ({len(data)} bytes)\n{words[-2000:]}"


def main() -> int:
    """Try the doors that are named, or all, with an equal share of the time."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("door", nargs="*", help=f"of {', '.join(DOORS)} (default: all)")
    parser.add_argument("--minutes", type=number(0.0, 1e6), default=5.0, help="in all (default 5)")
    parser.add_argument("--seed", type=whole(0, 2**32 - 1), default=0)
    args = parser.parse_args()
    unknown = set(args.door) - set(DOORS)
    if unknown:
        parser.error(f"no door is named {', '.join(sorted(unknown))}; there are {', '.join(DOORS)}")
    names = args.door or list(DOORS)
    faults = 0
    for name in names:
        tried, found = fuzz(DOORS[name], 60 * args.minutes / len(names), args.seed)
        print(f"{name:14} {tried:8} inputs  {'FAULT' if found else 'no fault'}", flush=True)
        if found:
            faults += 1
            print(found, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
