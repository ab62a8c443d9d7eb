"""The log of a call, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.dialog.events import Entry, from_record, to_record
from app.store import values
from app.store.connect import Connection

_APPEND = """
    insert into call_events (workspace_id, call_id, seq, at_ms, kind, body)
    select strowger.here(), e.call_id, e.seq, e.at_ms, e.kind, e.body
    from unnest(%(calls)s::uuid[], %(seqs)s::int[], %(times)s::bigint[], %(kinds)s::text[], %(bodies)s::jsonb[])
         as e (call_id, seq, at_ms, kind, body)
    on conflict (call_id, seq) do nothing
    returning call_id, seq
"""
_READ = """
    select e.seq, e.at_ms, e.kind, e.body
    from call_events e join calls c on c.id = e.call_id
    where c.call_sid = %(call_sid)s and e.seq > %(after)s
    order by e.seq
"""
_OF_CALLS = """
    select e.call_id, e.seq, e.at_ms, e.kind, e.body from call_events e
    where e.call_id = any(%s) and e.kind <> 'Signalled' order by e.call_id, e.seq
"""
_LAST = (
    "select coalesce(max(e.seq), 0) as seq from call_events e join calls c on c.id = e.call_id where c.call_sid = %s"
)


def append(db: Connection, call_id: UUID, entries: Sequence[Entry]) -> frozenset[int]:
    """The numbers written now. An entry that is already there stays as it is, so a batch may be written again."""
    return frozenset(seq for _, seq in append_all(db, [(call_id, entry) for entry in entries]))


def append_all(db: Connection, entries: Sequence[tuple[UUID, Entry]]) -> frozenset[tuple[UUID, int]]:
    """The same for many calls in one statement: (call_id, seq) of what was written now."""
    if not entries:
        return frozenset()
    records = [to_record(entry.fact) for _, entry in entries]
    columns = {
        "calls": [call_id for call_id, _ in entries],
        "seqs": [entry.seq for _, entry in entries],
        "times": [entry.at_ms for _, entry in entries],
        "kinds": [kind for kind, _ in records],
        "bodies": [values.json(body) for _, body in records],
    }
    return frozenset((row["call_id"], row["seq"]) for row in db.execute(_APPEND, columns))


def read(db: Connection, call_sid: str, after_seq: int = 0) -> tuple[Entry, ...]:
    """In order. Facts of a newer version come as `Unknown`."""
    rows = db.execute(_READ, {"call_sid": call_sid, "after": after_seq})
    return tuple(Entry(row["seq"], row["at_ms"], from_record(row["kind"], row["body"])) for row in rows)  # type: ignore[arg-type]


def of_calls(db: Connection, call_ids: Sequence[UUID]) -> dict[UUID, list[Entry]]:
    """The logs of several calls, in one query."""
    found: dict[UUID, list[Entry]] = {}
    for row in db.execute(_OF_CALLS, (list(call_ids),)):
        entry = Entry(row["seq"], row["at_ms"], from_record(row["kind"], row["body"]))  # type: ignore[arg-type]
        found.setdefault(row["call_id"], []).append(entry)
    return found


def last_seq(db: Connection, call_sid: str) -> int:
    """0 for a call that has said nothing yet."""
    row = db.execute(_LAST, (call_sid,)).fetchone()
    return int(row["seq"]) if row else 0
