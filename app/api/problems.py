"""Errors as HTTP: RFC 9457 bodies with a stable code and an id, and nothing of what went on inside (T35)."""

from __future__ import annotations

import math
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from app import errors, observe
from app.api.v1.errors import BadCursor, Changed, Invalid, NotAllowed, NotSignedIn, TooMany
from app.api.v1.idempotency import Replayed
from app.errors import StrowgerError

log = observe.log(__name__)

# The first class an error is an instance of decides. A sentence of a 4xx is meant for the person who asked.
STATUS: tuple[tuple[type[StrowgerError], int, str], ...] = (
    (NotSignedIn, 401, "Not signed in"),
    (NotAllowed, 403, "Not allowed"),
    (Changed, 412, "Changed meanwhile"),
    (TooMany, 429, "Too many requests"),
    (BadCursor, 422, "This cannot be used"),
    (Invalid, 422, "This cannot be used"),
    (errors.NotAuthentic, 403, "Not authentic"),
    (errors.BadInput, 400, "This cannot be used"),
    (errors.NotFound, 404, "Not found"),
    (errors.Forbidden, 403, "Not allowed"),
    (errors.Conflict, 409, "Conflict"),
    (errors.Busy, 503, "Busy"),
    (errors.CallRefused, 409, "This call may not be made"),
    (errors.Refused, 403, "Refused"),
    (errors.StoreDown, 503, "Try again in a moment"),
    (errors.ProviderDown, 503, "Try again in a moment"),
    (errors.ProviderError, 502, "A service we depend on failed"),
    (StrowgerError, 500, "Something went wrong"),
)
RETRY_AFTER_S = 2


def install(app: FastAPI) -> None:
    app.add_exception_handler(StrowgerError, _ours)
    app.add_exception_handler(Replayed, _replayed)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _ours(request: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, StrowgerError)
    status, title = next((status, title) for kind, status, title in STATUS if isinstance(error, kind))
    if status >= 500:
        log.error("request failed", path=_route(request), code=error.code, error=str(error), reference=_id(request))
    problem = {"detail": str(error)} if status < 500 else {}
    answer = _problem(request, status, title, error.code, **problem, **_fields(error))
    match error:
        case TooMany():
            answer.headers["Retry-After"] = str(max(1, math.ceil(error.after_s)))
        case NotSignedIn():
            answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _fields(error: StrowgerError) -> dict[str, Any]:
    if isinstance(error, errors.CallRefused):
        found = [{"rule": rule, "reason": reason} for rule, reason in error.findings]
        return {"rules": found, "until": error.until.isoformat() if error.until else None}
    if not isinstance(error, Invalid) or not error.fields:
        return {}
    return {"errors": [{"field": field, "message": message} for field, message in error.fields.items()]}


def _replayed(request: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, Replayed)
    return error.response


def _unreadable(request: HTTPConnection, error: Exception) -> Response:
    """Names the fields and the rules, never repeats what was in them."""
    assert isinstance(error, RequestValidationError)
    found = sorted({(".".join(str(part) for part in one["loc"]), _rule(one)) for one in error.errors()})
    where = "Look at: " + ", ".join(dict.fromkeys(field for field, _ in found))
    faults = [{"field": field, "message": message} for field, message in found]
    return _problem(request, 422, "This cannot be used", "bad_input", detail=where, errors=faults)


def _rule(fault: dict[str, Any]) -> str:
    # What follows a colon may quote the input.
    return str(fault["msg"]).partition(":")[0].removeprefix("Value error, ")


def _http(request: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = _problem(request, error.status_code, str(error.detail), f"http_{error.status_code}")
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


def _unexpected(request: HTTPConnection, error: Exception) -> Response:
    """The last resort. The exception itself is logged by the server."""
    log.error("request crashed", path=_route(request), error=type(error).__name__, reference=_id(request))
    return _problem(request, 500, "Something went wrong", "internal")


def _problem(request: HTTPConnection, status: int, title: str, code: str, **more: Any) -> JSONResponse:
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "code": code}
    body |= {"request_id": _id(request), **more}
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


def _id(request: HTTPConnection) -> str:
    return str(request.scope.get("state", {}).get("request_id") or uuid4().hex)


def _route(request: HTTPConnection) -> str:
    """The route's pattern: a path may hold a secret."""
    return str(getattr(request.scope.get("route"), "path", "unknown"))
