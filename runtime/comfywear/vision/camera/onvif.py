"""Cameras that speak ONVIF: found by WS-Discovery on the local link, and asked for the address of their stream.

Messages are SOAP 1.2 (ONVIF Core and Media Service Specification; WS-Discovery, April 2005). A login is proven by a
digest (WS-Security UsernameToken Profile 1.0, or HTTP Digest where a camera insists): the password itself is never
sent.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import http.client
import re
import secrets
import socket
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit
from xml.sax.saxutils import escape

from comfywear.errors import LoginRefusedError, SourceError
from comfywear.texts import Text
from comfywear.vision.camera.login import Login
from comfywear_sensors.redaction import redact

__all__ = ["EVERYBODY", "OnvifCamera", "OnvifStream", "probe", "streams"]

EVERYBODY = ("239.255.255.250", 3702)
"""Where all cameras of the local link listen."""

_TIMEOUT_S = 5.0
_ANSWER_S = 10.0
_LARGEST_BYTES = 1 << 20
_MOST_CAMERAS, _MOST_PROFILES = 64, 16
_SCOPES = "onvif://www.onvif.org/"
_SECEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
_DEVICE, _MEDIA = "http://www.onvif.org/ver10/device/wsdl", "http://www.onvif.org/ver10/media/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_UNQUOTED = re.compile(r"[\x00-\x20\"\\<>]")  # what stands in no URI, and would end a string of a settings file
_PROBE = (
    '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:n="http://www.onvif.org/ver10/network/wsdl">'
    "<e:Header><w:MessageID>urn:uuid:{id}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
    "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>"
    "<e:Body><d:Probe><d:Types>n:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
)


@dataclass(frozen=True, slots=True)
class OnvifCamera:
    """A camera that answered.

    Attributes:
        host: Its address.
        service: The URL of its device service, at that address.
        name: What it calls itself, with its hardware.
    """

    host: str
    service: str
    name: str


@dataclass(frozen=True, slots=True)
class OnvifStream:
    """One stream: its RTSP URI without a login, and its profile's name with size and coding."""

    uri: str
    words: str


def probe(patience_s: float = 3.0, where: tuple[str, int] = EVERYBODY) -> list[OnvifCamera]:
    """Ask who is there and gather answers for a while, of 64 at most; by address.

    Args:
        patience_s: How long answers are waited for.
        where: Whom to ask: everybody on the local link, or one address.
    """
    found: dict[str, OnvifCamera] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        try:
            door.sendto(_PROBE.format(id=uuid.uuid4()).encode(), where)
        except OSError:
            return []  # there is no network
        end_s = time.monotonic() + patience_s
        while len(found) < _MOST_CAMERAS and (left_s := end_s - time.monotonic()) > 0:
            door.settimeout(left_s)
            try:
                answer, (host, _) = door.recvfrom(65_535)
            except OSError:
                break
            camera = _matched(answer, host)
            if camera:
                found.setdefault(host, camera)
    return [found[host] for host in sorted(found, key=lambda text: [int(part) for part in text.split(".")])]


