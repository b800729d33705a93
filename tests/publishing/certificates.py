"""An authority and its certificates, made with the openssl command for one test session."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


class Authority:
    """Signs certificates; files are NAME.pem and NAME.key in `folder`."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        if shutil.which("openssl") is None:
            pytest.skip("needs the command openssl")
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.pem = folder / "ca.pem"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", folder / "ca.key", "-out", self.pem,
        )  # fmt: skip

    def sign(self, name: str, *, host: str = "", days: int = 2) -> tuple[Path, Path]:
        """A certificate for `name` and its key; for a broker with the name of its host."""
        certificate, key, request = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", request,
        )  # fmt: skip
        names = self.folder / f"{name}.names"
        names.write_text(f"subjectAltName=DNS:{host}\n" if host else "basicConstraints=CA:FALSE\n")
        self._openssl(
            "x509", "-req", "-days", str(days), "-in", request, "-CA", self.pem, "-CAkey", self.folder / "ca.key",
            "-CAcreateserial", "-extfile", names, "-out", certificate,
        )  # fmt: skip
        return certificate, key

    def _openssl(self, *arguments: object) -> None:
        subprocess.run(["openssl", *(str(each) for each in arguments)], check=True, capture_output=True)
