"""Calls as people look at them: with the lead's name, the outcome and the score, by the page, one query a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.store.connect import Connection
from app.store.scores import SERVING_FIRST

_SELECT = f"""
    select c.id, c.call_sid, c.direction, c.caller, c.called, c.lead_id, l.name as lead_name, c.playbook,
           c.playbook_version, c.status, c.end_reason, c.recording_path, c.created_at, c.answered_at, c.ended_at,
           c.forgotten_at, c.recording_lost_at, o.result, o.facts, o.appointment, o.follow_up,
           coalesce(o.turns, 0) as turns, coalesce(o.interruptions, 0) as interruptions,
           coalesce(o.duration_ms, 0) as duration_ms, o.reply_p50_ms,
           s.probability, s.tier
    from calls c
    left join leads l on l.workspace_id = c.workspace_id and l.id = c.lead_id
    left join outcomes o on o.call_id = c.id
    left join lateral (
        select s.probability, strowger.tier_of(s.workspace_id, s.probability, s.tier) as tier
        from scores s where s.call_id = c.id and not s.shadow
        order by {SERVING_FIRST} limit 1
    ) s on true
"""  # noqa: S608 - a constant
_ORDER = " order by c.created_at desc, c.id desc limit %(most)s"

# Each filter as its condition; only constants are put together, what a person typed is always a parameter (T26).
_CONDITIONS = {
    "live": "c.ended_at is null and c.created_at > now() - interval '2 hours'",
    "ended": "(c.ended_at is not null or c.created_at <= now() - interval '2 hours')",
    "result": "o.result = %(result)s",
    "tier": "s.tier = %(tier)s",
    "playbook": "c.playbook = %(playbook)s",
    "direction": "c.direction = %(direction)s",
    "since": "c.created_at >= %(since)s",
    "until": "c.created_at < %(until)s",
    "lead_id": "c.lead_id = %(lead_id)s",
    "q": "(l.name ilike %(like)s or c.caller like %(like)s or c.called like %(like)s or c.call_sid = %(q)s)",
    "after": "(c.created_at, c.id) < (%(after_at)s, %(after_id)s)",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """None means: whatever. `state` is live or ended; `q` is part of a name or number, or a whole call sid."""

    state: str | None = None
    result: str | None = None
    tier: str | None = None
    playbook: str | None = None
    direction: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    lead_id: UUID | None = None
    q: str | None = None


@dataclass(frozen=True, slots=True)
class CallView:
    id: UUID
    call_sid: str
    direction: str
    caller: str
    called: str
    lead_id: UUID | None
    lead_name: str | None
    playbook: str
    playbook_version: int
    status: str
    end_reason: str | None
    recording_path: str | None
    created_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    forgotten_at: datetime | None
    recording_lost_at: datetime | None
    result: str | None
    facts: dict[str, str] | None
    appointment: str | None
    follow_up: str | None
    turns: int
    interruptions: int
    duration_ms: int
    reply_p50_ms: int | None
    probability: float | None
    tier: str | None

    @property
    def person(self) -> str:
        return self.caller if self.direction == "inbound" else self.called

    @property
    def business(self) -> str:
        return self.called if self.direction == "inbound" else self.caller


def page(db: Connection, wanted: Filter, after: tuple[Any, ...] | None, most: int) -> Sequence[CallView]:
    """Newest first; `after` is (created_at, id) of the last row of the page before."""
    values: dict[str, Any] = {"most": most}
    conditions = []
    if wanted.state in ("live", "ended"):
        conditions.append(_CONDITIONS[wanted.state])
    for name in ("result", "tier", "playbook", "direction", "since", "until", "lead_id", "q"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(_CONDITIONS[name])
            values[name] = value
    if wanted.q is not None:
        values["like"] = f"%{like(wanted.q)}%"
    if after is not None:
        conditions.append(_CONDITIONS["after"])
        values["after_at"], values["after_id"] = after
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return [CallView(**row) for row in db.execute((_SELECT + where + _ORDER).encode(), values)]


def one(db: Connection, call_sid: str) -> CallView | None:
    row = db.execute((_SELECT + " where c.call_sid = %s").encode(), (call_sid,)).fetchone()
    return CallView(**row) if row else None


def like(text: str) -> str:
    """As a part of a LIKE pattern that means itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
