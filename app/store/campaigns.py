"""Campaigns: the list of them, their leads, and the right to dial once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.dialog.reception import NO_WISH, MachineWish
from app.sales.campaign import State
from app.store.connect import Connection

_SELECT = """
    select c.id, c.name, c.playbook, c.tier, c.source, c.state, c.calls_per_minute, c.at_once, c.most_calls,
           c.voicemail, c.menu, c.menu_key, c.created_at, c.launched_at, c.ended_at, c.stopped_at, c.stopped_why,
           n.leads, n.dialled, n.refused, n.waiting, n.answered, n.booked, n.answered_30_days, n.abandoned_30_days
    from campaigns c
    left join lateral (
        select count(*)::integer as leads, count(l.call_sid)::integer as dialled,
               count(*) filter (where l.state = 'refused')::integer as refused,
               count(*) filter (where l.state in ('waiting', 'calling'))::integer as waiting,
               count(*) filter (where k.answered_at is not null
                   and coalesce(o.result, '') not in ('voicemail', 'not_reached'))::integer as answered,
               count(*) filter (where o.result = 'booked')::integer as booked,
               count(*) filter (where l.answered_at > now() - interval '30 days'
                   and l.answer <> 'not_counted')::integer as answered_30_days,
               count(*) filter (where l.answered_at > now() - interval '30 days'
                   and l.answer = 'abandoned')::integer as abandoned_30_days
        from campaign_leads l
        left join calls k on k.call_sid = l.call_sid
        left join outcomes o on o.call_id = k.id
        where l.campaign_id = c.id
    ) n on true
"""
_PAGE = f"""{_SELECT}
    where %(at)s::timestamptz is null or (c.created_at, c.id) < (%(at)s, %(id)s)
    order by c.created_at desc, c.id desc limit %(most)s
"""
_ONE = f"{_SELECT} where c.id = %s"
_ADD = """
    insert into campaigns (workspace_id, name, playbook, tier, source, calls_per_minute, at_once, most_calls,
                           voicemail, menu, menu_key, created_by)
    values (strowger.here(), %(name)s, %(playbook)s, %(tier)s, %(source)s, %(calls_per_minute)s, %(at_once)s,
            %(most_calls)s, %(voicemail)s, %(menu)s, %(menu_key)s, %(by)s)
    returning id
"""
_CHANGE = """
    update campaigns set name = coalesce(%(name)s, name), calls_per_minute = coalesce(%(rate)s, calls_per_minute),
        at_once = coalesce(%(at_once)s, at_once), most_calls = coalesce(%(most)s, most_calls)
    where id = %(id)s
"""
_FITTING = """
    select l.id from leads l
    left join lateral (
        select strowger.tier_of(workspace_id, probability, tier) as tier from scores
        where workspace_id = l.workspace_id and lead_id = l.id and not shadow
        order by scored_at desc limit 1
    ) s on true
    left join lateral (
        select tier from tier_overrides where workspace_id = l.workspace_id and lead_id = l.id and kind = 'priority'
        order by at desc limit 1
    ) h on true
    where l.phone is not null
      and (%(tier)s::text is null or coalesce(h.tier, s.tier, l.tier) = %(tier)s)
      and (%(source)s::text is null or l.source = %(source)s)
"""
_FILL = """
    insert into campaign_leads (workspace_id, campaign_id, lead_id, position, state, why, again_at)
    select strowger.here(), %(campaign)s, r.lead_id, r.position, r.state, r.why, r.again_at
    from unnest(%(leads)s::uuid[], %(states)s::text[], %(whys)s::text[], %(agains)s::timestamptz[])
         with ordinality as r (lead_id, state, why, again_at, position)
    on conflict (campaign_id, lead_id) do nothing
