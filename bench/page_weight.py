"""What the page weighs, and how soon a slow phone can vote: python bench/page_weight.py (playwright and chromium).

Slow is Chromium's emulation: processor × 6, 1.6 Mbit/s down, 768 kbit/s up, 300 ms a request (WebPageTest's "3G").
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "web"))
from page_peers import MadeUp, serving

READY = """new MutationObserver(() => {
  if (!window.ready && document.querySelector("#faces button")) window.ready = performance.now();
}).observe(document, {childList: true, subtree: true})"""
SLOW = {"offline": False, "latency": 300, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 768e3 / 8}


def looked(playwright: Any, url: str, *, slow: bool) -> tuple[float, dict[str, int]]:
    """Milliseconds until the faces can be pressed, and bytes on the wire by address."""
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
    page.add_init_script(READY)
    page.goto(f"{url}/?zone=desk")
    page.wait_for_selector("#faces button")
    ready_ms = float(page.evaluate("window.ready"))
    page.wait_for_timeout(1500)
    browser.close()
    return ready_ms, {f"{name.removeprefix(url)} {key}": int(sizes.get(key, 0)) for key, name in names.items()}


def main() -> None:
    """Print both."""
    with sync_playwright() as playwright, serving(MadeUp()) as url:
        plain_ms, weights = looked(playwright, url, slow=False)
        slow_ms = [looked(playwright, url, slow=True)[0] for _ in range(5)]
    for name, size in sorted(weights.items(), key=lambda each: -each[1]):
        print(f"{size:7d}  {name.split(' ')[0]}")
    print(f"{sum(weights.values())} bytes in {len(weights)} requests; this machine's load is {os.getloadavg()[0]:.1f}")
    print(f"first vote possible after {plain_ms:.0f} ms; slow phone: {statistics.median(slow_ms):.0f} ms (median of 5)")


if __name__ == "__main__":
    main()
