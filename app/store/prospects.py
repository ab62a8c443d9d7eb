"""What deciding whom to call next needs, each in one query for all leads: who they are, what they agreed to, how often
they were tried, what the model said, and how earlier attempts went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.compliance.gate import Consent
from app.sales.answering import Tally
from app.sales.lead import Uplift
from app.store.connect import Connection
from app.store.scores import SERVING_FIRST

MOST = 10_000  # leads looked at; those with news come first
_HISTORY = timedelta(days=365)

# A call counts as answered when the carrier said so and no machine was found at the other end.
_ANSWERED = "c.answered_at is not null and coalesce(o.result, '') not in ('voicemail', 'not_reached')"
_SOLD = "('booked', 'human_requested', 'qualified')"

_LEADS = f"""
    select l.id, l.phone, l.name, l.source, l.facts, s.probability, s.lower, s.upper, s.model_version, s.reasons,
           s.uplift, s.uplift_lower, s.uplift_upper, o.result as last_result,
           coalesce(strowger.is_suppressed(l.phone, 'voice'), true) as suppressed
    from leads l
    left join lateral (
        select s.probability, s.lower, s.upper, s.model_version, s.reasons, s.uplift, s.uplift_lower, s.uplift_upper
        from scores s join calls c on c.id = s.call_id
        where s.lead_id = l.id and not s.shadow order by c.created_at desc, {SERVING_FIRST} limit 1
    ) s on true
    left join lateral (
        select result from outcomes where lead_id = l.id order by recorded_at desc limit 1
    ) o on true
    where l.phone is not null
    order by l.updated_at desc, l.id
    limit %(most)s
"""  # noqa: S608 - a constant
_CONSENTS = """
    select c.phone, c.workspace_id, c.kind, c.purpose, c.wording, c.evidence, c.given_at, c.revoked_at
    from consents c where c.phone = any(%(phones)s)
"""
_TRIED = f"""
    select a.lead_id, array_agg(a.reserved_at order by a.reserved_at) as at,
           count(*) filter (where {_ANSWERED}) as answered
    from attempts a
    left join calls c on c.attempt_id = a.id
    left join outcomes o on o.call_id = c.id
    where a.lead_id = any(%(leads)s)
    group by a.lead_id
"""  # noqa: S608 - constants
_HOURS = f"""
    select left(l.phone, 5) as prefix, min(l.phone) as phone, l.facts ->> 'state' as state,
           l.facts ->> 'time_zone' as time_zone, l.source, date_trunc('hour', a.reserved_at) as hour,
           count(*) filter (where {_ANSWERED}) as answered, count(*) as tried
    from attempts a
    join leads l on l.id = a.lead_id
    left join calls c on c.attempt_id = a.id
    left join outcomes o on o.call_id = c.id
    where a.reserved_at > %(since)s and a.reserved_at < %(settled)s and l.phone is not null
    group by left(l.phone, 5), l.facts ->> 'state', l.facts ->> 'time_zone', l.source, date_trunc('hour', a.reserved_at)
"""  # noqa: S608
_SALES = f"""
    select l.source, count(*) filter (where o.result in {_SOLD}) as sold, count(*) as answered,
           coalesce(sum(o.duration_ms), 0) as milliseconds
    from outcomes o join calls c on c.id = o.call_id join leads l on l.id = o.lead_id
    where {_ANSWERED} and o.recorded_at > %(since)s
    group by l.source
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Scored:
    """The latest score of a lead. `uplift` where the model says what a call adds."""

    probability: float
    lower: float
    upper: float
    model_version: str
    reasons: tuple[str, ...]
    uplift: Uplift | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is recorded about one lead. `tried` are all its attempts, oldest first; `answered` how many were."""

    id: UUID
    phone: str
    name: str | None
    source: str
    facts: Mapping[str, str]
    score: Scored | None
    last_result: str | None
    suppressed: bool
    consents: tuple[Consent, ...] = ()
    tried: tuple[datetime, ...] = ()
    answered: int = 0


@dataclass(frozen=True, slots=True)
class Hour:
    """How attempts of one UTC hour went, on leads with one source and place. `phone` is one of theirs."""

    phone: str
    state: str | None
    time_zone: str | None
    source: str
    hour: datetime
    tally: Tally


@dataclass(frozen=True, slots=True)
class Sales:
    """Answered calls of leads with one source: how many led to a booking or a wish for a person, and how long they
    took together."""

    source: str
    tally: Tally
    milliseconds: int


def all_known(db: Connection, most: int = MOST) -> tuple[Known, ...]:
    """Leads with a number, those with news first. Three queries, however many leads."""
    rows = db.execute(_LEADS, {"most": most}).fetchall()
    consents: dict[str, list[Consent]] = {}
    for row in db.execute(_CONSENTS, {"phones": [row["phone"] for row in rows]}):
        values = dict(row)
        consents.setdefault(row["phone"], []).append(Consent(seller=str(values.pop("workspace_id")), **values))
    tried = {row["lead_id"]: row for row in db.execute(_TRIED, {"leads": [row["id"] for row in rows]})}
    return tuple(_known(row, tuple(consents.get(row["phone"], ())), tried.get(row["id"])) for row in rows)


def hours(db: Connection, now: datetime) -> tuple[Hour, ...]:
    """How the attempts of the last year went, but for those of the last minutes, which may still be ringing."""
    rows = db.execute(_HOURS, {"since": now - _HISTORY, "settled": now - timedelta(minutes=10)})
    return tuple(
        Hour(
            row["phone"],
            row["state"],
            row["time_zone"],
            row["source"],
            row["hour"],
            Tally(row["answered"], row["tried"]),
        )
        for row in rows
    )


def sales(db: Connection, now: datetime) -> tuple[Sales, ...]:
    """Of the last year."""
    return tuple(
        Sales(row["source"], Tally(row["sold"], row["answered"]), int(row["milliseconds"]))
        for row in db.execute(_SALES, {"since": now - _HISTORY})
    )


def _known(row: Mapping[str, Any], consents: tuple[Consent, ...], tried: Mapping[str, Any] | None) -> Known:
    score = None
    if row["probability"] is not None:
        adds = None
        if row["uplift"] is not None:
            adds = Uplift(row["uplift"], row["uplift_lower"], row["uplift_upper"])
        score = Scored(
            row["probability"], row["lower"], row["upper"], row["model_version"], tuple(row["reasons"]), adds
        )
    return Known(
        id=row["id"],
        phone=row["phone"],
        name=row["name"],
        source=row["source"],
        facts=row["facts"],
        score=score,
        last_result=row["last_result"],
        suppressed=row["suppressed"],
        consents=consents,
        tried=tuple(tried["at"]) if tried else (),
        answered=tried["answered"] if tried else 0,
    )
