"""Sets the device of this machine up on its page and changes a setting there, as a browser would; prints JSON.

The word after its name is the code of the first run. What changed last comes back as the page says it.
"""

import json
import sys
import time
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode

HOST, PORT, PASSWORD = "127.0.0.1", 8080, "proof of the page"


class Browser:
    """Keeps the cookie, and says where its requests come from."""

    def __init__(self) -> None:
        self.cookie = ""

    def _ask(self, method: str, path: str, body: str, kind: str) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection(HOST, PORT, timeout=60)
        headers = {"Origin": f"http://{HOST}:{PORT}", "Cookie": self.cookie, "Content-Type": kind}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()

    def sign_in(self, token: str) -> bool:
        answer, _ = self._ask("POST", "/login", urlencode({"token": token}), "application/x-www-form-urlencoded")
        self.cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        return answer.status == 303

    def ask(self, path: str, body: object = None) -> dict:
        method = "GET" if body is None else "POST"
        answer, said = self._ask(method, path, "" if body is None else json.dumps(body), "application/json")
        if answer.status != 200:
            raise SystemExit(f"{method} {path}: {answer.status} {said[:500]!r}")
        return json.loads(said)


def patiently(act):
    """What `act` says once it is true and no connection is refused any more."""
    for _ in range(600):
        try:
            if found := act():
                return found
        except OSError:
            pass
        time.sleep(0.5)
    raise SystemExit("the page did not answer in time")


def main(code: str) -> None:
    phone, owner = Browser(), Browser()
    if not phone.sign_in(code):
        raise SystemExit("the code was refused")
    draft = phone.ask("/api/setup")["values"] | {
        "device": {"site": "proof", "id": "guest"},
        "sensors": [{"uri": "fake://office?air_temp=24&humidity=45"}],
    }
    secret = {"path": ["web", "token_file"], "text": PASSWORD}
    phone.ask("/api/setup/draft", {"step": "done", "values": draft, "secrets": [secret]})
    phone.ask("/api/setup/finish", {})
    patiently(lambda: owner.sign_in(PASSWORD))
    form = owner.ask("/api/settings/form")
    values = {**form["values"], "climate": {"stale_after_s": 77.0}}
    owner.ask("/api/settings", {"version": form["version"], "values": values})

    def ended():
        outcome = owner.ask("/api/settings/outcome")
        return outcome if outcome["state"] not in ("none", "tried") else None

    print(json.dumps({"file": form["file"], "barred": form["barred"], **patiently(ended)}))


main(sys.argv[1])
