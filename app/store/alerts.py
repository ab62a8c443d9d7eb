"""What somebody should look at, said once: noticed again it is the same alert, seen again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.store.connect import Connection
from app.store.values import json

_RAISE = """
    insert into alerts (workspace_id, kind, subject, sentence, detail)
    values (strowger.here(), %(kind)s, %(subject)s, %(sentence)s, %(detail)s)
    on conflict (workspace_id, kind, subject) where closed_at is null
    do update set times = alerts.times + 1, seen_at = now(), sentence = excluded.sentence, detail = excluded.detail
    returning times = 1 as new
"""
_CLOSE = "update alerts set closed_at = now() where kind = %s and subject <> all(%s) and closed_at is null"
_OPEN = """
    select kind, subject, sentence, detail, opened_at, times from alerts where closed_at is null order by opened_at
"""


@dataclass(frozen=True, slots=True)
class Alert:
    kind: str
    subject: str
    sentence: str
    detail: Mapping[str, Any]
    opened_at: datetime
    times: int


def raise_(db: Connection, kind: str, subject: str, sentence: str, detail: Mapping[str, Any] | None = None) -> bool:
    """False when it was open already."""
    values = {"kind": kind, "subject": subject, "sentence": sentence, "detail": json(dict(detail or {}))}
    row = db.execute(_RAISE, values).fetchone()
    return row is not None and bool(row["new"])


def close_others(db: Connection, kind: str, still: tuple[str, ...] = ()) -> int:
    """Closes those of this kind whose subject is not named any more."""
    return db.execute(_CLOSE, (kind, list(still))).rowcount


def open_ones(db: Connection) -> tuple[Alert, ...]:
    return tuple(Alert(**row) for row in db.execute(_OPEN))
