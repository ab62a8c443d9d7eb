"""Errors as HTTP: RFC 9457 bodies with a stable code and an id, and nothing of what went on inside (T35)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from app import errors, observe
from app.errors import StrowgerError

log = observe.log(__name__)

# The first class an error is an instance of decides. A sentence of a 4xx is meant for the person who asked.
STATUS: tuple[tuple[type[StrowgerError], int, str], ...] = (
    (errors.NotAuthentic, 403, "Not authentic"),
    (errors.BadInput, 400, "This cannot be used"),
    (errors.NotFound, 404, "Not found"),
    (errors.Conflict, 409, "Conflict"),
    (errors.Busy, 503, "Busy"),
    (errors.Refused, 403, "Refused"),
    (errors.StoreDown, 503, "Try again in a moment"),
    (errors.ProviderDown, 503, "Try again in a moment"),
    (errors.ProviderError, 502, "A service we depend on failed"),
    (StrowgerError, 500, "Something went wrong"),
)
RETRY_AFTER_S = 2


def install(app: FastAPI) -> None:
    app.add_exception_handler(StrowgerError, _ours)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, StrowgerError)
    status, title = next((status, title) for kind, status, title in STATUS if isinstance(error, kind))
    reference = uuid4().hex
    if status >= 500:
        log.error("request failed", path=_route(request), code=error.code, error=str(error), reference=reference)
    detail = str(error) if status < 500 else None
    return _problem(status, title, error.code, reference, detail)


def _unreadable(request: Request, error: Exception) -> Response:
    """Names the fields, never repeats what was in them."""
    assert isinstance(error, RequestValidationError)
    where = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
    return _problem(422, "This cannot be used", "bad_input", uuid4().hex, "Look at: " + ", ".join(where))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = _problem(error.status_code, str(error.detail), f"http_{error.status_code}", uuid4().hex, None)
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


def _unexpected(request: Request, error: Exception) -> Response:
    """The last resort. The exception itself is logged by the server."""
    reference = uuid4().hex
    log.error("request crashed", path=_route(request), error=type(error).__name__, reference=reference)
    return _problem(500, "Something went wrong", "internal", reference, None)


def _problem(status: int, title: str, code: str, reference: str, detail: str | None) -> JSONResponse:
    body: dict[str, Any] = {"title": title, "status": status, "code": code, "reference": reference}
    if detail:
        body["detail"] = detail
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


def _route(request: Request) -> str:
    """The route's pattern: a path may hold a secret."""
    return str(getattr(request.scope.get("route"), "path", "unknown"))