def streams(camera: OnvifCamera, login: Login | None) -> list[OnvifStream]:
    """The streams of a camera, in its order: mostly the largest first.

    Raises:
        LoginRefusedError: It wants a login, or refuses this one.
        SourceError: It does not answer as it should.
    """
    device = _Service(camera, camera.service, login)
    device.set_clock(device.ask(f'<GetSystemDateAndTime xmlns="{_DEVICE}"/>', proven=False))
    able = device.ask(f'<GetCapabilities xmlns="{_DEVICE}"><Category>Media</Category></GetCapabilities>')
    media_url = _text(able, "Media/XAddr")
    if not media_url:
        raise SourceError(Text("{host} has no media service", host=camera.host))
    media = device.beside(media_url)
    found = []
    for profile in _all(media.ask(f'<GetProfiles xmlns="{_MEDIA}"/>'), "Profiles")[:_MOST_PROFILES]:
        token = profile.get("token", "")
        asked = (
            f'<GetStreamUri xmlns="{_MEDIA}"><StreamSetup><Stream xmlns="{_SCHEMA}">RTP-Unicast</Stream>'
            f'<Transport xmlns="{_SCHEMA}"><Protocol>RTSP</Protocol></Transport></StreamSetup>'
            f"<ProfileToken>{escape(token)}</ProfileToken></GetStreamUri>"
        )
        uri = _text(media.ask(asked), "MediaUri/Uri")
        if uri.lower().startswith(("rtsp://", "rtsps://")) and uri.isascii() and not _UNQUOTED.search(uri):
            width, height = _text(profile, "Resolution/Width"), _text(profile, "Resolution/Height")
            size = f", {width} × {height}" if width and height else ""
            coding = _text(profile, "VideoEncoderConfiguration/Encoding")
            words = f"{_text(profile, 'Name') or token}{size}{f', {coding}' if coding else ''}"
            with suppress(SourceError):
                found.append(OnvifStream(_without_login(uri, camera.host), _plain(words)))
    return found


def _matched(answer: bytes, host: str) -> OnvifCamera | None:
    """The camera of an answer to a probe. An address at another host is nobody's to give: a password would go there."""
    try:
        root = _parsed(answer)
    except SourceError:
        return None
    for address in _text(root, "ProbeMatch/XAddrs").split():
        try:
            parts = _split(address, host)
        except SourceError:
            continue
        if parts.scheme in ("http", "https") and parts.hostname == host:
            scopes = [unquote(scope) for scope in _text(root, "ProbeMatch/Scopes").split() if scope.startswith(_SCOPES)]
            named = {kind: value for kind, _, value in (scope[len(_SCOPES) :].partition("/") for scope in scopes)}
            name = " ".join(dict.fromkeys(filter(None, (named.get("name"), named.get("hardware")))))
            return OnvifCamera(host, address, _plain(name) or "a camera without a name")
    return None


class _Service:
    """One of a camera's services."""

    def __init__(
        self, camera: OnvifCamera, url: str, login: Login | None, ahead: dt.timedelta = dt.timedelta()
    ) -> None:
        self._camera, self._url, self._login = camera, url, login
        self._ahead = ahead  # of our clock: a digest is worthless at another time

    def beside(self, url: str) -> _Service:
        """Another service of the same camera, at its own address whatever it says: some still name their first one."""
        parts, own = _split(url, self._camera.host), _split(self._url, self._camera.host)
        port = parts.port if parts.hostname == own.hostname else own.port
        where = f"{own.hostname}:{port}" if port else f"{own.hostname}"
        return _Service(self._camera, f"{own.scheme}://{where}{parts.path}", self._login, self._ahead)

    def set_clock(self, answer: ET.Element) -> None:
        """Take the camera's clock."""
        try:
            names = ("Date/Year", "Date/Month", "Date/Day", "Time/Hour", "Time/Minute", "Time/Second")
            told = [int(_text(answer, f"UTCDateTime/{name}")) for name in names]
            there = dt.datetime(*told, tzinfo=dt.timezone.utc)  # type: ignore[misc, arg-type]
        except ValueError:
            return
        self._ahead = there - dt.datetime.now(dt.timezone.utc)

    def ask(self, body: str, *, proven: bool = True) -> ET.Element:
        """The answer to a request; `proven`: with the login."""
        header = self._token() if proven and self._login else ""
        text = (
            '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
            f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        ).encode()
        status, asked, answer = self._post(text, None)
        if status == 401 and self._login and any(header.lower().startswith("digest") for header in asked):
            # Not Basic: that would send the password itself to whoever answered.
            self._login.hear([header for header in asked if header.lower().startswith("digest")])
            status, _, answer = self._post(text, self._login.answer("POST", urlsplit(self._url).path or "/"))
        words = answer.decode(errors="replace")
        fault = "NotAuthorized" in words or "FailedAuthentication" in words
        if status == 401 or fault:
            raise LoginRefusedError(
                f"{self._camera.host}: user name or password refused (401)"
                if self._login
                else f"{self._camera.host} asks for a user name and password (401): --user NAME --password-file FILE"
            )
        if status != 200:
            raise SourceError(Text("{host} answers {status} to ONVIF", host=self._camera.host, status=status))
        return _parsed(answer)

    def _post(self, text: bytes, authorization: str | None) -> tuple[int, list[str], bytes]:
        parts = _split(self._url, self._camera.host)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
        headers = {"Content-Type": "application/soap+xml; charset=utf-8", "Connection": "close"}
        if authorization:
            headers["Authorization"] = authorization
        try:
            connection.request("POST", parts.path or "/", text, headers)
            response = connection.getresponse()
            return response.status, response.headers.get_all("WWW-Authenticate", []), self._read(response)
        except (OSError, http.client.HTTPException) as error:
            raise SourceError(
                Text("{host} does not answer to ONVIF ({name})", host=self._camera.host, name=type(error).__name__)
            ) from error
        finally:
            connection.close()

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        """What comes, until it is too much; a camera that gives it drop by drop is none that answers."""
        end_s, whole = time.monotonic() + _ANSWER_S, b""
        while len(whole) < _LARGEST_BYTES and (piece := response.read1(65_536)):
            whole += piece
            if time.monotonic() > end_s:
                raise SourceError(f"{self._camera.host} does not end its answer to ONVIF")
        return whole

    def _token(self) -> str:
        assert self._login is not None
        nonce = secrets.token_bytes(16)
        created = (dt.datetime.now(dt.timezone.utc) + self._ahead).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hashlib.sha1(nonce + created.encode() + self._login.password.encode(), usedforsecurity=False).digest()
        return (
            f'<Security xmlns="{_SECEXT}"><UsernameToken><Username>{escape(self._login.user)}</Username>'
            f'<Password Type="{_DIGEST}">{base64.b64encode(digest).decode()}</Password>'
            f"<Nonce>{base64.b64encode(nonce).decode()}</Nonce>"
            f'<Created xmlns="{_UTILITY}">{created}</Created></UsernameToken></Security>'
        )


