"""What the page weighs, and how soon a slow phone can vote: python bench/page_weight.py [CHECKOUT …].

Slow is Chromium's emulation: processor × 6, 1.6 Mbit/s down, 768 kbit/s up, 300 ms a request (WebPageTest's "3G").
Other checkouts are measured beside this one, in turns: compare ratios, since a busy machine is slow itself.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parents[1]
ROUNDS = 9
SLOW = {"offline": False, "latency": 300, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 768e3 / 8}
# A face is pressed as soon as the browser says that its words are on the screen; `drawn` is that moment, in ms.
PRESS = """(() => {
  new PerformanceObserver((list) => {
    if (window.drawn !== undefined) return;
    window.drawn = list.getEntries()[0].renderTime;
    document.querySelector("#faces button").click();
  }).observe({ type: "element", buffered: true });
  new MutationObserver((_, all) => {
    const words = document.querySelector("#faces button .words");
    if (!words?.textContent) return;
    words.setAttribute("elementtiming", "face");
    all.disconnect();
  }).observe(document, { childList: true, subtree: true });
})()"""


def serve(checkout: Path) -> None:
    """A checkout's page until standard input ends; prints its address, and each vote's time."""
    sys.path[:0] = [str(checkout / "tests" / "web"), str(checkout / "tests")]
    from page_peers import MadeUp, serving

    from comfywear import web

    class Timed(MadeUp):
        def vote(self, *given: Any, **more: Any) -> web.Accepted:
            print(time.time(), flush=True)
            return super().vote(*given, **more)

    with serving(Timed()) as url:
        print(url, flush=True)
        sys.stdin.read()


class Page:
    """A checkout's page, and what was measured of it: (drawn, with the device) in ms."""

    def __init__(self, checkout: Path, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._said = process.stdout
        self.checkout, self.url = checkout, self._said.readline().strip()
        self.slow: list[tuple[float, float]] = []

    def vote(self, playwright: Any, *, slow: bool) -> tuple[float, float, dict[str, int]]:
        """Milliseconds until a face is drawn and until its vote is with the device, and bytes by address."""
        options = ["--disable-gpu"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        tools, names, sizes = page.context.new_cdp_session(page), {}, {}
        tools.send("Network.enable")
        tools.on("Network.requestWillBeSent", lambda said: names.update({said["requestId"]: said["request"]["url"]}))
        tools.on("Network.loadingFinished", lambda said: sizes.update({said["requestId"]: said["encodedDataLength"]}))
        if slow:
            tools.send("Emulation.setCPUThrottlingRate", {"rate": 6})
            tools.send("Network.emulateNetworkConditions", SLOW)
        page.add_init_script(PRESS)
        page.goto(f"{self.url}/?zone=desk")
        came_ms = 1000 * float(self._said.readline())
        page.wait_for_timeout(1500)
        drawn_ms, asked_ms = (float(page.evaluate(name)) for name in ("window.drawn", "performance.timeOrigin"))
        browser.close()
        weights = {f"{name.removeprefix(self.url)} {key}": int(sizes.get(key, 0)) for key, name in names.items()}
        return drawn_ms, came_ms - asked_ms, weights


@contextmanager
def pages(checkouts: list[Path]) -> Iterator[list[Page]]:
    """The pages of all of them, while they run."""
    with ExitStack() as stack:
        found = []
        for checkout in checkouts:
            folders = (str(checkout / name) for name in ("runtime", "sensors", "export", "models"))
            environment = {**os.environ, "PYTHONPATH": ":".join((*folders, os.environ.get("PYTHONPATH", "")))}
            arguments = [sys.executable, __file__, "--serve", str(checkout)]
            process = subprocess.Popen(
                arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.enter_context(process)  # closes its input, and waits
            found.append(Page(checkout, process))
        yield found


def main(checkouts: list[Path]) -> None:
    """Print the weight of each, and how soon it can be pressed."""
    with sync_playwright() as playwright, pages(checkouts) as found:
        weights = {page.checkout: page.vote(playwright, slow=False)[2] for page in found}
        for _ in range(ROUNDS):
            for page in found:
                page.slow.append(page.vote(playwright, slow=True)[:2])
    for name, size in sorted(weights[HERE].items(), key=lambda each: -each[1]):
        print(f"{size:7d}  {name.split(' ')[0]}")
    print(f"slow phone, median and least of {ROUNDS} in turns; this machine's load is {os.getloadavg()[0]:.1f}")
    for page in found:
        sizes = weights[page.checkout]
        drawn, came = (f"{statistics.median(each):.0f} ({min(each):.0f})" for each in zip(*page.slow, strict=True))
        print(f"{page.checkout}: {sum(sizes.values())} bytes in {len(sizes)} requests")
        print(f"  the faces are drawn after {drawn} ms; a vote pressed then is with the device after {came} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("others", metavar="CHECKOUT", nargs="*", type=Path, help="to be measured beside this one")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
    else:
        main([HERE, *(other.resolve() for other in given.others)])
