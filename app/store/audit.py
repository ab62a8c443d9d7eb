"""Who did what, to what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.store.connect import Connection
from app.store.values import json

_WRITE = """
    insert into audit_log (workspace_id, actor, action, subject, detail)
    values (strowger.here(), %(actor)s, %(action)s, %(subject)s, %(detail)s)
"""


def write(db: Connection, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
    """`actor` is the user's id, or the name of the process; `action` a verb such as "playbook.publish"."""
    values = {"actor": actor, "action": action, "subject": subject, "detail": json(dict(detail or {}))}
    db.execute(_WRITE, values)
