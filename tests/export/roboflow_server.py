"""A stand-in for Roboflow's REST API, as its client calls it: real HTTP, on the loopback address."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "privateKey123"
PROJECT = {
    "id": "office/clothes", "annotation": "clothes", "classes": {}, "colors": {}, "created": 1700000000.0, "images": 0,
    "name": "clothes", "public": False, "splits": {}, "type": "object-detection", "unannotated": 0,
    "updated": 1700000000.0,
}  # fmt: skip


class Roboflow:
    """What arrived: `images` by id, `annotations` by the id of their image, `requests` in order."""

    def __init__(self) -> None:
        self.images: dict[str, dict[str, Any]] = {}
        self.annotations: dict[str, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.fail: set[str] = set()  # names of pictures that are answered with 500
        self.delay_s = 0.0
        self.key = KEY
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    service: Roboflow
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        pass

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _asked(self) -> tuple[list[str], dict[str, str], bytes] | None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.service.requests.append(f"{self.command} {url.path}")
        if query.get("api_key") != self.service.key:
            self._answer(401, {"error": {"message": f"This API key {query.get('api_key')} is not authorized."}})
            return None
        return [part for part in url.path.split("/") if part], query, body

    def do_GET(self) -> None:
        asked = self._asked()
        if asked is None:
            return
        if asked[0] == ["office", "clothes"]:
            self._answer(200, {"workspace": {"name": "office"}, "project": PROJECT, "versions": []})
        else:
            self._answer(404, {"error": {"message": "no such project"}})

    def do_POST(self) -> None:
        asked = self._asked()
        if asked is None:
            return
        parts, query, body = asked
        if not parts:
            self._answer(200, {"welcome": "to the stand-in", "workspace": "office"})
        elif parts[:2] == ["dataset", "clothes"] and parts[2] == "upload":
            self._upload(query, body)
        elif parts[:2] == ["dataset", "clothes"] and parts[2] == "annotate":
            self._annotate(parts[3], query, json.loads(body))
        else:
            self._answer(404, {"error": {"message": "no such page"}})

    def _upload(self, query: dict[str, str], body: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        fields = {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in message_from_bytes(head + body).walk()
            if not part.is_multipart()
        }
        data, name = fields["file"], fields["name"].decode()
        if name in self.service.fail:
            self._answer(500, {"error": {"message": f"cannot now, with {query['api_key']}"}})
            return
        number = hashlib.sha256(data).hexdigest()[:12]
        again = number in self.service.images
        row = {"name": name, "split": fields["split"].decode(), "batch": query["batch"], "data": data}
        self.service.images.setdefault(number, row)
        time.sleep(self.service.delay_s)
        self._answer(200, {"duplicate": True, "id": number} if again else {"success": True, "id": number})

    def _annotate(self, image: str, query: dict[str, str], body: dict[str, Any]) -> None:
        if image not in self.service.images:
            self._answer(404, {"error": {"message": "no such image"}})
        elif image in self.service.annotations and query.get("overwrite") != "true":
            self._answer(409, {"error": {"message": "Image was already annotated."}})
        else:
            self.service.annotations[image] = {
                "coco": json.loads(body["annotationFile"]),
                "name": query["name"],
                "job": query.get("jobName"),
                "prediction": query.get("prediction") == "true",
            }
            self._answer(200, {"success": True})
