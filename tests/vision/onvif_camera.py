"""A camera that speaks ONVIF for tests: answers a probe over UDP and requests over HTTP, with its own clock."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from http_camera import Request, digest_is_right

_ENVELOPE = (
    '<?xml version="1.0"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
    'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema">'
    "<env:Body>{}</env:Body></env:Envelope>"
)


@dataclass
class Onvif:
    """How the camera behaves, and what it was asked."""

    user: str = "admin"
    password: str = "geheim"
    ahead: dt.timedelta = dt.timedelta()
    http_digest: bool = False
    streams: dict[str, str] = field(default_factory=lambda: {"main": "rtsp://{host}:554/Streaming/101"})
    elsewhere: str = ""
    media: str = ""
    raw: bytes = b""  # said to every request instead of an answer
    flood: list[bytes] = field(default_factory=list)  # said to a probe after the answer
    udp: int = 0
    http: int = 0
    heard: list[str] = field(default_factory=list)
    logins: list[bool] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def onvif_camera(camera: Onvif) -> Iterator[Onvif]:
    """Run it on free ports of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            camera.bodies.append(body + str(self.headers).encode())
            text = body.decode()
            action = re.search(r"<s:Body><(\w+)", text)
            assert action
            camera.heard.append(action[1])
            if action[1] != "GetSystemDateAndTime" and not self._proven(text):
                self._say("<env:Fault><env:Subcode>ter:NotAuthorized</env:Subcode></env:Fault>", 400)
                return
            self._say(_answer(camera, action[1], text, camera.http))

        def _proven(self, text: str) -> bool:
            if camera.http_digest:
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.path, headers, self.connection)
                found: bool | None = digest_is_right(request, camera.user, camera.password, method="POST")
            else:
                found = _token_is_right(camera, text)
            tried = "Authorization" in self.headers if camera.http_digest else "UsernameToken" in text
            if found is not None and tried:
                camera.logins.append(found)
            return bool(found)

        def _say(self, inside: str, status: int = 200) -> None:
            data = camera.raw or _ENVELOPE.format(inside).encode()
            asks = status == 400 and camera.http_digest
            self.send_response(401 if asks else status)
            if asks:
                self.send_header("WWW-Authenticate", 'Basic realm="x"')
                self.send_header("WWW-Authenticate", 'Digest realm="x", nonce="n", qop="auth"')
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    camera.http = int(server.server_port)
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("127.0.0.1", 0))
    camera.udp = door.getsockname()[1]

    def listen() -> None:
        with suppress(OSError):
            while True:
                asked, back = door.recvfrom(65_535)
                assert b"NetworkVideoTransmitter" in asked
                address = camera.elsewhere or f"http://127.0.0.1:{camera.http}/onvif/device_service"
                scopes = (
                    "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Front%20Door "
                    "onvif://www.onvif.org/hardware/DS-2CD"
                )
                match = (
                    f"<d:ProbeMatches><d:ProbeMatch><d:Scopes>{scopes}</d:Scopes><d:XAddrs>"
                    f"http://[fe80::1]/onvif/device_service {address}</d:XAddrs></d:ProbeMatch></d:ProbeMatches>"
                )
                door.sendto(b"not even XML", back)
                door.sendto(_ENVELOPE.format(match).encode(), back)
                for each in camera.flood:
                    door.sendto(each, back)

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield camera
    finally:
        door.close()
        server.shutdown()
        server.server_close()


def _token_is_right(camera: Onvif, text: str) -> bool | None:
    said = {name: found[1] for name in ("Username", "Password", "Nonce", "Created") if (found := _tag(name, text))}
    if len(said) < 4:
        return None
    created = dt.datetime.strptime(said["Created"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.timezone.utc)
    late = abs(created - dt.datetime.now(dt.timezone.utc) - camera.ahead) > dt.timedelta(seconds=60)
    data = base64.b64decode(said["Nonce"]) + said["Created"].encode() + camera.password.encode()
    right = base64.b64encode(hashlib.sha1(data).digest()).decode()
    return said["Username"] == camera.user and said["Password"] == right and not late


def _tag(name: str, text: str) -> re.Match[str] | None:
    return re.search(rf"<{name}[^>]*>([^<]*)</{name}>", text)


def _answer(camera: Onvif, action: str, text: str, port: int) -> str:
    if action == "GetSystemDateAndTime":
        now = dt.datetime.now(dt.timezone.utc) + camera.ahead
        day = f"<tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
        time = f"<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second>"
        return f"<tt:UTCDateTime><tt:Time>{time}</tt:Time><tt:Date>{day}</tt:Date></tt:UTCDateTime>"
    if action == "GetCapabilities":  # its address is that of before it moved
        media = camera.media or f"http://192.168.255.9:{port}/onvif/Media"
        return f"<tt:Media><tt:XAddr>{media}</tt:XAddr></tt:Media>"
    if action == "GetProfiles":
        size = "<tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution>"
        coder = f"<tt:VideoEncoderConfiguration><tt:Encoding>H264</tt:Encoding>{size}</tt:VideoEncoderConfiguration>"
        named = {name: f"<tt:Name>{name}</tt:Name>{coder}" for name in camera.streams}
        return "".join(f'<trt:Profiles token="{name}">{said}</trt:Profiles>' for name, said in named.items())
    assert action == "GetStreamUri"
    token = _tag("ProfileToken", text)
    assert token
    return f"<trt:MediaUri><tt:Uri>{camera.streams[token[1]].replace('{host}', '127.0.0.1')}</tt:Uri></trt:MediaUri>"
