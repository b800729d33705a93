"""Cameras in the network before there are settings: looked for when somebody asks, on private addresses alone."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Sequence

from comfywear.errors import LoginRefusedError, SourceError, UsageError
from comfywear.texts import Text
from comfywear.vision.camera.login import Login
from comfywear.vision.camera.onvif import EVERYBODY, OnvifCamera, probe, streams
from comfywear.web.setup_form import AskStreams, FoundDoor, FoundStreams, NetworkCamera

__all__ = ["NetworkCameras"]

SEARCH_S = 3.0


class NetworkCameras:
    """Searches, and asks for streams only who answered; from any thread."""

    def __init__(self) -> None:
        self._searching = threading.Lock()
        self._found: dict[str, OnvifCamera] = {}

    def search(self) -> Sequence[NetworkCamera]:
        """Who answers to ONVIF on the local link within `SEARCH_S`.

        Raises:
            UsageError: A search is under way.
        """
        if not self._searching.acquire(blocking=False):
            raise UsageError(Text("a search of the network is under way"))
        try:
            self._found = {each.host: each for each in probe(SEARCH_S, EVERYBODY) if _is_private(each.host)}
        finally:
            self._searching.release()
        return [NetworkCamera(each.host, each.name) for each in self._found.values()]

    def streams(self, asked: AskStreams) -> FoundStreams:
        """What a camera of the last search gives.

        Raises:
            UsageError: It was not found by a search.
        """
        camera = self._found.get(asked.host)
        if camera is None:
            raise UsageError(Text("this camera was not found in the network; search again"))
        login = Login(asked.user, asked.password) if asked.user else None
        try:
            found = streams(camera, login)
        except LoginRefusedError:
            return FoundStreams("refused" if login else "login")
        except SourceError:
            return FoundStreams("silent")
        return FoundStreams("good", [FoundDoor(each.uri, each.words) for each in found])


def _is_private(host: str) -> bool:
    return ipaddress.ip_address(host).is_private
