"""What the service itself kept about the calls of a bench: who was stood in for, and what language models were paid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.dialog.events import Entry, ProviderFailed, TokensUsed
from app.store import call_events
from app.store.connect import Database


@dataclass(frozen=True, slots=True)
class Kept:
    """`stood_in` counts by stage and provider; `cancelled` of the `tokens` written were for answers broken off."""

    stood_in: Mapping[str, int] = field(default_factory=dict)
    tokens: int = 0
    cancelled: int = 0

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Kept:
        facts = [entry.fact for entry in entries]
        failed = Counter(f"{fact.stage}, {fact.provider}" for fact in facts if isinstance(fact, ProviderFailed))
        used = [fact for fact in facts if isinstance(fact, TokensUsed)]
        return cls(
            dict(failed),
            sum(fact.completion for fact in used),
            sum(fact.completion for fact in used if fact.cancelled),
        )


def kept(database_url: str, workspace_id: UUID, call_sids: Sequence[str]) -> Kept:
    """Waits for the database. Raises StoreError."""
    database = Database.open(database_url, max_size=1)
    try:
        with database.worker(workspace_id) as db:
            return Kept.of([entry for sid in call_sids for entry in call_events.read(db, sid)])
    finally:
        database.close()
