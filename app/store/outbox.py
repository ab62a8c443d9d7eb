"""Jobs, written in the transaction of the facts that cause them. A lost queue is filled again from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.store.connect import Connection
from app.store.values import json

TRIES = 3  # a job that failed, or killed its worker, this often is put aside for a person (F01, F28)

_PUT = """
    insert into outbox (workspace_id, kind, key, payload) values (strowger.here(), %(kind)s, %(key)s, %(payload)s)
    on conflict (workspace_id, kind, key) do nothing
"""
_BEGIN = """
    update outbox set
        starts = starts + 1,
        quarantined_at = case when starts >= %(tries)s then now() end,
        last_error = case when starts < %(tries)s then last_error else coalesce(last_error, 'its worker died') end
    where id = %(id)s and done_at is null and quarantined_at is null
    returning quarantined_at is null as go
"""
_FAILED = """
    update outbox set
        failures = failures + 1,
        last_error = left(%(error)s, 2000),
        leased_until = null,
        available_at = now() + %(again_in)s,
        quarantined_at = case when failures + 1 >= %(tries)s then now() end
    where id = %(id)s and done_at is null
    returning quarantined_at is not null as quarantined
"""
_POSTPONE = """
    update outbox set
        starts = greatest(starts - 1, 0),
        last_error = coalesce(left(%(why)s, 2000), last_error),
        leased_until = null,
        available_at = now() + greatest(%(again_in)s, least((now() - created_at) / 4, interval '5 minutes'))
    where id = %(id)s and done_at is null and quarantined_at is null
"""
_PUT_ASIDE = """
    update outbox set quarantined_at = now(), leased_until = null, last_error = left(%(why)s, 2000)
    where id = %(id)s and done_at is null and quarantined_at is null
"""
_DONE = (
    "update outbox set done_at = now(), leased_until = null, quarantined_at = null where id = %s and done_at is null"
)


@dataclass(frozen=True, slots=True)
class Job:
    id: UUID
    workspace_id: UUID
    kind: str
    key: str
    payload: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """Waiting jobs, those put aside, and since when the oldest waiting one exists."""

    pending: int
    quarantined: int
    oldest: datetime | None


def put(db: Connection, kind: str, key: str, payload: Mapping[str, Any] | None = None) -> bool:
    """False when there is such a job already, done or not."""
    return db.execute(_PUT, {"kind": kind, "key": key, "payload": json(dict(payload or {}))}).rowcount == 1


def take(system_db: Connection, limit: int = 100, lease_s: float = 30.0) -> tuple[Job, ...]:
    """Open jobs of all workspaces. Each is ours until its lease ends; then, if it is not done, it is taken again."""
    found = system_db.execute("select * from strowger.lease_jobs(%s, %s)", (limit, timedelta(seconds=lease_s)))
    return tuple(Job(**row) for row in found)


def begin(db: Connection, job_id: UUID) -> bool:
    """Call it in a transaction of its own before working. False: it is done, or it has killed its worker too often."""
    row = db.execute(_BEGIN, {"id": job_id, "tries": TRIES}).fetchone()
    return row is not None and bool(row["go"])


def done(db: Connection, job_id: UUID) -> bool:
    return db.execute(_DONE, (job_id,)).rowcount == 1


def failed(db: Connection, job_id: UUID, error: str, again_in_s: float = 5.0) -> bool:
    """True when that was the last try and the job is now put aside."""
    values = {"id": job_id, "error": error, "again_in": timedelta(seconds=again_in_s), "tries": TRIES}
    row = db.execute(_FAILED, values).fetchone()
    return row is not None and bool(row["quarantined"])


def postpone(db: Connection, job_id: UUID, again_in_s: float, why: str | None = None) -> bool:
    """It could not be tried for a reason outside of it, such as a provider that is down: no try is counted.

    The older the job, the longer the pause: `again_in_s` at least, a quarter of its age, but 5 minutes at most.
    """
    values = {"id": job_id, "why": why, "again_in": timedelta(seconds=again_in_s)}
    return db.execute(_POSTPONE, values).rowcount == 1


def put_aside(db: Connection, job_id: UUID, why: str) -> bool:
    """For a person to look at: trying again would not help."""
    return db.execute(_PUT_ASIDE, {"id": job_id, "why": why}).rowcount == 1


def pending(system_db: Connection) -> Pending:
    row = system_db.execute("select * from strowger.jobs_pending()").fetchone()
    assert row is not None
    return Pending(**row)
