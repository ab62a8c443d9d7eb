"""What admits once or is remembered for a day, deleted when its time is over."""

from __future__ import annotations

from datetime import datetime

from app.store.connect import Connection

AT_ONCE = 5_000  # of each kind: a short transaction, again and again


def delete(system_db: Connection, now: datetime) -> int:
    """How many rows went, of all workspaces: Idempotency-Keys, tickets, media tokens, sessions."""
    row = system_db.execute("select strowger.delete_used_up(%s, %s) as gone", (now, AT_ONCE)).fetchone()
    return int(row["gone"]) if row else 0
