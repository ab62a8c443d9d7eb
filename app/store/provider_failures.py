"""What providers failed with in the calls of this workspace, as their logs tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.store.connect import Connection

_LATEST = """
    select distinct on (e.body ->> 'stage', e.body ->> 'provider')
           e.body ->> 'stage' as stage, e.body ->> 'provider' as provider, coalesce(e.body ->> 'kind', '') as kind,
           coalesce(e.body ->> 'fallback', '') as fallback, e.written_at as at, c.call_sid
    from call_events e join calls c on c.id = e.call_id
    where e.kind = 'ProviderFailed' and e.written_at > %s
    order by e.body ->> 'stage', e.body ->> 'provider', e.written_at desc
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """`kind` in one word, as ProviderError has it; `fallback` took over, "" where nobody did."""

    stage: str
    provider: str
    kind: str
    fallback: str
    at: datetime
    call_sid: str


def latest(db: Connection, since: datetime) -> tuple[Failure, ...]:
    """The newest of each provider in each stage."""
    return tuple(Failure(**row) for row in db.execute(_LATEST, (since,)))
