"""Around every HTTP route: headers that keep browsers safe (T28), a limit on bodies (T18), and a stopwatch."""

from __future__ import annotations

import json
import time
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import observe

MAX_BODY = 1024 * 1024
MAX_WEBHOOK = 64 * 1024

HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
# The interactive API pages load their script from elsewhere; they are off unless asked for.
DOCS = ("/docs", "/redoc", "/openapi.json")


class Shield:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500
        state = scope.setdefault("state", {})
        state["request_id"] = uuid4().hex

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = state["request_id"]
                headers.update(state.get("headers", {}))
                for name, value in HEADERS.items():
                    if name != "Content-Security-Policy" or not scope["path"].startswith(DOCS):
                        headers.setdefault(name, value)
            await send(message)

        limit = MAX_WEBHOOK if scope["path"].startswith("/twilio/") else MAX_BODY
        try:
            if _announced(scope) > limit:
                await _too_large(answer, state["request_id"])
            else:
                await self._limited(scope, receive, answer, limit)
        finally:
            route = getattr(scope.get("route"), "path", None)
            if route and route.startswith("/twilio/"):
                observe.WEBHOOK_SECONDS.labels(route, str(status)).observe(time.perf_counter() - began)

    async def _limited(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        """A body without a length is counted as it comes; too much of it reads as a connection that broke."""
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return {"type": "http.disconnect"} if taken > limit else message

        await self._app(scope, counted, send)


def _announced(scope: Scope) -> int:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0


async def _too_large(send: Send, request_id: str) -> None:
    body = json.dumps(
        {"type": "about:blank", "title": "Too large", "status": 413, "code": "too_large", "request_id": request_id}
    ).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
