"""Leads: find, make, learn, rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.sales.lead import Lead, Tier
from app.store.connect import Connection
from app.store.values import json

_COLUMNS = "id, workspace_id, phone, name, source, facts, tier, created_at"
_MAKE = f"""
    insert into leads (workspace_id, phone, name, source)
    values (strowger.here(), %(phone)s, %(name)s, %(source)s)
    on conflict (workspace_id, phone) do nothing
    returning {_COLUMNS}
"""  # noqa: S608 - a constant
_BY_PHONE = f"select {_COLUMNS} from leads where phone = %s"  # noqa: S608
_BY_ID = f"select {_COLUMNS} from leads where id = %s"  # noqa: S608
_LEARN = """
    update leads set facts = facts || %(facts)s, name = coalesce(%(name)s, name), updated_at = now() where id = %(id)s
"""
_CALLS = """
    select c.call_sid, o.result
    from calls c left join outcomes o on o.call_id = c.id
    where c.lead_id = %s order by c.created_at
"""


@dataclass(frozen=True, slots=True)
class PastCall:
    """`result` is None while the call has no outcome."""

    call_sid: str
    result: str | None


def find_or_create(db: Connection, phone: str, source: str, name: str | None = None) -> Lead:
    """The lead with this number. `phone` is E.164, or empty when the caller withheld it: then always a new lead."""
    known = db.execute(_BY_PHONE, (phone,)).fetchone() if phone else None
    if known is None:
        known = db.execute(_MAKE, {"phone": phone or None, "name": name, "source": source}).fetchone()
    if known is None:  # another call of the same person made it just now
        known = db.execute(_BY_PHONE, (phone,)).fetchone()
    assert known is not None
    return _from_row(known)


def get(db: Connection, lead_id: UUID) -> Lead | None:
    row = db.execute(_BY_ID, (lead_id,)).fetchone()
    return _from_row(row) if row else None


def by_phone(db: Connection, phone: str) -> Lead | None:
    row = db.execute(_BY_PHONE, (phone,)).fetchone()
    return _from_row(row) if row else None


def learn(db: Connection, lead_id: UUID, facts: Mapping[str, str]) -> None:
    """New facts win over old ones of the same name; a fact called `name` also names the lead."""
    name = facts.get("name", "").strip()[:200] or None
    db.execute(_LEARN, {"id": lead_id, "facts": json(dict(facts)), "name": name})


def set_tier(db: Connection, lead_id: UUID, tier: Tier | None) -> None:
    db.execute("update leads set tier = %s, updated_at = now() where id = %s", (tier, lead_id))


def past_calls(db: Connection, lead_id: UUID) -> tuple[PastCall, ...]:
    """Oldest first."""
    return tuple(PastCall(**row) for row in db.execute(_CALLS, (lead_id,)))


def _from_row(row: Mapping[str, Any]) -> Lead:
    return Lead(
        id=row["id"],
        workspace_id=row["workspace_id"],
        phone=row["phone"] or "",
        name=row["name"],
        source=row["source"],
        facts=row["facts"],
        tier=Tier(row["tier"]) if row["tier"] else None,
        created_at=row["created_at"],
    )
