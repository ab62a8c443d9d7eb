"""Who did what, to what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.store.connect import Connection
from app.store.values import json

_WRITE = """
    insert into audit_log (workspace_id, actor, action, subject, detail)
    values (strowger.here(), %(actor)s, %(action)s, %(subject)s, %(detail)s)
"""
_NEWEST = """
    select a.id, a.at, a.actor, coalesce(nullif(m.name, ''), k.name) as actor_name, a.action, a.subject, a.detail
    from audit_log a
    left join members m on m.workspace_id = a.workspace_id and m.user_id::text = a.actor
    left join api_keys k on k.workspace_id = a.workspace_id and k.id::text = a.actor
    where (%(actor)s::text is null or a.actor = %(actor)s) and (%(action)s::text is null or a.action = %(action)s)
      and (%(subject)s::text is null or a.subject = %(subject)s)
      and (%(since)s::timestamptz is null or a.at >= %(since)s) and (%(until)s::timestamptz is null or a.at < %(until)s)
      and (%(at)s::timestamptz is null or (a.at, a.id) < (%(at)s, %(id)s))
    order by a.at desc, a.id desc
    limit %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Sought:
    """None takes any."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: UUID
    at: datetime
    actor: str
    actor_name: str | None
    action: str
    subject: str
    detail: dict[str, Any]


def write(db: Connection, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
    """`actor` is the user's id, or the name of the process; `action` a verb such as "playbook.publish"."""
    values = {"actor": actor, "action": action, "subject": subject, "detail": json(dict(detail or {}))}
    db.execute(_WRITE, values)


def newest(db: Connection, sought: Sought, after: tuple[datetime, UUID] | None, limit: int) -> tuple[AuditRow, ...]:
    at, entry = after or (None, None)
    values = {**asdict(sought), "at": at, "id": entry, "limit": limit}
    return tuple(AuditRow(**row) for row in db.execute(_NEWEST, values))
