"""Scoring many leads again: chunks of calls as jobs, and how far they are.

`start` is all that a command or an endpoint needs; the workers do the rest (workers/rescore.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from app.store import outbox
from app.store.connect import Connection

KIND = "rescore"
CHUNK = 500  # leads per job: some seconds at most, so that a lost worker loses little

_LATEST = """
    select distinct on (c.lead_id) c.call_sid
    from calls c join outcomes o on o.call_id = c.id
    where c.lead_id is not null and c.forgotten_at is null
    order by c.lead_id, c.created_at desc
"""
_PROGRESS = """
    select coalesce(sum(jsonb_array_length(payload -> 'calls')), 0)::integer as leads,
           coalesce(sum(jsonb_array_length(payload -> 'calls')) filter (where done_at is not null), 0)::integer as done,
           coalesce(sum(jsonb_array_length(payload -> 'calls')) filter (where quarantined_at is not null), 0)::integer
               as put_aside
    from outbox where kind = 'rescore' and key like %s
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """`put_aside` are leads whose chunk failed too often and waits for a person."""

    leads: int
    done: int
    put_aside: int

    @property
    def over(self) -> bool:
        return self.done + self.put_aside >= self.leads


def start(db: Connection, chunk: int = CHUNK) -> UUID:
    """Every lead's latest finished call of which more is known than that it was, is scored again by whichever model
    serves. The id tells how far it is; where
    there is nobody to score, there is one empty chunk."""
    batch = uuid4()
    sids = [row["call_sid"] for row in db.execute(_LATEST)]
    for number, at in enumerate(range(0, max(1, len(sids)), chunk)):
        outbox.put(db, KIND, f"{batch}/{number}", {"calls": sids[at : at + chunk]})
    return batch


def progress(db: Connection, batch: UUID) -> Progress:
    row = db.execute(_PROGRESS, (f"{batch}/%",)).fetchone()
    assert row is not None
    return Progress(**row)


def exists(db: Connection, batch: UUID) -> bool:
    found = db.execute("select 1 from outbox where kind = %s and key like %s limit 1", (KIND, f"{batch}/%"))
    return found.fetchone() is not None


def open_chunks(db: Connection, batch: UUID) -> tuple[tuple[UUID, str], ...]:
    """Job and key of those that nobody has done."""
    found = db.execute(
        "select id, key from outbox where kind = %s and key like %s and done_at is null", (KIND, f"{batch}/%")
    )
    return tuple((row["id"], row["key"]) for row in found)


def chunk_of(db: Connection, job_id: UUID) -> tuple[str, ...]:
    row = db.execute("select payload -> 'calls' as calls from outbox where id = %s", (job_id,)).fetchone()
    return tuple(row["calls"]) if row else ()
