"""The transcript of a call, as rows. Derived from the log and replaced as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.dialog.transcript import Line
from app.store.connect import Connection
from app.store.values import text

_INSERT = """
    insert into turns (workspace_id, call_id, position, speaker, turn, at_ms, text, meant, complete, keyed)
    select strowger.here(), %(call_id)s, t.position, t.speaker, t.turn, t.at_ms, t.text, t.meant, t.complete, t.keyed
    from unnest(%(speakers)s::text[], %(turns)s::int[], %(times)s::bigint[], %(texts)s::text[], %(meant)s::text[],
                %(complete)s::boolean[], %(keyed)s::boolean[])
         with ordinality as t (speaker, turn, at_ms, text, meant, complete, keyed, position)
"""
_READ = """
    select t.speaker as by, t.turn, t.at_ms, t.text, t.meant, t.complete, t.keyed
    from turns t join calls c on c.id = t.call_id
    where c.call_sid = %s order by t.position
"""


def replace_turns(db: Connection, call_id: UUID, lines: Sequence[Line]) -> None:
    db.execute("delete from turns where call_id = %s", (call_id,))
    values = {
        "call_id": call_id,
        "speakers": [line.by for line in lines],
        "turns": [line.turn for line in lines],
        "times": [line.at_ms for line in lines],
        "texts": [text(line.text) for line in lines],
        "meant": [text(line.meant) for line in lines],
        "complete": [line.complete for line in lines],
        "keyed": [line.keyed for line in lines],
    }
    db.execute(_INSERT, values)


def read(db: Connection, call_sid: str) -> tuple[Line, ...]:
    """In order."""
    return tuple(Line(**row) for row in db.execute(_READ, (call_sid,)))
