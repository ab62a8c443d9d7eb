"""Legal holds: what may not be deleted, whatever its days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.store.connect import Connection

_CURRENT = """
    select h.id, h.lead_id, coalesce(l.name, l.phone) as lead, h.why, h.set_by, h.set_at
    from legal_holds h left join leads l on l.workspace_id = h.workspace_id and l.id = h.lead_id
    where h.lifted_at is null
"""
_ADD = """
    insert into legal_holds (workspace_id, lead_id, why, set_by) values (strowger.here(), %s, %s, %s) returning id
"""
_LIFT = "update legal_holds set lifted_by = %s, lifted_at = now() where id = %s and lifted_at is null"


@dataclass(frozen=True, slots=True)
class Hold:
    """`lead_id` None: everything of the workspace. `lead` is how the person is called, or their number."""

    id: UUID
    lead_id: UUID | None
    lead: str | None
    why: str
    set_by: UUID
    set_at: datetime


def current(db: Connection) -> list[Hold]:
    """Newest first."""
    return [Hold(**row) for row in db.execute(_CURRENT + " order by h.set_at desc, h.id")]


def one(db: Connection, hold_id: UUID) -> Hold | None:
    """None when it was lifted, too."""
    row = db.execute(_CURRENT + " and h.id = %s", (hold_id,)).fetchone()
    return Hold(**row) if row else None


def add(db: Connection, lead_id: UUID | None, why: str, by: UUID) -> UUID:
    """The caller has made sure that there is such a lead."""
    row = db.execute(_ADD, (lead_id, why, by)).fetchone()
    assert row is not None
    made: UUID = row["id"]
    return made


def lift(db: Connection, hold_id: UUID, by: UUID) -> bool:
    return db.execute(_LIFT, (by, hold_id)).rowcount == 1
