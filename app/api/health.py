"""Is the process alive, may it get calls, and how is everything it stands on? Also the metrics."""

from __future__ import annotations

import os
from contextlib import suppress

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.api.context import web_of
from app.api.model_watch import exposition
from app.errors import StoreDown, StoreError
from app.store import model_nights, outbox
from app.store.connect import Connection

router = APIRouter(tags=["operations"])


@router.get("/health/live")
async def live() -> dict[str, str]:
    """The event loop runs."""
    return {"status": "live"}


@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """503 while starting or draining, or without a database: send new calls elsewhere."""
    web = web_of(request)
    if web.board.draining:
        return _status(503, "draining")
    if not web.conversations.ready:
        return _status(503, "starting")
    try:
        await web.records.system(_answers)
    except StoreDown:
        return _status(503, "database_down")
    return _status(200, "ready")


@router.get("/health/detailed")
async def detailed(request: Request) -> Response:
    """Figures for a person who looks: no names, no numbers."""
    web = web_of(request)
    body: dict[str, object] = {
        "calls": web.board.live(),
        "talking": len(web.board.talking()),
        "draining": web.board.draining,
    }
    try:
        waiting = await web.records.system(outbox.pending)
        body["database"] = "up"
        body["jobs"] = {"pending": waiting.pending, "quarantined": waiting.quarantined}
    except StoreError as error:
        body["database"] = error.code
    healthy = body["database"] == "up" and not web.board.draining
    return JSONResponse({"status": "ok" if healthy else "degraded", **body}, status_code=200 if healthy else 503)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Of all processes behind the port, where there are several. Those of the models need the database."""
    registry: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    body = generate_latest(registry)
    with suppress(StoreError):
        body += exposition(await web_of(request).records.system(model_nights.watch))
    return Response(body, media_type=CONTENT_TYPE_LATEST)


def _answers(db: Connection) -> None:
    db.execute("select 1")


def _status(code: int, status: str) -> JSONResponse:
    return JSONResponse({"status": status}, status_code=code)
