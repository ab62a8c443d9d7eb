"""How calls ended: one outcome each, whoever records it first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from app.sales.outcome import Outcome, Result
from app.store.connect import Connection
from app.store.values import json

_COLUMNS = """
    call_sid, result, reason, facts, appointment, follow_up, whatsapp_consent, turns, interruptions, duration_ms,
    reply_p50_ms, reply_p95_ms
"""
_RECORD = f"""
    insert into outcomes (call_id, workspace_id, lead_id, {_COLUMNS})
    values (%(call_id)s, strowger.here(), %(lead_id)s, %(call_sid)s, %(result)s, %(reason)s, %(facts)s, %(appointment)s,
            %(follow_up)s, %(whatsapp_consent)s, %(turns)s, %(interruptions)s, %(duration_ms)s, %(reply_p50_ms)s,
            %(reply_p95_ms)s)
    on conflict (call_id) do nothing
"""  # noqa: S608 - a constant
_GET = f"select {_COLUMNS} from outcomes where call_sid = %s"  # noqa: S608


def record(db: Connection, call_id: UUID, lead_id: UUID | None, outcome: Outcome) -> bool:
    """False when this call has its outcome already: the end of a call is seen by several."""
    values = asdict(outcome) | {"call_id": call_id, "lead_id": lead_id, "facts": json(dict(outcome.facts))}
    return db.execute(_RECORD, values).rowcount == 1


def get(db: Connection, call_sid: str) -> Outcome | None:
    row = db.execute(_GET, (call_sid,)).fetchone()
    return _from_row(row) if row else None


def _from_row(row: Mapping[str, Any]) -> Outcome:
    return Outcome(**{**row, "result": Result(row["result"])})
