"""The log of a call, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.dialog.events import Entry, from_record, to_record
from app.store.connect import Connection

_APPEND = """
    insert into call_events (workspace_id, call_id, seq, at_ms, kind, body)
    select strowger.here(), %(call_id)s, e.seq, e.at_ms, e.kind, e.body
    from unnest(%(seqs)s::int[], %(times)s::bigint[], %(kinds)s::text[], %(bodies)s::jsonb[])
         as e (seq, at_ms, kind, body)
    on conflict (call_id, seq) do nothing
    returning seq
"""
_READ = """
    select e.seq, e.at_ms, e.kind, e.body
    from call_events e join calls c on c.id = e.call_id
    where c.call_sid = %(call_sid)s and e.seq > %(after)s
    order by e.seq
"""
_LAST = (
    "select coalesce(max(e.seq), 0) as seq from call_events e join calls c on c.id = e.call_id where c.call_sid = %s"
)


def append(db: Connection, call_id: UUID, entries: Sequence[Entry]) -> frozenset[int]:
    """The numbers written now. An entry that is already there stays as it is, so a batch may be written again."""
    if not entries:
        return frozenset()
    records = [to_record(entry.fact) for entry in entries]
    values = {
        "call_id": call_id,
        "seqs": [entry.seq for entry in entries],
        "times": [entry.at_ms for entry in entries],
        "kinds": [kind for kind, _ in records],
        "bodies": [Jsonb(_storable(body)) for _, body in records],
    }
    return frozenset(row["seq"] for row in db.execute(_APPEND, values))


def read(db: Connection, call_sid: str, after_seq: int = 0) -> tuple[Entry, ...]:
    """In order. Facts of a newer version come as `Unknown`."""
    rows = db.execute(_READ, {"call_sid": call_sid, "after": after_seq})
    return tuple(Entry(row["seq"], row["at_ms"], from_record(row["kind"], row["body"])) for row in rows)  # type: ignore[arg-type]


def last_seq(db: Connection, call_sid: str) -> int:
    """0 for a call that has said nothing yet."""
    row = db.execute(_LAST, (call_sid,)).fetchone()
    return int(row["seq"]) if row else 0


def _storable(value: Any) -> Any:
    """JSON in Postgres holds every character but NUL, which a speech provider may well send."""
    match value:
        case str():
            return value.replace("\x00", "")
        case dict():
            return {key: _storable(item) for key, item in value.items()}
        case list() | tuple():
            return [_storable(item) for item in value]
        case _:
            return value
