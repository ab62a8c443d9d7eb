"""Around every HTTP route: headers that keep browsers safe (T28), a limit on bodies (T18), and a stopwatch."""

from __future__ import annotations

import json
import re
import time
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import observe

MAX_BODY = 1024 * 1024
MAX_WEBHOOK = 64 * 1024
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:[0-9]{1,5})?")

# Every browser reads 'self' as http(s) of this host; not every one as its web sockets too, so those are named.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; connect-src 'self' {sockets}; worker-src 'self'; manifest-src 'self'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=()",
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
                    headers.setdefault(name, value)
                if not scope["path"].startswith(DOCS):
                    headers["Content-Security-Policy"] = _policy(scope)
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


def _policy(scope: Scope) -> str:
    host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    # The header is the visitor's own word: only what can be nothing but a host goes into ours.
    sockets = f"ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return POLICY.format(sockets=sockets)


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
