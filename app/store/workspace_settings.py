"""What a workspace has set for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.errors import NotFound
from app.store.connect import Connection

_GET = """
    select id, name, time_zone, locale, retention_days, recording_days, quiet_from, quiet_to, capacity_per_day,
           value_usd, call_cost_usd, created_at
    from workspaces
"""
_SET = """
    update workspaces set
        name = %(name)s, time_zone = %(time_zone)s, locale = %(locale)s, retention_days = %(retention_days)s,
        recording_days = %(recording_days)s, quiet_from = %(quiet_from)s, quiet_to = %(quiet_to)s,
        capacity_per_day = %(capacity_per_day)s, value_usd = %(value_usd)s, call_cost_usd = %(call_cost_usd)s
"""


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    id: UUID
    name: str
    time_zone: str
    locale: str
    retention_days: int
    recording_days: int
    quiet_from: time | None
    quiet_to: time | None
    capacity_per_day: int
    value_usd: Decimal
    call_cost_usd: Decimal
    created_at: datetime


def get(db: Connection, *, locked: bool = False) -> WorkspaceSettings:
    """Of the workspace this transaction is for. Raises NotFound. `locked`: until the transaction ends."""
    row = db.execute(_GET + (" for update" if locked else "")).fetchone()
    if row is None:
        raise NotFound("This workspace is gone.")
    return WorkspaceSettings(**row)


def put(db: Connection, values: Mapping[str, Any]) -> None:
    """Every setting by name, as in WorkspaceSettings."""
    db.execute(_SET, values)
