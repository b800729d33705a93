"""The routes of the settings in the browser."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfywear.web.account import note
from comfywear.web.answers import body_of, json_answer
from comfywear.web.settings_form import SettingsDraft
from comfywear.web.shown import PageDevice
from comfywear.web.words import settings_words

__all__ = ["SettingsPages"]


class SettingsPages:
    """What answers under the names of `comfywear.web.addresses`; a part of the page's routes."""

    _device: PageDevice

    def settings_words(self, request: Request) -> Response:
        """The settings' titles and meanings in a language."""
        try:
            return json_answer(settings_words(request.path_params["code"]))
        except KeyError:
            raise HTTPException(404) from None

    def settings_form(self, _: Request) -> Response:
        """The form."""
        return json_answer(self._device.settings_form())

    async def check_settings(self, request: Request) -> Response:
        """What is wrong with a draft."""
        return json_answer(await run_in_threadpool(self._device.check_settings, await body_of(request, SettingsDraft)))

    async def save_settings(self, request: Request) -> Response:
        """Write a draft."""
        saved = await run_in_threadpool(self._device.save_settings, await body_of(request, SettingsDraft))
        note(request, ", ".join(self._device.settings_outcome().fields) if saved.changed else "nothing")
        return json_answer(saved)

    def settings_outcome(self, _: Request) -> Response:
        """What became of the last change."""
        return json_answer(self._device.settings_outcome())
