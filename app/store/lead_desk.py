"""Leads as people work with them: the board, one record with every touch, notes and tags. One query a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from app.store.call_list import like
from app.store.connect import Connection
from app.store.scores import SERVING_FIRST
from app.store.values import text as storable

Order: TypeAlias = Literal["news", "chance"]

_SCORED = f"""
    from leads l
    left join lateral (
        select s.probability, s.lower, s.upper, s.reasons, s.model_version,
               strowger.tier_of(s.workspace_id, s.probability, s.tier) as tier
        from scores s join calls c on c.id = s.call_id
        where s.workspace_id = l.workspace_id and s.lead_id = l.id and not s.shadow
        order by c.created_at desc, {SERVING_FIRST} limit 1
    ) s on true
    left join lateral (
        select tier from tier_overrides
        where workspace_id = l.workspace_id and lead_id = l.id and kind = 'priority' order by at desc limit 1
    ) h on true
"""  # noqa: S608 - a constant
_SELECT = f"""
    select l.id, l.phone, l.name, l.source, l.facts, l.tags, l.created_at, l.updated_at, s.probability, s.lower,
           s.upper, s.reasons, s.model_version, h.tier as chosen_tier, coalesce(h.tier, s.tier, l.tier) as tier,
           o.result as last_result, coalesce(n.calls, 0) as calls,
           l.phone is not null and coalesce(strowger.is_suppressed(l.phone, 'voice'), true) as suppressed
    {_SCORED}
    left join lateral (
        select result from outcomes where workspace_id = l.workspace_id and lead_id = l.id
        order by recorded_at desc limit 1
    ) o on true
    left join lateral (
        select count(*)::integer as calls from calls where workspace_id = l.workspace_id and lead_id = l.id
    ) n on true
"""  # noqa: S608 - a constant
_CONDITIONS = {
    "tier": "coalesce(h.tier, s.tier, l.tier) = %(tier)s",
    "tag": "%(tag)s = any(l.tags)",
    "source": "l.source = %(source)s",
    "q": "(l.name ilike %(like)s or l.phone like %(like)s or %(q)s = any(l.tags))",
}
RECENT = 1000  # leads, those with the newest news: no further is looked for the likeliest
_RECENT = "l.id in (select r.id from leads r order by r.updated_at desc, r.id desc limit %(recent)s)"
_CHANCE = "coalesce(s.probability, -1)"  # who has no score yet comes last
_KEYS = {"news": "l.updated_at", "chance": _CHANCE}
_TOUCHES = """
    select c.created_at as at, 'call' as kind, coalesce(o.result, c.status) as title,
           coalesce((select string_agg(t.text, ' ' order by t.position) from turns t
                     where t.call_id = c.id and t.speaker = 'caller' and t.position <= 12), '') as text,
           c.call_sid, null as by
    from calls c left join outcomes o on o.call_id = c.id where c.lead_id = %(lead)s
    union all
    select m.created_at, 'message', m.direction || ' ' || m.status, m.text, null, null
    from messages m where m.lead_id = %(lead)s
    union all
    select n.written_at, 'note', 'note', n.text, null, n.written_by::text from notes n where n.lead_id = %(lead)s
    union all
    select d.recorded_at, 'decision', d.verdict || ' ' || d.channel, array_to_string(d.rules, ', '), null, null
    from decisions d join leads l on l.phone = d.phone where l.id = %(lead)s and d.verdict <> 'allow'
    union all
    select t.at, 'tier', t.tier, t.why, null, t.who from tier_overrides t where t.lead_id = %(lead)s
    order by at desc limit %(most)s
"""
_NOTE = """
    insert into notes (workspace_id, lead_id, text, written_by) values (strowger.here(), %s, %s, %s)
    returning id, text, written_at
"""


@dataclass(frozen=True, slots=True)
class LeadView:
    """`tier` is what counts: a person's choice (`chosen_tier`) before the model's."""

    id: UUID
    phone: str | None
    name: str | None
    source: str
    facts: Mapping[str, str]
    tags: Sequence[str]
    created_at: datetime
    updated_at: datetime
    probability: float | None
    lower: float | None
    upper: float | None
    reasons: Sequence[str] | None
    model_version: str | None
    chosen_tier: str | None
    tier: str | None
    last_result: str | None
    calls: int
    suppressed: bool


@dataclass(frozen=True, slots=True)
class Touch:
    at: datetime
    kind: str
    title: str
    text: str
    call_sid: str | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Note:
    id: UUID
    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """None means: whatever. `q` is part of a name or number, or a whole tag."""

    tier: str | None = None
    tag: str | None = None
    source: str | None = None
    q: str | None = None


def page(
    db: Connection, wanted: Filter, after: tuple[Any, ...] | None, most: int, order: Order = "news"
) -> Sequence[LeadView]:
    """Those with news first, or the likeliest of the RECENT with the newest; `after` is the `key` of the last row of
    the page before."""
    values: dict[str, Any] = {"most": most}
    conditions = []
    for name in ("tier", "tag", "source", "q"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(_CONDITIONS[name])
            values[name] = value
    if wanted.q is not None:
        values["like"] = f"%{like(wanted.q)}%"
    if after is not None:
        conditions.append(f"({_KEYS[order]}, l.id) < (%(after)s, %(after_id)s)")
        values["after"], values["after_id"] = after
    if order == "chance":
        conditions.insert(0, _RECENT)
        values["recent"] = RECENT
    where = f" where {' and '.join(conditions)}" if conditions else ""
    ordered = f" order by {_KEYS[order]} desc, l.id desc limit %(most)s"
    if order == "chance":  # all of them have to be looked at for it: no further than their score
        where = f" where l.id in (select l.id {_SCORED}{where}{ordered})"
    return [LeadView(**row) for row in db.execute((_SELECT + where + ordered).encode(), values)]


def key(row: LeadView, order: Order) -> tuple[Any, UUID]:
    """What a row is ordered by."""
    chance = -1.0 if row.probability is None else row.probability
    return (row.updated_at if order == "news" else chance), row.id


def one(db: Connection, lead_id: UUID) -> LeadView | None:
    row = db.execute((_SELECT + " where l.id = %s").encode(), (lead_id,)).fetchone()
    return LeadView(**row) if row else None


def touches(db: Connection, lead_id: UUID, most: int = 100) -> Sequence[Touch]:
    """Newest first, across channels."""
    return [Touch(**row) for row in db.execute(_TOUCHES, {"lead": lead_id, "most": most})]


def note(db: Connection, lead_id: UUID, text: str, by: UUID) -> Note:
    """The caller has made sure that there is such a lead."""
    row = db.execute(_NOTE, (lead_id, storable(text), by)).fetchone()
    assert row is not None
    return Note(**row)


def rename(db: Connection, lead_id: UUID, name: str | None, tags: Sequence[str] | None) -> None:
    """None leaves as it is."""
    db.execute(
        "update leads set name = coalesce(%s, name), tags = coalesce(%s, tags), updated_at = now() where id = %s",
        (None if name is None else storable(name), None if tags is None else [storable(tag) for tag in tags], lead_id),
    )
