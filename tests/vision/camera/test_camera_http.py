"""Cameras over HTTP through their real door: streams and snapshots as cameras send them, logins, redirects, TLS."""

from __future__ import annotations

import base64
import datetime as dt
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from http_camera import Request, digest_is_right, head, hold, http_camera, jpeg, multipart
from test_camera import until

from comfywear.records import Frame
from comfywear.settings.camera_uri import parse_camera_uri
from comfywear.vision import Camera, open_camera
from comfywear.vision.camera.http import _HttpCamera

NEVER = (30.0, 30.0)


def frames_until(camera: Camera, name: str) -> list[Frame]:
    frames = until(camera, lambda: camera.state.name == name)
    last = camera.latest(0)
    return [*frames, *([last] if last else [])]


def chunked(data: bytes, size: int = 700) -> bytes:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(f"{len(p):x}\r\n".encode() + p + b"\r\n" for p in pieces) + b"0\r\n\r\n"


MIXED = "multipart/x-mixed-replace"
STREAMS: dict[str, Callable[[Request], None]] = {
    "boundary with lengths": lambda r: r.send(head(f"{MIXED}; boundary=frame"), multipart("frame")),
    "boundary in quotes, no lengths, in drips": lambda r: r.trickle(
        head(f'{MIXED};boundary="--my b"') + multipart("--my b", lengths=False), 333
    ),
    "no boundary before the first picture": lambda r: r.send(
        head(f"{MIXED};boundary=e8b8"), multipart("e8b8", first=False)
    ),
    "parts in chunks": lambda r: r.send(
        head(f"{MIXED};boundary=1234567890", "Transfer-Encoding: chunked"), chunked(multipart("1234567890"))
    ),
    "no boundary named at all": lambda r: r.send(head(MIXED), multipart("whatever")),
    "bare pictures, no kind, HTTP 1.0": lambda r: r.send(
        head("").replace(b"1.1", b"1.0"), b"".join(jpeg(40 + 30 * i) for i in range(6))
    ),
    "wrong lengths": lambda r: r.send(
        head(f"{MIXED};boundary=x"), multipart("x").replace(b"Content-Length: ", b"Content-Length: 9")
    ),
}


@pytest.mark.parametrize("answer", STREAMS.values(), ids=STREAMS)
def test_an_mjpeg_stream_gives_every_picture_and_its_end_is_a_loss(answer: Callable[[Request], None]) -> None:
    with http_camera(answer) as there, open_camera(f"http://127.0.0.1:{there.port}/stream", retry_s=NEVER) as camera:
        frames = frames_until(camera, "gone")
        assert abs(int(frames[-1].image.mean()) - 190) <= 2
        assert frames[-1].image.shape == (48, 64, 3)
        assert (frames[-1].index, camera.state.reason) == (
            5,
            f"http://127.0.0.1:{there.port}/stream stopped giving pictures",
        )


def test_a_stream_is_read_to_its_newest_picture_and_thinned() -> None:
    def answer(request: Request) -> None:
        request.send(head(f"{MIXED};boundary=x"))
        for index in range(100):
            request.send(b"--x\r\n\r\n", jpeg(index))
            time.sleep(0.02)
        hold(request)

    with http_camera(answer) as there, open_camera(f"http://127.0.0.1:{there.port}/", fps=4, retry_s=NEVER) as camera:
        assert camera.latest(30) is not None
        levels = [int(frame.image.mean()) for frame in (camera.latest(3) for _ in range(3)) if frame]
        assert len(levels) == 3
        assert levels == sorted(levels)
        assert levels[-1] - levels[0] >= 8  # every picture would be two apart


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", ""])
def test_a_snapshot_is_asked_for_again_and_again(kind: str) -> None:
    import cv2
    import numpy as np

    levels = count(60, 10)

    def answer(request: Request) -> None:
        level = next(levels)
        picture = (
            jpeg(level) if kind != "image/png" else bytes(cv2.imencode(".png", np.full((8, 8, 3), level, "u1"))[1])
        )
        if level == 80:
            request.send(head("text/plain", status="503 Busy"), b"later")
            return
        request.send(head(kind, f"Content-Length: {len(picture)}"), picture)
        if kind == "image/jpeg":
            hold(request)  # and leaves the connection open

    with http_camera(answer) as there, open_camera(f"http://127.0.0.1:{there.port}/shot?user=x", fps=20) as camera:
        found = [camera.latest(30) for _ in range(4)]
        assert camera.state.name == "running"
        assert camera.state.restarts == 0
    means = [round(float(frame.image.mean())) for frame in found if frame]
    assert len(means) == 4
    assert means == sorted(set(means))
    assert there.asked[0].target == "/shot?user=x"


