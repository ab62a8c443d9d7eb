"""Plain lists for people and programs, newest first: outcomes, scores, messages, promises, suppressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.store.connect import Connection

_OUTCOMES = """
    select o.call_id as id, o.call_sid, o.lead_id, o.result, o.reason, o.facts, o.appointment, o.follow_up,
           o.duration_ms, o.recorded_at
    from outcomes o where %(at)s::timestamptz is null or (o.recorded_at, o.call_id) < (%(at)s, %(id)s)
    order by o.recorded_at desc, o.call_id desc limit %(most)s
"""
_SCORES = """
    select s.id, s.lead_id, c.call_sid, s.probability, s.lower, s.upper,
           strowger.tier_of(s.workspace_id, s.probability, s.tier) as tier,
           s.reasons, s.model_version, s.scored_at
    from scores s join calls c on c.id = s.call_id
    where not s.shadow and (%(at)s::timestamptz is null or (s.scored_at, s.id) < (%(at)s, %(id)s))
    order by s.scored_at desc, s.id desc limit %(most)s
"""
_MESSAGES = """
    select m.id, m.direction, m.lead_id, c.call_sid, m.template, m.sender, m.recipient, m.text, m.status, m.error,
           m.created_at, m.status_at
    from messages m left join calls c on c.id = m.call_id
    where %(at)s::timestamptz is null or (m.created_at, m.id) < (%(at)s, %(id)s)
    order by m.created_at desc, m.id desc limit %(most)s
"""
_FOLLOW_UPS = """
    select o.call_id as id, o.call_sid, o.lead_id, l.name as lead_name, o.follow_up as template, o.recorded_at,
           m.status as message_status
    from outcomes o
    left join leads l on l.id = o.lead_id
    left join messages m on m.call_id = o.call_id and m.template = o.follow_up
    where o.follow_up is not null
      and (%(at)s::timestamptz is null or (o.recorded_at, o.call_id) < (%(at)s, %(id)s))
    order by o.recorded_at desc, o.call_id desc limit %(most)s
"""
_SUPPRESSIONS = """
    select s.id, s.phone, s.channel_scope, s.reason, s.created_at from suppressions s
    where %(at)s::timestamptz is null or (s.created_at, s.id) < (%(at)s, %(id)s)
    order by s.created_at desc, s.id desc limit %(most)s
"""


def outcomes(db: Connection, after: tuple[Any, ...] | None, most: int) -> Sequence[dict[str, Any]]:
    return _page(db, _OUTCOMES, after, most)


def scores(db: Connection, after: tuple[Any, ...] | None, most: int) -> Sequence[dict[str, Any]]:
    """What showed; a challenger's scores are not among them."""
    return _page(db, _SCORES, after, most)


def messages(db: Connection, after: tuple[Any, ...] | None, most: int) -> Sequence[dict[str, Any]]:
    return _page(db, _MESSAGES, after, most)


def follow_ups(db: Connection, after: tuple[Any, ...] | None, most: int) -> Sequence[dict[str, Any]]:
    """Messages that were promised in a call; `message_status` is null while there is none."""
    return _page(db, _FOLLOW_UPS, after, most)


def suppressions(db: Connection, after: tuple[Any, ...] | None, most: int) -> Sequence[dict[str, Any]]:
    return _page(db, _SUPPRESSIONS, after, most)


def _page(db: Connection, query: str, after: tuple[Any, ...] | None, most: int) -> Sequence[dict[str, Any]]:
    """`after` is (time, id) of the last row of the page before."""
    at, key = after or (None, None)
    return db.execute(query.encode(), {"at": at, "id": key, "most": most}).fetchall()
