"""HTML to PDF by the browser that the system has."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from comfywear.errors import ComfyWearError

__all__ = ["BROWSERS", "print_pdf"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
_PATIENCE_S = 180.0
_ELSE = "or take --out with a name that ends in .html and print that from any browser"


def print_pdf(html: str) -> bytes:
    """The pages as PDF.

    Raises:
        ComfyWearError: When there is no such browser here, or it makes none.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise ComfyWearError(f"a PDF is made by the browser Chromium, which is not here: apt install chromium, {_ELSE}")
    with tempfile.TemporaryDirectory(prefix="comfywear-report-") as made:
        page, pdf = Path(made) / "report.html", Path(made) / "report.pdf"
        page.write_text(html, encoding="utf-8")
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium refuses to run as root otherwise
            f"--user-data-dir={made}/profile",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--print-to-pdf={pdf}",
            page.as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=False)
        except subprocess.TimeoutExpired:
            raise ComfyWearError(f"{browser} made no PDF within {_PATIENCE_S:.0f} s: try again, {_ELSE}") from None
        except OSError as error:
            raise ComfyWearError(f"{browser} cannot be started ({error.strerror}): {_ELSE}") from error
        if not pdf.is_file() or not pdf.read_bytes().startswith(b"%PDF"):
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            why = f" ({said[-1][:200]})" if said else ""
            raise ComfyWearError(f"{browser} made no PDF{why}: {_ELSE}")
        return pdf.read_bytes()