def asks_for(challenge: str, right: Callable[[Request], bool]) -> Callable[[Request], None]:
    def answer(request: Request) -> None:
        if right(request):
            request.send(head("image/jpeg"), jpeg(100))
        else:
            request.send(head("text/html", f"WWW-Authenticate: {challenge}", status="401 Unauthorized"), b"<p>no</p>")

    return answer


USER, PASSWORD, WRITTEN = "gast müller", 'ge:h@/e#i?m%"', "gast%20m%C3%BCller:ge%3Ah%40%2Fe%23i%3Fm%25%22"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
LOGINS = {
    "basic": ('Basic realm="cam"', lambda r: r.headers.get("authorization") == BASIC),
    "digest of RFC 2069": ('Digest realm="cam", nonce="abc"', lambda r: digest_is_right(r, USER, PASSWORD)),
    "digest with two qops": (
        'Digest realm="IP Camera", qop="auth-int, auth", nonce="n0", opaque="o", algorithm=MD5, stale="FALSE"',
        lambda r: digest_is_right(r, USER, PASSWORD) and 'opaque="o"' in r.headers["authorization"],
    ),
    "digest of a session": (
        'digest realm="cam",nonce="n",algorithm=MD5-sess,qop=auth',
        lambda r: digest_is_right(r, USER, PASSWORD),
    ),
    "SHA-256 before MD5 before basic": (
        (
            'Basic realm="a", Digest realm="b", nonce="1", algorithm=MD5, Digest realm="b", nonce="2", '
            'algorithm=SHA-256, qop="auth"'
        ),
        lambda r: digest_is_right(r, USER, PASSWORD, "sha256"),
    ),
}


@pytest.mark.parametrize("login", LOGINS.values(), ids=LOGINS)
def test_a_login_is_answered_as_the_camera_asks(login: tuple[str, Callable[[Request], bool]]) -> None:
    with http_camera(asks_for(*login)) as there:
        uri = f"http://{WRITTEN}@127.0.0.1:{there.port}/a?b=c"
        with open_camera(uri, fps=20, retry_s=NEVER) as camera:
            assert camera.latest(30) is not None, camera.state
            assert camera.latest(30) is not None, camera.state
            assert "müller" not in f"{camera.state}{camera.source}"


@pytest.mark.parametrize("challenge", ['Basic realm="cam"', 'Digest realm="cam", nonce="a", qop="auth"'])
def test_a_refused_login_is_said_and_tried_once_in_ten_minutes(challenge: str) -> None:
    with http_camera(asks_for(challenge, lambda _: False)) as there:
        uri = f"http://admin:geheim@127.0.0.1:{there.port}/stream"
        with open_camera(uri, retry_s=(0.01, 0.02)) as camera:
            until(camera, lambda: camera.state.name == "gone")
            assert camera.state.reason == f"http://127.0.0.1:{there.port}/stream: user name or password refused (401)"
            assert camera.latest(1.5) is None
            assert camera.state.restarts == 1
        assert sum("authorization" in request.headers for request in there.asked) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (asks_for('Basic realm="x"', lambda _: False), "asks for a user name and password (401)"),
        (lambda r: r.send(head("", status="403 Forbidden")), "access refused (403)"),
        (lambda r: r.send(head("", status="404 Not Found")), "answers 404 Not Found"),
        (lambda r: r.send(head("text/html"), b"<html>"), "is a web page, not a picture"),
        (lambda r: r.send(head("video/mp4"), b"ftyp"), "gives video/mp4; read here are MJPEG and pictures"),
        (lambda r: r.send(head("application/vnd.apple.mpegurl"), b"#EXTM3U"), "use the camera's rtsp:// address"),
        (lambda r: r.send(head(f"{MIXED};boundary=--d--"), b"\0\0\0\1h" * 2_000_000), "is it H.264?"),
        (
            lambda r: (
                r.send(head(f"{MIXED};boundary=d"), b"--d--\r\nContent-Type: video/x-h264\r\n\r\n\0\0"),
                hold(r),
            )[1],
            "gives video/x-h264; read here are MJPEG and pictures",
        ),
        (lambda r: r.send(head("image/jpeg"), b"<html>"), "gives image/jpeg that is no picture"),
        (lambda r: r.send(head("", "Location: file:///etc/passwd", status="302 Found")), "that is not HTTP"),
        (lambda r: r.send(head("", f"Location: {r.target}x", status="302 Found")), "without an end"),
        (lambda r: r.send(b"220 ready for mail\r\n"), "does not answer in HTTP"),
        (lambda r: r.send(b"HTTP/1.1 200 OK\r\n", b"A: " + b"x" * 70_000, b"\r\n\r\n"), "does not answer in HTTP"),
    ],
)
def test_what_is_no_camera_is_told_as_such(answer: Callable[[Request], None], words: str) -> None:
    with http_camera(answer) as there, open_camera(f"http://127.0.0.1:{there.port}/x", retry_s=NEVER) as camera:
        until(camera, lambda: camera.state.name == "gone")
        assert words in (camera.state.reason or "")


