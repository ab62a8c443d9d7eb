"""What is past its days: counted, and deleted. The days are the workspace's own; the database looks them up itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.store.connect import Connection

_DUE = """
    select (select count(*) from strowger.calls_to_forget(%(at)s)) as calls,
           (select count(*) from strowger.leads_to_forget(%(at)s)) as leads
"""
_SOUNDS = """
    select c.call_sid from calls c join workspaces w on w.id = c.workspace_id
    where c.call_sid = any(%(sids)s)
      and (c.forgotten_at is not null
           or c.ended_at < %(at)s - make_interval(days => least(w.recording_days, w.retention_days)))
      and not strowger.held(c.lead_id)
"""
_LAST = """
    select at, detail from audit_log where action = 'retention.forget' order by at desc limit 1
"""


def due(db: Connection, at: datetime) -> dict[str, int]:
    """How many calls and leads would be forgotten at this time."""
    row = db.execute(_DUE, {"at": at}).fetchone()
    assert row is not None
    return dict(row)


def sounds_due(db: Connection, sids: Sequence[str], at: datetime) -> frozenset[str]:
    """Of these calls the ones of this workspace whose sound is past its days."""
    found = db.execute(_SOUNDS, {"sids": list(sids), "at": at})
    return frozenset(row["call_sid"] for row in found)


def forget_calls(db: Connection, at: datetime, most: int) -> dict[str, int]:
    """What was deleted, by kind; `calls` is 0 when none is past its days."""
    return _counts(db.execute("select strowger.forget_calls(%s, %s) as counts", (at, most)).fetchone())


def forget_leads(db: Connection, at: datetime, most: int) -> dict[str, int]:
    """What was deleted, by kind; `leads` is 0 when none is past its days."""
    return _counts(db.execute("select strowger.forget_leads(%s, %s) as counts", (at, most)).fetchone())


def last(db: Connection) -> tuple[datetime, dict[str, Any]] | None:
    """When something was last deleted, and how much of what."""
    row = db.execute(_LAST).fetchone()
    return (row["at"], row["detail"]) if row else None


def _counts(row: dict[str, Any] | None) -> dict[str, int]:
    assert row is not None
    return {name: int(count) for name, count in row["counts"].items()}
