"""Members, and how they come in: tickets, sessions, keys. Secrets are known here by their SHA-256 only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg

from app.store.connect import Connection, translated

_MEMBERS = """
    select user_id, role, name, created_at from members
    where %(at)s::timestamptz is null or (created_at, user_id) > (%(at)s, %(id)s)
    order by created_at, user_id
    limit %(limit)s
"""
_MEMBER = "select user_id, role, name, created_at from members where user_id = %s"
_ME = """
    select coalesce(m.name, k.name, '') as name, w.id, w.name as workspace
    from workspaces w
    left join members m on m.workspace_id = w.id and m.user_id = %(id)s
    left join api_keys k on k.workspace_id = w.id and k.id = %(id)s
"""
_TICKET = """
    insert into tickets (token_hash, workspace_id, user_id, purpose, call_sid, issued_at, expires_at)
    values (%(hash)s, %(workspace)s, %(user)s, %(purpose)s, %(call_sid)s, %(at)s, %(expires_at)s)
"""
_SESSION = """
    insert into sessions (workspace_id, user_id, token_hash, rotated_at, expires_at)
    values (strowger.here(), %s, %s, %s, %s)
"""
_OWNER = """
    insert into members (workspace_id, user_id, role) values (%s, %s, 'owner')
    on conflict (workspace_id, user_id) do nothing
"""


@dataclass(frozen=True, slots=True)
class Member:
    user_id: UUID
    role: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Me:
    name: str
    workspace_id: UUID
    workspace: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whom a ticket, cookie or link belongs to, and in which role they act now."""

    workspace_id: UUID
    user_id: UUID
    role: str
    call_sid: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    id: UUID
    workspace_id: UUID
    role: str
    scopes: list[str]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewTicket:
    """`purpose` is "session", "feed", "listen" or "phone"; only a session's may live longer than 30 s."""

    token: str
    workspace_id: UUID
    user_id: UUID
    purpose: str
    at: datetime
    lasts: timedelta
    call_sid: str | None = None


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def members(db: Connection, after: tuple[datetime, UUID] | None, limit: int) -> tuple[Member, ...]:
    """In the order they joined."""
    at, user_id = after or (None, None)
    return tuple(Member(**row) for row in db.execute(_MEMBERS, {"at": at, "id": user_id, "limit": limit}))


def member(db: Connection, user_id: UUID) -> Member | None:
    row = db.execute(_MEMBER, (user_id,)).fetchone()
    return Member(**row) if row else None


def me(db: Connection, user_id: UUID) -> Me | None:
    row = db.execute(_ME, {"id": user_id}).fetchone()
    return Me(row["name"], row["id"], row["workspace"]) if row else None


def standing(system_db: Connection, user_id: UUID, workspace_id: UUID) -> str | None:
    """The role of a member or a live key; None when they have none (any more)."""
    row = system_db.execute("select strowger.standing(%s, %s) as role", (user_id, workspace_id)).fetchone()
    return row["role"] if row else None


def key(system_db: Connection, key_hash: str) -> Key | None:
    """None for a key that is unknown, revoked or expired."""
    row = system_db.execute("select * from strowger.api_key(%s)", (key_hash,)).fetchone()
    return Key(**row) if row else None


def issue_ticket(db: Connection, ticket: NewTicket) -> None:
    db.execute(
        _TICKET,
        {
            "hash": hash_of(ticket.token),
            "workspace": ticket.workspace_id,
            "user": ticket.user_id,
            "purpose": ticket.purpose,
            "call_sid": ticket.call_sid,
            "at": ticket.at,
            "expires_at": ticket.at + ticket.lasts,
        },
    )


def redeem_ticket(system_db: Connection, token: str, purpose: str, at: datetime) -> Admitted | None:
    """None when it is unknown, too old, for something else, or was used before."""
    query = "select workspace_id, user_id, role, call_sid from strowger.redeem_ticket(%s, %s, %s)"
    row = system_db.execute(query, (hash_of(token), purpose, at)).fetchone()
    return Admitted(**row) if row else None


def accept_invitation(system_db: Connection, token: str, at: datetime) -> Admitted | None:
    """Makes a member, once. None when there is no such open invitation."""
    query = "select workspace_id, user_id, role from strowger.accept_invitation(%s, %s)"
    row = system_db.execute(query, (hash_of(token), at)).fetchone()
    return Admitted(**row) if row else None


def open_session(db: Connection, user_id: UUID, token: str, at: datetime, lasts: timedelta) -> None:
    db.execute(_SESSION, (user_id, hash_of(token), at, at + lasts))


def refresh_session(system_db: Connection, token: str, fresh: str, at: datetime) -> tuple[Admitted, bool] | None:
    """Whose session this is, and whether `fresh` is its token from now on; None when it is over."""
    query = "select workspace_id, user_id, role, rotated from strowger.refresh_session(%s, %s, %s)"
    row = system_db.execute(query, (hash_of(token), hash_of(fresh), at)).fetchone()
    return (Admitted(row["workspace_id"], row["user_id"], row["role"]), bool(row["rotated"])) if row else None


def close_session(db: Connection, token: str, at: datetime) -> None:
    db.execute("update sessions set revoked_at = %s where token_hash = %s", (at, hash_of(token)))


def owner_link(url: str, workspace_id: UUID, token: str, lasts: timedelta) -> UUID:
    """The first owner of a workspace, made if need be, and a one-time ticket for them. Returns the owner's id.

    `url` must be the migrating user's: nobody else may make a member out of nothing.
    """
    owner = uuid5(workspace_id, "owner")
    with translated(), psycopg.connect(url, prepare_threshold=None, connect_timeout=10) as db:
        db.execute(_OWNER, (workspace_id, owner))
        values: dict[str, Any] = {
            "hash": hash_of(token), "workspace": workspace_id, "user": owner, "purpose": "session", "call_sid": None,
        }  # fmt: skip
        # The database's clock, since no web process has looked at its own yet.
        moment = db.execute("select now(), now() + %s", (lasts,)).fetchone()
        assert moment is not None
        db.execute(_TICKET, values | {"at": moment[0], "expires_at": moment[1]})
    return owner
