"""The addresses of a restore: a backup is uploaded and looked at, then restored."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from comfywear.web.account import note, origin_of
from comfywear.web.answers import body_of, json_answer
from comfywear.web.restores import RestoreBackup, RestoreBegun
from comfywear.web.shown import PageDevice

__all__ = ["RestorePages"]


class RestorePages:
    """What answers them.

    Attributes:
        _device: Restores.
    """

    _device: PageDevice

    async def upload_backup(self, request: Request) -> Response:
        """A backup, written piece by piece as it comes; what it would change."""
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/zip":
            raise HTTPException(415, "send the backup itself, as application/zip")
        restores = self._device.restores()
        upload = await run_in_threadpool(restores.begin)
        try:
            async for piece in request.stream():
                if piece:
                    await run_in_threadpool(restores.add, upload, piece)
            found = await run_in_threadpool(restores.look, upload)
        except BaseException:
            restores.drop(upload)
            raise
        note(request, f"of {found.site}/{found.device}")
        return json_answer(found)

    async def restore(self, request: Request) -> Response:
        """Begin to restore what was uploaded."""
        said = await body_of(request, RestoreBackup)
        await run_in_threadpool(self._device.restores().restore, said, origin_of(request))
        note(request, "with its settings" if said.settings else "without its settings")
        return json_answer(RestoreBegun(True))

    def restored(self, _: Request) -> Response:
        """How the last one ended."""
        return json_answer(self._device.restores().ended())
