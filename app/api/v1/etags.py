"""Versions of a resource: the hash of how it is shown. Reads may be answered 304; writes may insist on a version."""

from __future__ import annotations

import hashlib

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from app.api.v1.errors import Changed


def etag_of(shown: BaseModel) -> str:
    return _tag(shown.model_dump_json(by_alias=True).encode())


def tagged(request: Request, shown: BaseModel, *, status: int = 200) -> Response:
    """The answer with its ETag; 304 and no body when the reader has it already."""
    body = shown.model_dump_json(by_alias=True).encode()
    tag = _tag(body)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.method in {"GET", "HEAD"} and _names(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def must_match(request: Request, current: BaseModel) -> None:
    """Call it in the transaction that writes, with the row locked. Raises Changed (412) when If-Match names another
    version; without If-Match the last writer wins."""
    wanted = request.headers.get("if-match")
    if wanted is not None and not _names(wanted, etag_of(current)):
        raise Changed("This was changed after you read it: read it again and decide anew.")


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _names(header: str | None, tag: str) -> bool:
    if header is None:
        return False
    return header.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in header.split(",")}