"""
# The pace and the number of calls at once are checked and moved in one statement: of two beats one gets the right.
_TURN = """
    update campaigns c set next_dial_at = %(now)s::timestamptz + make_interval(secs => 60.0 / c.calls_per_minute)
    where c.id = %(id)s and c.state = 'running' and c.next_dial_at <= %(now)s
      and c.at_once > (
          select count(*) from campaign_leads l left join calls k on k.call_sid = l.call_sid
          where l.campaign_id = c.id and (l.state = 'calling' or (l.state = 'called' and k.ended_at is null
                and l.tried_at > %(now)s::timestamptz - interval '1 hour'))
      )
    returning c.playbook, c.most_calls
"""
_NEXT = """
    update campaign_leads set state = 'calling', tried_at = %(now)s
    where (campaign_id, lead_id) = (
        select campaign_id, lead_id from campaign_leads
        where campaign_id = %(id)s and state = 'waiting' and (again_at is null or again_at <= %(now)s)
        order by position limit 1 for update skip locked
    )
    returning lead_id, (select phone from leads where id = lead_id) as phone
"""
_STANDING = """
    select count(*) filter (where state = 'waiting') as waiting, count(call_sid) as called
    from campaign_leads where campaign_id = %s
"""
_WISHES = """
    select c.voicemail, c.menu, c.menu_key from campaign_leads l join campaigns c on c.id = l.campaign_id
    where l.call_sid = %s
"""
_STUCK = """
    update campaign_leads set state = 'unknown', why = 'the process that dialled did not come back'
    where state = 'calling' and tried_at < %s
