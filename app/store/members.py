"""Members changed, and invited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.store.accounts import Member, member
from app.store.connect import Connection

_ADD = """
    insert into members (workspace_id, user_id, role, name)
    values (strowger.here(), %(user_id)s, %(role)s, %(name)s)
    on conflict (workspace_id, user_id) do nothing
"""
_INVITATIONS = "id, role, name, created_by, created_at, expires_at, accepted_at, accepted_by, revoked_at"
_INVITE = f"""
    insert into invitations (workspace_id, token_hash, role, name, created_by, expires_at)
    values (strowger.here(), %(token_hash)s, %(role)s, %(name)s, %(created_by)s, %(expires_at)s)
    returning {_INVITATIONS}
"""  # noqa: S608 - a constant
_INVITED = f"""
    select {_INVITATIONS} from invitations
    where %(at)s::timestamptz is null or (created_at, id) < (%(at)s, %(id)s)
    order by created_at desc, id desc
    limit %(limit)s
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class InvitationRow:
    id: UUID
    role: str
    name: str
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: UUID | None
    revoked_at: datetime | None


def add(db: Connection, user_id: UUID, role: str, name: str) -> bool:
    """False when they are a member already."""
    return db.execute(_ADD, {"user_id": user_id, "role": role, "name": name}).rowcount == 1


def change(db: Connection, user_id: UUID, role: str, name: str) -> None:
    db.execute("update members set role = %s, name = %s where user_id = %s", (role, name, user_id))


def remove(db: Connection, user_id: UUID) -> None:
    db.execute("delete from members where user_id = %s", (user_id,))


def locked(db: Connection, user_id: UUID) -> tuple[Member | None, int]:
    """The member and how many owners there are, neither of which changes before the transaction ends."""
    # Two owners who remove each other at once wait for one another here.
    db.execute("select pg_advisory_xact_lock(hashtextextended('members' || strowger.here()::text, 0))")
    owners = db.execute("select count(*) as n from members where role = 'owner'").fetchone()
    return member(db, user_id), int(owners["n"]) if owners else 0


def invite(
    db: Connection, *, token_hash: str, role: str, name: str, created_by: UUID, expires_at: datetime
) -> InvitationRow:
    values: dict[str, Any] = {
        "token_hash": token_hash, "role": role, "name": name, "created_by": created_by, "expires_at": expires_at,
    }  # fmt: skip
    row = db.execute(_INVITE, values).fetchone()
    assert row is not None
    return InvitationRow(**row)


def invited(db: Connection, after: tuple[datetime, UUID] | None, limit: int) -> tuple[InvitationRow, ...]:
    """Newest first."""
    at, key = after or (None, None)
    return tuple(InvitationRow(**row) for row in db.execute(_INVITED, {"at": at, "id": key, "limit": limit}))


def uninvite(db: Connection, invitation_id: UUID) -> bool:
    """False when there is no such invitation."""
    query = "update invitations set revoked_at = coalesce(revoked_at, now()) where id = %s"
    return db.execute(query, (invitation_id,)).rowcount == 1
