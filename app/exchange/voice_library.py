"""The part of the local ElevenLabs that keeps voices: copies are made of samples, found and deleted.

Checked as the real one does: a name, at least one sample, sizes, and that what is deleted is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MOST_BYTES = 10 * 1024 * 1024
MOST_SAMPLES = 25


@dataclass(frozen=True, slots=True)
class Copy:
    """A voice as it was asked for."""

    voice_id: str
    name: str
    description: str
    samples: tuple[tuple[str, bytes], ...]


class VoiceLibrary:
    """`status` is answered to every request to make one; `silent` makes it and fails before
    it can say so, `unverified` asks for a verification. May be changed at any time."""

    def __init__(self, refuse: Callable[[Request], Response | None]) -> None:
        self._refuse = refuse  # whoever has no key
        self._numbers = count(1)
        self.copies: dict[str, Copy] = {}
        self.status = 0
        self.silent = False
        self.unverified = False

    def routes(self) -> list[Route]:
        return [
            Route("/v1/voices/add", self._add, methods=["POST"]),
            Route("/v1/voices/{voice}", self._delete, methods=["DELETE"]),
            Route("/v2/voices", self._search, methods=["GET"]),
        ]

    async def _add(self, request: Request) -> Response:
        if wrong := self._refuse(request):
            return wrong
        if self.status:
            return _problem(self.status, "voice_limit_reached" if self.status == 400 else "error")
        async with request.form() as form:
            files = [each for each in form.getlist("files") if isinstance(each, UploadFile)]
            samples = tuple([(each.filename or "", await each.read()) for each in files])
            name, description = str(form.get("name") or ""), str(form.get("description") or "")
        if not name or not samples:
            missing = "name" if not name else "files"
            return JSONResponse(
                {"detail": [{"loc": ["body", missing], "msg": "Field required", "type": "missing"}]}, 422
            )
        if len(samples) > MOST_SAMPLES:
            return _problem(400, "voice_too_many_samples")
        if any(not 0 < len(data) <= MOST_BYTES for _, data in samples):
            return _problem(400, "invalid_sample_size")
        made = Copy(f"copy{next(self._numbers)}", name, description, samples)
        self.copies[made.voice_id] = made
        if self.silent:
            raise ConnectionResetError("as asked")
        return JSONResponse({"voice_id": made.voice_id, "requires_verification": self.unverified})

    async def _delete(self, request: Request) -> Response:
        if wrong := self._refuse(request):
            return wrong
        if self.copies.pop(request.path_params["voice"], None) is None:
            return _problem(400, "voice_not_found")
        return JSONResponse({"status": "ok"})

    async def _search(self, request: Request) -> Response:
        if wrong := self._refuse(request):
            return wrong
        term = request.query_params.get("search", "").lower()
        found = [each for each in self.copies.values() if term in f"{each.name} {each.description}".lower()]
        voices = [
            {"voice_id": each.voice_id, "name": each.name, "description": each.description, "category": "cloned"}
            for each in found
        ]
        return JSONResponse({"voices": voices, "has_more": False, "total_count": len(voices), "next_page_token": None})


def _problem(status: int, kind: str) -> Response:
    return JSONResponse({"detail": {"status": kind, "message": kind.replace("_", " ")}}, status)
