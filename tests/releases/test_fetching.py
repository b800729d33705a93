"""Fetching: bounded, resumed, verified, and only from where it is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from certificates import Authority
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import Server

from comfywear.errors import ModelError, UsageError
from comfywear.releases.fetching import ReleaseSource, open_source
from comfywear.releases.rules import Rules, check_url
from comfywear_models.release import LARGEST_MANIFEST_BYTES

CONTENT = bytes(range(256)) * 1000
FAST = Rules(pauses_s=(0.01, 0.01))


@pytest.fixture
def source(server: Server) -> ReleaseSource:
    (server.folder / "m.release.json").write_bytes(b"{}")
    (server.folder / "m.onnx").write_bytes(CONTENT)
    return open_source(f"{server.url}m.release.json", FAST)


def fetch(source: ReleaseSource, path: Path, size: int = len(CONTENT)) -> list[int]:
    heard: list[int] = []
    source.fetch("m.onnx", path, size, heard.append)
    return heard


def test_a_broken_download_goes_on_where_it_broke_off(server: Server, source: ReleaseSource, tmp_path: Path) -> None:
    server.breaks["m.onnx"] = [1000, 50_000]
    assert source.manifest() == b"{}"
    assert fetch(source, tmp_path / "part")[-1] == len(CONTENT)
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.asked[1:] == ["m.onnx", "m.onnx bytes=1000-", "m.onnx bytes=51000-"]


def test_a_pull_that_was_given_up_goes_on_the_next_time(server: Server, source: ReleaseSource, tmp_path: Path) -> None:
    server.breaks["m.onnx"] = [1000, 0, 0, 0]
    with pytest.raises(ModelError, match=r"it broke off \(1000 of 256000 bytes came\); pull again to go on from there"):
        fetch(source, tmp_path / "part")
    assert (tmp_path / "part").stat().st_size == 1000
    server.breaks.clear()
    fetch(source, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert server.asked[-1] == "m.onnx bytes=1000-"
    fetch(source, tmp_path / "part")
    assert len(server.asked) == 4  # what is whole is not asked for again


def test_a_server_without_ranges_begins_again(server: Server, source: ReleaseSource, tmp_path: Path) -> None:
    server.ranges = False
    server.breaks["m.onnx"] = [1000]
    fetch(source, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT


@pytest.mark.parametrize("size", [1, len(CONTENT) - 1, len(CONTENT) + 1])
def test_no_more_is_taken_than_the_release_says(source: ReleaseSource, tmp_path: Path, size: int) -> None:
    with pytest.raises(ModelError, match=rf"the server's file has 256000 bytes, the release says {size}"):
        fetch(source, tmp_path / "part", size)
    assert not (tmp_path / "part").exists()


def test_what_the_server_keeps_sending_is_cut_off(server: Server, source: ReleaseSource, tmp_path: Path) -> None:
    """A part that says it fits, and then does not end."""
    server.breaks["m.onnx"] = [1000, 0, 0, 0]
    with pytest.raises(ModelError):
        fetch(source, tmp_path / "part")
    (server.folder / "m.onnx").write_bytes(CONTENT * 2)
    with pytest.raises(ModelError, match="the server's file has 512000 bytes"):
        fetch(source, tmp_path / "part")
    assert (tmp_path / "part").stat().st_size == 1000


def test_a_manifest_without_end_is_refused(server: Server, source: ReleaseSource) -> None:
    (server.folder / "m.release.json").write_bytes(b" " * (LARGEST_MANIFEST_BYTES + 1))
    with pytest.raises(ModelError, match="not a release's manifest"):
        source.manifest()


def test_a_file_that_is_not_there_is_said_at_once(server: Server, source: ReleaseSource, tmp_path: Path) -> None:
    (server.folder / "m.onnx").unlink()
    with pytest.raises(ModelError, match="the server answers 404"):
        fetch(source, tmp_path / "part")
    assert server.asked == ["m.onnx"]


def test_nobody_at_the_other_end_is_said(server: Server, source: ReleaseSource) -> None:
    server.stop()
    with pytest.raises(ModelError, match="it broke off"):
        source.manifest()


def test_the_servers_certificate_is_verified(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    server = Server(tmp_path, authority.sign("server", host="localhost"))
    (tmp_path / "m.release.json").write_bytes(b"{}")
    server.start()
    url = f"{server.url}m.release.json"
    try:
        with pytest.raises(ModelError, match="the server's certificate is not verified"):
            open_source(url, FAST).manifest()
        trusting = Rules(ca_file=str(authority.pem), pauses_s=())
        assert open_source(url, trusting).manifest() == b"{}"
        with pytest.raises(ModelError, match="certificate is not verified"):
            open_source(url.replace("localhost", "127.0.0.1"), trusting).manifest()
        server.elsewhere["m.release.json"] = "http://localhost:1/"
        with pytest.raises(UsageError, match="from https:// to http://"):
            open_source(url, trusting).manifest()
    finally:
        server.stop()
    with pytest.raises(UsageError, match=r"updates\.ca_file .* not a certificate"):
        open_source(url, Rules(ca_file=str(tmp_path / "none.pem")))


def test_a_server_cannot_lead_out_of_what_is_allowed(server: Server) -> None:
    rules = Rules(prefixes=(f"{server.url}good/",), pauses_s=())
    server.elsewhere["good/m.release.json"] = f"{server.url}bad/m.release.json"
    with pytest.raises(UsageError, match=r"sends elsewhere, which is not followed: .* not below one of"):
        open_source(f"{server.url}good/m.release.json", rules).manifest()
    assert server.asked == ["good/m.release.json"]


AFAR = Rules(prefixes=("https://models.example.org/comfywear/",))


@pytest.mark.parametrize(
    ("url", "rules", "words"),
    [
        ("http://models.example.org/m", Rules(), "not encrypted"),
        ("ftp://models.example.org/m", Rules(), "from https://, or from a file"),
        ("file:///etc/passwd", Rules(), "from https://, or from a file"),
        ("https://", Rules(), "from https://"),
        ("https://me:secret@models.example.org/m", Rules(), "would stand in logs"),
        ("https://a b/", Rules(), "without spaces"),
        ("https://a:99999999/", Rules(), "not a URL"),
        ("/etc/passwd", AFAR, "only a URL"),
        ("https://other.example.org/comfywear/m", AFAR, r"not below one of updates\.sources"),
        ("https://models.example.org.evil.org/comfywear/m", AFAR, "not below"),
        ("https://models.example.org/comfywear", AFAR, "not below"),
        ("https://models.example.org/comfywear/../x", AFAR, r"\.\. in its path"),
        ("https://models.example.org/comfywear/%2e%2E/x", AFAR, r"\.\. in its path"),
        ("https://models.example.org/comfywear/a%2f..%2f..%2fx", AFAR, r"\.\. in its path"),
        ("https://models.example.org/m", Rules(prefixes=()), "none is named"),
    ],
)
def test_only_what_is_allowed_is_fetched(url: str, rules: Rules, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_source(url, rules)


def test_http_is_taken_from_this_machine_and_where_the_settings_say_so() -> None:
    check_url("http://127.0.0.1:8000/m", Rules())
    check_url("http://models.local/m", Rules(allow_http=True))
    check_url("https://models.example.org/comfywear/m.release.json", AFAR)


@settings(max_examples=50)
@given(st.text(max_size=60), st.sampled_from(["", "https://models.example.org/comfywear/"]))
def test_whatever_is_allowed_lies_below_a_source(text: str, start: str) -> None:
    def allowed(check: Callable[[str, Rules], None]) -> bool:
        try:
            check(start + text, AFAR)
        except UsageError:
            return False
        return True

    if allowed(check_url):
        assert (start + text).startswith("https://models.example.org/comfywear/")
        assert ".." not in text.split("/")
