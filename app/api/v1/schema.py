"""The API as an OpenAPI document: `python -m app.api.v1.schema > openapi.json`. Clients are made from it."""

from __future__ import annotations

import json
import sys
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from app.api.v1 import router
from app.api.v1.access import ACCESS, ANYONE

VERSION = "1"
METHODS = frozenset({"get", "put", "post", "patch", "delete"})
_PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of a session (POST /session), of Supabase Auth, or an API key (sk_...).",
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Names this request: sent again with the same key within a day, it is not done again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


class FieldProblem(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457. `code` is for programs and never changes; `request_id` is for whoever looks into our logs."""

    type: str
    title: str
    status: int
    code: str
    request_id: str
    detail: str | None = None
    errors: list[FieldProblem] | None = None


def document() -> dict[str, Any]:
    bare = FastAPI()
    router.add_to(bare)
    found = get_openapi(
        title="Strowger",
        version=VERSION,
        summary="Sales calls on the phone: who called, what was said, what came of it, whom to call next.",
        routes=bare.routes,
    )
    return described(found)


def described(found: dict[str, Any]) -> dict[str, Any]:
    """Adds what FastAPI cannot know: the roles, the keys that open it, and the shape of our refusals."""
    parts = found.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    made = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= made.pop("$defs", {})
    schemas["Problem"] = made
    parts["securitySchemes"] = {"bearer": _BEARER}
    for operations in found["paths"].values():
        for method, operation in operations.items():
            if method in METHODS:
                _describe(method, operation)
    return found


def _describe(method: str, operation: dict[str, Any]) -> None:
    needed = ACCESS.get(operation["operationId"])
    if needed != ANYONE:
        operation["security"] = [{"bearer": []}]
        operation["x-minimal-role"] = str(needed) if needed else None
    if method == "post":
        operation.setdefault("parameters", []).append(_KEY)
    answers = operation["responses"]
    answers.pop("422", None)
    answers["default"] = {
        "description": "Refused or failed: says what was wrong.",
        "content": {"application/problem+json": {"schema": _PROBLEM_REF}},
    }
    if method == "get":
        answers.setdefault("304", {"description": "You have this version already."})


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1)
    sys.stdout.write("\n")
