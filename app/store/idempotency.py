"""What was answered to requests that named themselves. A day is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.store.connect import Connection
from app.store.values import json

# Rows of yesterday are as good as none; a claim whose process died is given up after a minute.
_FORGET = """
    delete from idempotency_keys
    where user_id = %(user)s and key = %(key)s
      and (created_at < now() - interval '1 day' or (status is null and created_at < now() - interval '1 minute'))
"""
_CLAIM = """
    insert into idempotency_keys (workspace_id, user_id, key, request_sha256)
    values (strowger.here(), %(user)s, %(key)s, %(sha256)s)
    on conflict (workspace_id, user_id, key) do nothing
"""
_LOOK = "select request_sha256, status, headers, body from idempotency_keys where user_id = %(user)s and key = %(key)s"
_SETTLE = """
    update idempotency_keys set status = %(status)s, headers = %(headers)s, body = %(body)s
    where user_id = %(user)s and key = %(key)s
"""
_RELEASE = "delete from idempotency_keys where user_id = %(user)s and key = %(key)s and status is null"


@dataclass(frozen=True, slots=True)
class Answered:
    """`status` is None while the first request is under way; `body` is None for an answer that is not repeated."""

    request_sha256: str
    status: int | None
    headers: dict[str, str]
    body: str | None


def claim(db: Connection, user: UUID, key: str, request_sha256: str) -> Answered | None:
    """None when the key is new and now ours; else what is known of the request that had it first."""
    values = {"user": user, "key": key, "sha256": request_sha256}
    db.execute(_FORGET, values)
    if db.execute(_CLAIM, values).rowcount == 1:
        return None
    row = db.execute(_LOOK, values).fetchone()
    return Answered(**row) if row else None


def settle(db: Connection, user: UUID, key: str, status: int, headers: dict[str, str], body: str | None) -> None:
    values: dict[str, Any] = {"user": user, "key": key, "status": status, "headers": json(headers), "body": body}
    db.execute(_SETTLE, values)


def release(db: Connection, user: UUID, key: str) -> None:
    """Nothing came of it: the request may be tried again under the same key."""
    db.execute(_RELEASE, {"user": user, "key": key})