def test_nobody_at_the_address_and_no_such_host_are_told_apart() -> None:
    for uri, words in (
        ("http://127.0.0.1:9/x", "nothing answers at this address and port"),
        ("http://no-such-host.invalid/x", "there is no such host"),
    ):
        with open_camera(uri, retry_s=NEVER) as camera:
            until(camera, lambda camera=camera: camera.state.name == "gone")  # type: ignore[misc]
            assert words in (camera.state.reason or "")


def test_a_redirect_is_followed_and_takes_the_password_to_no_other_host() -> None:
    thief = asks_for('Basic realm="x"', lambda _: False)
    with http_camera(thief) as other:

        def answer(request: Request) -> None:
            if request.target == "/here":
                request.send(head("", "Location: there", status="301 Moved"))
            elif "authorization" not in request.headers:
                request.send(head("", 'WWW-Authenticate: Basic realm="x"', status="401 Unauthorized"))
            elif request.target == "/there":
                request.send(head("image/jpeg"), jpeg(100))
            else:
                request.send(head("", f"Location: http://localhost:{other.port}/", status="302 Found"))

        with http_camera(answer) as there:
            base = f"http://admin:geheim@127.0.0.1:{there.port}"
            with open_camera(f"{base}/here", retry_s=NEVER) as camera:
                assert camera.latest(30) is not None, camera.state
            with open_camera(f"{base}/away", retry_s=NEVER) as camera:
                until(camera, lambda: camera.state.name == "gone")
                assert "401" in (camera.state.reason or "")
        assert len(other.asked) == 1
        assert "authorization" not in other.asked[0].headers


@pytest.mark.parametrize(
    ("camera", "led_to", "own"),
    [
        ("http://ann:geheim@cam/live", "http://cam:80/there", True),
        ("http://ann:geheim@cam:80/live", "http://cam/there", True),
        ("https://ann:geheim@cam/live", "https://cam:443/there", True),
        ("http://ann:geheim@cam/live", "http://cam:81/there", False),
        ("https://ann:geheim@cam/live", "http://cam:443/there", False),
    ],
)
def test_the_usual_port_is_the_same_whether_it_is_written_or_not(camera: str, led_to: str, own: bool) -> None:
    assert _HttpCamera(parse_camera_uri(camera))._own(led_to) is own


@pytest.mark.parametrize("location", ["http://[oops/", "http://127.0.0.1:port/"])
def test_a_redirect_to_no_address_is_told(location: str) -> None:
    moved = head("", f"Location: {location}", status="302 Found")
    with (
        http_camera(lambda request: request.send(moved)) as there,
        open_camera(f"http://127.0.0.1:{there.port}/", retry_s=NEVER) as camera,
    ):
        until(camera, lambda: camera.state.name == "gone")
        assert "not HTTP" in (camera.state.reason or "")


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


def test_a_certificate_is_checked_and_one_that_is_named_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = certificate(tmp_path)
    with http_camera(lambda r: r.send(head("image/jpeg"), jpeg(100)), tls) as there:
        uri = f"https://admin:geheim@localhost:{there.port}/x"
        with open_camera(uri, retry_s=NEVER) as camera:
            until(camera, lambda: camera.state.name == "gone")
            assert "its certificate cannot be trusted" in (camera.state.reason or "")
        assert there.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
        with open_camera(uri, retry_s=NEVER) as camera:
            assert camera.latest(30) is not None, camera.state