def _without_login(uri: str, host: str) -> str:
    """The URI as `config check` takes it: no login, and the camera's own address; SourceError for one that is none."""
    parts = _split(uri, host)
    port = parts.port
    query = f"?{redact(parts.query)}" if parts.query else ""
    return f"{parts.scheme.lower()}://{host}{f':{port}' if port else ''}{redact(parts.path)}{query}"


def _split(url: str, host: str) -> SplitResult:
    """The parts of an address that a camera names; SourceError for one that is none, as its port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise SourceError(
            Text("{host} names an address that cannot be read: {plain}", host=host, plain=_plain(redact(url)))
        ) from None
    return parts


def _parsed(answer: bytes) -> ET.Element:
    """The XML of an answer, in UTF-8: in UTF-16, which has NULs, a document type would not be seen."""
    text = answer.decode(errors="replace")
    if any(sign in text for sign in ("<!DOCTYPE", "<!ENTITY", "\0")):
        raise SourceError(Text("an answer that is no SOAP"))
    try:
        return ET.fromstring(text)  # noqa: S314 - without a document type there is nothing to expand
    except (ET.ParseError, ValueError) as error:
        raise SourceError(Text("an answer that is no XML")) from error


def _walk(element: ET.Element, name: str) -> Iterator[ET.Element]:
    """Elements below of this name, whatever its namespace: cameras use several."""
    return (each for each in element.iter() if each.tag.rpartition("}")[2] == name)


def _all(element: ET.Element, name: str) -> list[ET.Element]:
    return list(_walk(element, name))


def _text(element: ET.Element, path: str) -> str:
    """The text of the first element at `path`, a name below a name; empty when there is none."""
    found: ET.Element | None = element
    for name in path.split("/"):
        found = next(_walk(found, name), None) if found is not None else None
    return (found.text or "").strip() if found is not None else ""


def _plain(text: str) -> str:
    """Words of a stranger, made fit for a terminal and a comment."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:80]
