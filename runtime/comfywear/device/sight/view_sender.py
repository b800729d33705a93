"""Sends the view of each camera over MQTT, for Home Assistant's camera entity, where the settings switch that on.

Slowly, one picture on the way at most, and the broker keeps none: what is missed is missed. While a camera is private,
or gives no picture, an empty message says once that there is nothing to see.
"""

from __future__ import annotations

import math
import time
from functools import partial

from comfywear.device.sight.camera_views import CameraViews
from comfywear.publishing import Aside, Publisher
from comfywear.system.supervisor import Pulse, Supervisor

__all__ = ["ViewSender"]

TICK_S = 0.5
# A picture that the broker has not acknowledged for so long is given up: it was refused, or the line is slow.
PATIENCE_S = 60.0


class ViewSender:
    """The views that leave the device; `tick` belongs to one thread.

    Args:
        views: What is shown.
        publisher: Carries the messages.
        every_s: Seconds from one view of a camera to the next.
    """

    def __init__(self, views: CameraViews, publisher: Publisher, every_s: float) -> None:
        self._views, self._publisher, self._every_s = views, publisher, every_s
        self._connections = 0
        self._due_s = dict.fromkeys(views.cameras, -math.inf)
        self._waits_until_s = dict.fromkeys(views.cameras, -math.inf)
        self._emptied: set[str] = set()

    def add_worker(self, supervisor: Supervisor) -> None:
        """Have the supervisor send views, where there is a camera."""
        if self._due_s:
            supervisor.add("view", self._work)

    def _work(self, pulse: Pulse) -> None:
        while pulse.wait(TICK_S):
            self.tick(time.monotonic())

    def tick(self, now_s: float) -> None:
        """Send what is due at `now_s` (monotonic)."""
        health = self._publisher.health()
        if health.state != "connected":
            return  # nothing waits for a broker that is away
        if health.connections != self._connections:
            self._connections = health.connections
            self._emptied.clear()
            for camera in self._due_s:
                self._due_s[camera] = self._waits_until_s[camera] = -math.inf
        for camera, due_s in self._due_s.items():
            if not self._views.shows(camera):
                if camera not in self._emptied:
                    self._say(camera, b"")
                    self._emptied.add(camera)
                self._due_s[camera] = -math.inf
            elif now_s >= due_s and now_s >= self._waits_until_s[camera] and (jpeg := self._views.jpeg(camera)):
                self._due_s[camera] = now_s + self._every_s
                self._waits_until_s[camera] = now_s + PATIENCE_S
                self._emptied.discard(camera)
                self._say(camera, jpeg)

    def _say(self, camera: str, jpeg: bytes) -> None:
        self._publisher.say(
            Aside(
                self._publisher.topics.view(camera),
                jpeg,
                on_taken=partial(self._taken, camera),
                # A camera that became private meanwhile, or a connection that broke: an old view is not sent later.
                still=partial(self._views.shows, camera) if jpeg else None,
            )
        )

    def _taken(self, camera: str) -> None:
        self._waits_until_s[camera] = -math.inf
