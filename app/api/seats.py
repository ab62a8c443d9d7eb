"""A seat for a call that is about to be placed: asked for by whoever dials, before the phone rings (C09).

Signed like the carrier's webhooks, with the token both sides have. A seat is kept under the attempt it was asked for:
the call comes to it when somebody answers. It is free again when the dialling failed, or after a while.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from app import observe
from app.api.answers import noted
from app.api.carrier import authentic
from app.api.context import web_of

router = APIRouter(prefix="/internal", tags=["our own"])

Signed = Annotated[object, Depends(authentic)]


@router.post("/seats/{attempt}", status_code=204)
async def keep(request: Request, signed: Signed, attempt: UUID) -> Response:
    """503 with the reason when there is none: the call must not be placed now."""
    web = web_of(request)
    reason = web.board.promise(str(attempt)) if web.conversations.ready else "starting"
    if reason is None:
        return noted()
    observe.SEATS_REFUSED.labels(reason).inc()
    return JSONResponse({"reason": reason}, status_code=503)


@router.post("/seats/{attempt}/free", status_code=204)
async def free(request: Request, signed: Signed, attempt: UUID) -> Response:
    """Nobody is going to come. Free already is what was asked for."""
    web_of(request).board.gone(str(attempt))
    return noted()
