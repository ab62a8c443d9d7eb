"""Many leads at once: in from a list, out to one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.store.connect import Connection
from app.store.values import json, text

# What is known already stays: a list that was bought is no better source than a person who called.
_TAKE = """
    insert into leads (workspace_id, phone, name, source, facts)
    select strowger.here(), n.phone, nullif(n.name, ''), n.source, n.facts
    from unnest(%(phones)s::text[], %(names)s::text[], %(sources)s::text[], %(facts)s::jsonb[])
         as n (phone, name, source, facts)
    on conflict (workspace_id, phone) do update
        set name = coalesce(leads.name, excluded.name), facts = excluded.facts || leads.facts, updated_at = now()
        where (leads.name is null and excluded.name is not null) or not (leads.facts @> (excluded.facts || leads.facts))
    returning xmax = 0 as new
"""
_ALL = "select id, phone, name, source, tier, facts, created_at from leads order by created_at, id"


@dataclass(frozen=True, slots=True)
class NewLead:
    """`phone` is E.164; `facts` are what the list says about the person, by the names of the playbook."""

    phone: str
    name: str
    source: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """New leads, known ones that got something new, and known ones that did not change."""

    new: int = 0
    completed: int = 0
    unchanged: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.new + other.new, self.completed + other.completed, self.unchanged + other.unchanged)


@dataclass(frozen=True, slots=True)
class Row:
    id: Any
    phone: str | None
    name: str | None
    source: str
    tier: str | None
    facts: Mapping[str, str]
    created_at: datetime


def take(db: Connection, leads: Sequence[NewLead]) -> Taken:
    """One statement. No phone may be in it twice. What is known of a lead already is kept."""
    columns = {
        "phones": [lead.phone for lead in leads],
        "names": [text(lead.name)[:200] for lead in leads],
        "sources": [text(lead.source) for lead in leads],
        "facts": [json(dict(lead.facts)) for lead in leads],
    }
    said = [row["new"] for row in db.execute(_TAKE, columns)]
    new = sum(said)
    return Taken(new, len(said) - new, len(leads) - len(said))


def everyone(db: Connection) -> Iterator[Row]:
    """Oldest first."""
    for row in db.execute(_ALL):
        yield Row(**row)
