"""Backups on the page, in a real browser: downloaded, looked at, restored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from page_peers import MadeUp, serving

from browsers import IN_BOTH, PHONE, holds, is_firefox, serious


@IN_BOTH
def test_a_backup_is_downloaded_with_and_without_secrets(screen: Callable[..., Any]) -> None:
    device = MadeUp()
    with serving(device) as url:
        page = screen(f"{url}/#about")
        page.click("#backup summary")
        for passphrase, content in (("", b"PK"), ("correct horse battery", b"PKcorrect horse battery")):
            page.fill("#passphrase", passphrase)
            if is_firefox(page):  # it tells WebDriver nothing of what a page itself made
                page.click("#backup button")
                page.wait_for_selector("#backup [role=status] >> text=home-d1.comfywear")
                holds(page, "!document.querySelector('#backup button').disabled")
            else:
                with page.expect_download() as coming:
                    page.click("#backup button")
                assert coming.value.suggested_filename == "home-d1.comfywear"
                assert Path(coming.value.path()).read_bytes() == content
            assert page.input_value("#passphrase") == ""
        page.fill("#passphrase", "short")
        page.click("#backup button")
        page.wait_for_selector("#backup [role=status] >> text=12 characters")
        assert serious(page) == []
    assert not [made for made in device.made if made.exists()], "what was sent does not stay on the device"


@IN_BOTH
def test_a_backup_is_restored_after_it_was_looked_at_and_asked_what_to_keep(
    screen: Callable[..., Any], tmp_path: Path
) -> None:
    device, file = MadeUp(), tmp_path / "home-d1.comfywear"
    with serving(device) as url:
        page = screen(f"{url}/#about", PHONE)
        page.click("#backup details >> nth=0")
        page.click("#restore summary")
        file.write_bytes(b"no backup")
        page.set_input_files("#restore-file", file)
        page.wait_for_selector("#restore-said >> text=Nothing was changed: the backup cannot be read")
        file.write_bytes(b"PK made up")
        page.set_input_files("#restore-file", file)
        page.wait_for_selector("#restore-said >> text=Nothing is changed yet")
        shown = page.inner_text("#restore-asked")
        for said in (
            "home/d1",
            "12 in the backup, 3 on this device",
            "Window seat",
            "mqtt, zones",
            "this device is d2",
        ):
            assert said in shown
        assert serious(page) == []
        wide = "[...document.querySelectorAll('#view-about *')].filter((each) => each.getBoundingClientRect().right"
        assert page.evaluate(f"{wide} > innerWidth).map((each) => each.outerHTML)") == [], "nothing leaves a phone"
        page.click("#restore-asked button")
        page.wait_for_selector("#restore-said >> text=Choose which device")
        page.check("#restore-own")
        page.fill("#restore-passphrase", "wrong passphrase")
        page.click("#restore-asked button")
        page.wait_for_selector("#restore-said >> text=not the passphrase")
        assert device.desk.restored == []
        page.fill("#restore-passphrase", "correct horse battery staple")
        page.click("#restore-asked button")
        page.wait_for_selector("#restore-said >> text=Restored: home/d1")
        assert "before-restore-1" in page.inner_text("#restore-said")
        (said_so,) = device.desk.restored
        assert (said_so.settings, said_so.takes_place) == (True, False)
        page.set_input_files("#restore-file", file)
        page.uncheck("#restore-settings")
        assert not page.is_visible("#restore-passphrase")
        assert not page.is_visible("#restore-place")
        page.click("#restore-asked button")
        page.wait_for_selector("#restore-said >> text=Restored: home/d1")
        assert (device.desk.restored[-1].settings, device.desk.restored[-1].passphrase) == (False, None)
