"""Keys of programs. The key itself is seen once, by whoever makes it; here is its hash."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.store.connect import Connection

_COLUMNS = "id, name, role, scopes, hint, created_by, created_at, expires_at, revoked_at, last_used_at, replaces"
_LIST = f"""
    select {_COLUMNS} from api_keys
    where %(at)s::timestamptz is null or (created_at, id) < (%(at)s, %(id)s)
    order by created_at desc, id desc
    limit %(limit)s
"""  # noqa: S608 - a constant
_GET = f"select {_COLUMNS} from api_keys where id = %s"  # noqa: S608
_MAKE = f"""
    insert into api_keys (workspace_id, name, role, scopes, key_hash, hint, created_by, expires_at, replaces)
    values (strowger.here(), %(name)s, %(role)s, %(scopes)s, %(key_hash)s, %(hint)s, %(created_by)s, %(expires_at)s,
            %(replaces)s)
    returning {_COLUMNS}
"""  # noqa: S608
_REVOKE = "update api_keys set revoked_at = now() where id = %s and revoked_at is null"
_UNTIL = "update api_keys set expires_at = least(coalesce(expires_at, 'infinity'), %s) where id = %s"


@dataclass(frozen=True, slots=True)
class NewKey:
    name: str
    role: str
    scopes: list[str]
    key_hash: str
    hint: str
    created_by: UUID
    expires_at: datetime | None = None
    replaces: UUID | None = None


@dataclass(frozen=True, slots=True)
class KeyRow:
    id: UUID
    name: str
    role: str
    scopes: list[str]
    hint: str
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    replaces: UUID | None


def newest(db: Connection, after: tuple[datetime, UUID] | None, limit: int) -> tuple[KeyRow, ...]:
    at, key_id = after or (None, None)
    return tuple(KeyRow(**row) for row in db.execute(_LIST, {"at": at, "id": key_id, "limit": limit}))


def get(db: Connection, key_id: UUID, *, locked: bool = False) -> KeyRow | None:
    row = db.execute(_GET + (" for update" if locked else ""), (key_id,)).fetchone()
    return KeyRow(**row) if row else None


def make(db: Connection, key: NewKey) -> KeyRow:
    row: dict[str, Any] | None = db.execute(_MAKE, asdict(key)).fetchone()
    assert row is not None
    return KeyRow(**row)


def revoke(db: Connection, key_id: UUID) -> None:
    db.execute(_REVOKE, (key_id,))


def end_at(db: Connection, key_id: UUID, at: datetime) -> None:
    """Never later than it would have ended anyway."""
    db.execute(_UNTIL, (at, key_id))
