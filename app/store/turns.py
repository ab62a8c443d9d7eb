"""The transcript of a call, as rows. Derived from the log and replaced as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.store.connect import Connection

_INSERT = """
    insert into turns (workspace_id, call_id, position, speaker, text, started_ms, ended_ms, interrupted)
    select strowger.here(), %(call_id)s, t.position, t.speaker, t.text, t.started_ms, t.ended_ms, t.interrupted
    from unnest(%(speakers)s::text[], %(texts)s::text[], %(starts)s::bigint[], %(ends)s::bigint[], %(cuts)s::boolean[])
         with ordinality as t (speaker, text, started_ms, ended_ms, interrupted, position)
"""
_READ = """
    select t.speaker, t.text, t.started_ms, t.ended_ms, t.interrupted
    from turns t join calls c on c.id = t.call_id
    where c.call_sid = %s order by t.position
"""


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One thing said. `speaker` is "caller" or "agent"; of the agent only what was heard; times of the call in ms."""

    speaker: str
    text: str
    started_ms: int
    ended_ms: int | None = None
    interrupted: bool = False


def replace_turns(db: Connection, call_id: UUID, turns: Sequence[TurnRow]) -> None:
    db.execute("delete from turns where call_id = %s", (call_id,))
    values = {
        "call_id": call_id,
        "speakers": [turn.speaker for turn in turns],
        "texts": [turn.text.replace("\x00", "") for turn in turns],
        "starts": [turn.started_ms for turn in turns],
        "ends": [turn.ended_ms for turn in turns],
        "cuts": [turn.interrupted for turn in turns],
    }
    if turns:
        db.execute(_INSERT, values)


def read(db: Connection, call_sid: str) -> tuple[TurnRow, ...]:
    return tuple(TurnRow(**row) for row in db.execute(_READ, (call_sid,)))
