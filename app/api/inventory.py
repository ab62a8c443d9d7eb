"""Every route of the web process, as lines of text: `python -m app.api.inventory > docs/routes.txt` (T37).

The file is compared with the routes by a test, so that no endpoint comes into being without somebody reading its name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts

from app.api import callbacks, health, home, media, messages, seats, voice
from app.api.v1 import router as v1
from app.api.v1.access import ACCESS, SOCKETS

CARRIER = "the carrier's signature"
OURSELVES = "our own signature, with the carrier's token"


def lines(routers: tuple[APIRouter, ...]) -> list[str]:
    return sorted(line for router in routers for line in _of(router))


def ours() -> tuple[APIRouter, ...]:
    parts = (home, voice, callbacks, messages, media, seats, health)
    api = APIRouter()
    v1.add_to(api)
    return (*(part.router for part in parts), api)


def _of(router: APIRouter) -> Iterator[str]:
    for context in iter_route_contexts(router.routes):
        route, path = context.original_route, context.path or ""
        if isinstance(route, APIWebSocketRoute):
            opened_by = f"ticket {SOCKETS[route.name]}" if route.name in SOCKETS else CARRIER
            yield f"WS {path or route.path}  {opened_by}"
        elif isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield f"{method} {path}  {_for_whom(route, path)}"


def _for_whom(route: APIRoute, path: str) -> str:
    if path.startswith("/api/"):
        return str(ACCESS.get(str(route.operation_id), "nobody"))
    if path.startswith("/internal/"):
        return OURSELVES
    return CARRIER if path.startswith("/twilio/") else "anyone"


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines(ours())) + "\n")
