"""The act a request performs, written to the audit log in the transaction that performs it (T38).

Admission opens an act for every request that may change something; `Records.user` writes it down with the first
transaction that did. An act that changes nothing in the database, such as whispering into a call, is written at its
end.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from app.store import audit
from app.store.connect import Connection


@dataclass(slots=True)
class Act:
    """`always` for reads that are noted too, such as listening to a recording. Ids only: no name, no number."""

    actor: str
    operation: str
    subject: str
    request_id: str
    always: bool = False
    written: bool = False
    detail: dict[str, Any] = field(default_factory=dict)

    def write(self, db: Connection) -> None:
        audit.write(db, self.actor, self.operation, self.subject, {"request_id": self.request_id, **self.detail})

    def write_if_done(self, db: Connection) -> bool:
        """Whether it was written: it is, when this transaction has changed something."""
        if not self.always:
            row = db.execute("select pg_current_xact_id_if_assigned() is not null as changed").fetchone()
            if row is None or not row["changed"]:
                return False
        self.write(db)
        return True


current: ContextVar[Act | None] = ContextVar("act", default=None)


def write_now(db: Connection) -> None:
    """Before a transaction takes from whoever acts the right to sign for it."""
    act = current.get()
    if act is not None and not act.written:
        act.write(db)
        act.written = True


def say(subject: str | None = None, detail: Mapping[str, Any] | None = None) -> None:
    """From a handler, before its transaction: what it was about, where the path does not say."""
    act = current.get()
    if act is not None:
        act.subject = subject or act.subject
        act.detail |= detail or {}
