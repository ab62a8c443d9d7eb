"""The same POST twice is done once: an `Idempotency-Key` names a request, and its answer is kept for a day.

`claim` runs when the caller is known and before anything is done; `Once`, around the application, keeps the answer.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.context import Web
from app.api.v1.errors import Invalid, SameKeyOtherRequest, StillRunning
from app.api.v1.principal import Principal
from app.errors import StoreError
from app.store import idempotency

HEADER = "Idempotency-Key"
MOST_BODY = 256 * 1024  # longer answers are not kept
_KEPT = ("content-type", "location", "etag")


class Replayed(Exception):
    """Carries the answer that was given before."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered before")
        self.response = response


async def claim(request: Request, web: Web, caller: Principal, operation: str) -> None:
    """Raises Replayed, SameKeyOtherRequest or StillRunning; returns when the request is to be done."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise Invalid("An Idempotency-Key has 1 to 200 printable letters.")
    sha256 = hashlib.sha256(f"{operation} {request.url.path}?{request.url.query} ".encode() + await request.body())
    user, digest = caller.user_id, sha256.hexdigest()
    before = await web.records.desk(caller.workspace_id, lambda db: idempotency.claim(db, user, key, digest))
    if before is None:
        request.state.idempotency = (caller.workspace_id, user, key)
        return
    if before.request_sha256 != digest:
        raise SameKeyOtherRequest("This Idempotency-Key was used for another request.")
    if before.status is None:
        raise StillRunning("The request with this Idempotency-Key has not been answered yet.")
    if before.body is None:
        raise SameKeyOtherRequest("This request was done; its answer was shown once and is not kept.")
    headers = {**before.headers, "Idempotency-Replayed": "true"}
    raise Replayed(Response(before.body, status_code=before.status, headers=headers))


class Once:
    """Keeps the answer to a claimed request before it is sent. A failure of ours gives the key back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = scope["type"] == "http" and scope["method"] == "POST" and _has_key(scope)
        await self._app(scope, receive, _Keeper(scope, send).send if named else send)


class _Keeper:
    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self._start: Message = {}
        self._body = bytearray()
        self._too_long = False

    async def send(self, message: Message) -> None:
        claimed: tuple[UUID, UUID, str] | None = self._scope.get("state", {}).get("idempotency")
        if claimed is None:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start = message
            await self._send(message)
        else:
            self._too_long = self._too_long or len(self._body) + len(message.get("body", b"")) > MOST_BODY
            if not self._too_long:
                self._body += message.get("body", b"")
            if not message.get("more_body", False):
                # What was done is done: the answer goes out also when it could not be kept.
                with suppress(StoreError):
                    await self._settle(*claimed)
            await self._send(message)

    async def _settle(self, workspace_id: UUID, user: UUID, key: str) -> None:
        web: Web = self._scope["app"].state.web
        status = int(self._start["status"])
        if status >= 500:
            await web.records.desk(workspace_id, lambda db: idempotency.release(db, user, key))
            return
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in self._start["headers"]}
        secret = "no-store" in headers.get("cache-control", "")
        body = None if secret or self._too_long else self._body.decode("utf-8", "replace")
        kept = {name: value for name, value in headers.items() if name in _KEPT}
        await web.records.desk(workspace_id, lambda db: idempotency.settle(db, user, key, status, kept, body))


def _has_key(scope: Scope) -> bool:
    return any(name == b"idempotency-key" for name, _ in scope["headers"])
