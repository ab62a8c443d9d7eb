"""Where a person knew better than the model about a lead's tier. Rows are only ever added; the newest counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from app.store.connect import Connection
from app.store.values import text

Kind: TypeAlias = Literal["priority", "offer"]

_SET = """
    insert into tier_overrides (workspace_id, lead_id, call_id, kind, tier, why, who)
    values (strowger.here(), %s, %s, %s, %s, %s, %s)
"""
_CURRENT = """
    select tier from tier_overrides where lead_id = %s and kind = %s order by at desc limit 1
"""
_ALL = """
    select distinct on (lead_id) lead_id, call_id, tier, who, at from tier_overrides
    where kind = %s order by lead_id, at desc
"""


@dataclass(frozen=True, slots=True)
class Override:
    """`tier` None: taken back, what the model says counts again."""

    lead_id: UUID
    call_id: UUID | None
    tier: str | None
    who: str
    at: datetime


def choose(
    db: Connection, lead_id: UUID, kind: Kind, tier: str | None, *, who: str, why: str = "", call_id: UUID | None = None
) -> None:
    """`tier` None gives the word back to the model. Priority is hot, warm or cold; an offer is a playbook's tier."""
    db.execute(_SET, (lead_id, call_id, kind, tier, text(why), who))


def current(db: Connection, lead_id: UUID, kind: Kind) -> str | None:
    row = db.execute(_CURRENT, (lead_id, kind)).fetchone()
    return row["tier"] if row else None


def all_of(db: Connection, kind: Kind) -> Sequence[Override]:
    """The newest of each lead, also those taken back: what models learn from."""
    return [Override(**row) for row in db.execute(_ALL, (kind,))]
