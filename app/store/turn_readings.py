"""What each turn of a caller's is about, by the model of words that read it first."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.sales.reading import TurnReading
from app.store.connect import Connection

_INSERT = """
    insert into turn_readings (workspace_id, call_id, seq, intent, probability, objection, sentiment, model_version)
    select strowger.here(), %(call_id)s, r.*
    from unnest(%(seqs)s::int[], %(intents)s::text[], %(probabilities)s::float8[], %(objections)s::float8[],
                %(sentiments)s::float8[], %(versions)s::text[]) as r
    on conflict (call_id, seq) do nothing
"""
_OF_CALL = """
    select r.seq, r.intent, r.probability, r.objection, r.sentiment, r.model_version
    from turn_readings r join calls c on c.id = r.call_id
    where c.call_sid = %s order by r.seq
"""


def record(db: Connection, call_id: UUID, readings: Sequence[TurnReading]) -> None:
    """A turn that was read before keeps its reading."""
    values = {
        "call_id": call_id,
        "seqs": [one.seq for one in readings],
        "intents": [one.intent for one in readings],
        "probabilities": [one.probability for one in readings],
        "objections": [one.objection for one in readings],
        "sentiments": [one.sentiment for one in readings],
        "versions": [one.model_version for one in readings],
    }
    db.execute(_INSERT, values)


def of_call(db: Connection, call_sid: str) -> tuple[TurnReading, ...]:
    """In the order of the log."""
    return tuple(TurnReading(**row) for row in db.execute(_OF_CALL, (call_sid,)))