"""


@dataclass(frozen=True, slots=True)
class NewCampaign:
    name: str
    playbook: str
    tier: str | None = None
    source: str | None = None
    calls_per_minute: int = 2
    at_once: int = 2
    most_calls: int = 100
    voicemail: str | None = None
    menu: str | None = None
    menu_key: str | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    id: UUID
    name: str
    playbook: str
    tier: str | None
    source: str | None
    state: str
    calls_per_minute: int
    at_once: int
    most_calls: int
    voicemail: str | None
    menu: str | None
    menu_key: str | None
    created_at: datetime
    launched_at: datetime | None
    ended_at: datetime | None
    stopped_at: datetime | None
    stopped_why: str | None
    leads: int
    dialled: int
    refused: int
    waiting: int
    answered: int
    booked: int
    answered_30_days: int
    abandoned_30_days: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One lead of the list at launch. `again_at`: the gate said later."""

    lead_id: UUID
    refused: bool = False
    why: str = ""
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to dial this lead once."""

    lead_id: UUID
    phone: str
    playbook: str


def lock(db: Connection, campaign_id: UUID) -> None:
    """Until the transaction ends nobody else changes it."""
    db.execute("select id from campaigns where id = %s for update", (campaign_id,))


def change(
    db: Connection,
    campaign_id: UUID,
    name: str | None = None,
    calls_per_minute: int | None = None,
    at_once: int | None = None,
    most_calls: int | None = None,
) -> None:
    """None leaves as it is."""
    values = {"name": name, "rate": calls_per_minute, "at_once": at_once, "most": most_calls, "id": campaign_id}
    db.execute(_CHANGE, values)


def page(db: Connection, after: tuple[Any, ...] | None, most: int) -> Sequence[Campaign]:
    """Newest first."""
    at, key = after or (None, None)
    return [Campaign(**row) for row in db.execute(_PAGE.encode(), {"at": at, "id": key, "most": most})]


def one(db: Connection, campaign_id: UUID) -> Campaign | None:
    row = db.execute(_ONE.encode(), (campaign_id,)).fetchone()
    return Campaign(**row) if row else None


def add(db: Connection, new: NewCampaign, by: str) -> UUID:
    """Raises Conflict when there is no such playbook."""
    values = {
        "name": new.name,
        "playbook": new.playbook,
        "tier": new.tier,
        "source": new.source,
        "calls_per_minute": new.calls_per_minute,
        "at_once": new.at_once,
        "most_calls": new.most_calls,
        "voicemail": new.voicemail,
        "menu": new.menu,
        "menu_key": new.menu_key,
        "by": by,
    }
    row = db.execute(_ADD, values).fetchone()
    assert row is not None
    made: UUID = row["id"]
    return made


def machine_wish(db: Connection, call_sid: str) -> MachineWish:
    """Of the campaign that this call belongs to."""
    row = db.execute(_WISHES, (call_sid,)).fetchone()
    return MachineWish(row["voicemail"], row["menu"], row["menu_key"]) if row else NO_WISH


def fitting(db: Connection, tier: str | None, source: str | None) -> frozenset[UUID]:
    """Leads with a number that the campaign is about."""
    return frozenset(row["id"] for row in db.execute(_FITTING, {"tier": tier, "source": source}))


def fill(db: Connection, campaign_id: UUID, listed: Sequence[Listed]) -> None:
    """The list, best first."""
    columns = {
        "campaign": campaign_id,
        "leads": [one.lead_id for one in listed],
        "states": ["refused" if one.refused else "waiting" for one in listed],
        "whys": [one.why for one in listed],
        "agains": [one.again_at for one in listed],
    }
    db.execute(_FILL, columns)


def move(db: Connection, campaign_id: UUID, was: State, now_is: State, at: datetime) -> bool:
    """False when somebody else moved it meanwhile. One that was stopped and goes on is as if it had not been: what was
    abandoned before does not stop it again."""
    query = """
        update campaigns set state = %(to)s,
            let_go_on_at = case when stopped_at is not null and %(to)s = 'running' then clock_timestamp()
                else let_go_on_at end,
            stopped_at = case when %(to)s <> 'running' then stopped_at end,
            stopped_why = case when %(to)s <> 'running' then stopped_why end,
            launched_at = coalesce(launched_at, case when %(to)s = 'running' then %(at)s end),
            ended_at = case when %(to)s = 'ended' then %(at)s else ended_at end
        where id = %(id)s and state = %(was)s
    """
    return db.execute(query, {"id": campaign_id, "was": was, "to": now_is, "at": at}).rowcount == 1


def due(system_db: Connection, now: datetime, most: int = 50) -> Sequence[tuple[UUID, UUID]]:
    """(workspace, campaign) of those whose pace allows a dial."""
    rows = system_db.execute("select * from strowger.campaigns_due(%s, %s)", (now, most))
    return [(row["workspace_id"], row["id"]) for row in rows]


def turn(db: Connection, campaign_id: UUID, now: datetime) -> Turn | None:
    """None when it is not our turn, or nobody is left; then the campaign has ended."""
    right = db.execute(_TURN, {"id": campaign_id, "now": now}).fetchone()
    if right is None:
        return None
    standing = db.execute(_STANDING, (campaign_id,)).fetchone()
    assert standing is not None
    if not standing["waiting"] or standing["called"] >= right["most_calls"]:
        db.execute("update campaigns set state = 'ended', ended_at = %s where id = %s", (now, campaign_id))
        return None
    found = db.execute(_NEXT, {"id": campaign_id, "now": now}).fetchone()
    return None if found is None else Turn(found["lead_id"], found["phone"], right["playbook"])


def settle(
    db: Connection, campaign_id: UUID, lead_id: UUID, state: str, *, call_sid: str | None = None, why: str = "",
    again_at: datetime | None = None,
) -> None:  # fmt: skip
    """What became of the turn: called, refused, unknown, or waiting again until `again_at`."""
    db.execute(
        "update campaign_leads set state = %s, call_sid = coalesce(%s, call_sid), why = %s, again_at = %s "
        "where campaign_id = %s and lead_id = %s",
        (state, call_sid, why[:500], again_at, campaign_id, lead_id),
    )


def give_up_stuck(db: Connection, now: datetime) -> int:
    """Turns that nobody settled: it is not known whether the phone rang, so they are not dialled again."""
    return db.execute(_STUCK, (now - timedelta(minutes=5),)).rowcount
