"""How a campaign's calls were answered, as app/sales/abandonment.py judges them; and the stop that follows (C09)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.sales.abandonment import WINDOW, Judged, Leg, Standing, judge, must_stop
from app.store import audit, call_events, calls
from app.store.connect import Connection

BY = "dialler"  # in the audit log

# The token was issued when the carrier asked us what to do with the call, which it does when somebody answers. Held on
# the line before that, nobody of ours was there: then the carrier's time of the answer, whole seconds, says more.
_LEG = """
    select k.status,
           case when t.redeemed_at is not null then greatest(0,
               extract(epoch from t.redeemed_at - (t.expires_at - interval '60 seconds')),
               extract(epoch from t.redeemed_at - k.answered_at) - 1) * 1000 end as connect_ms,
           extract(epoch from k.ended_at - k.answered_at) * 1000 as lasted_ms
    from calls k
    left join lateral (
        select min(redeemed_at) as redeemed_at, min(expires_at) as expires_at
        from media_tokens where call_id = k.id
    ) t on true
    where k.call_sid = %s
"""
_RECORD = """
    update campaign_leads l set answer = %(answer)s, wait_ms = %(wait)s, judged_at = clock_timestamp(),
        answered_at = (select coalesce(answered_at, created_at) from calls where call_sid = %(sid)s)
    where l.campaign_id = %(campaign)s and l.call_sid = %(sid)s and l.judged_at is null
"""
_STANDING = """
    select count(*) filter (where l.answer <> 'not_counted') as answered,
           count(*) filter (where l.answer = 'abandoned') as abandoned,
           count(*) filter (where l.answer = 'abandoned'
               and l.judged_at > coalesce(c.let_go_on_at, '-infinity')) as fresh
    from campaigns c left join campaign_leads l on l.campaign_id = c.id and l.answered_at > now() - %(window)s
    where c.id = %(campaign)s
"""
_STOP = """
    update campaigns set state = 'paused', stopped_at = clock_timestamp(), stopped_why = %(why)s
    where id = %(campaign)s and state = 'running'
"""


@dataclass(frozen=True, slots=True)
class Unjudged:
    workspace_id: UUID
    campaign_id: UUID
    call_sid: str


def unjudged(system_db: Connection, most: int = 100) -> Sequence[Unjudged]:
    """Calls of campaigns, of all workspaces, that are over, or that nobody has reported on for ten minutes."""
    return [Unjudged(**row) for row in system_db.execute("select * from strowger.calls_to_judge(%s)", (most,))]


def settle(db: Connection, one: Unjudged) -> Judged | None:
    """How it was answered, written down once. None for a call whose words were deleted: nothing follows from the rest,
    and it counts as not answered."""
    log = call_events.read(db, one.call_sid)
    judged = None if calls.is_forgotten(db, one.call_sid) else judge(_leg(db, one.call_sid), log)
    answer, wait_ms = (judged.answer.value, judged.wait_ms) if judged else ("not_counted", None)
    values = {"answer": answer, "wait": wait_ms, "sid": one.call_sid, "campaign": one.campaign_id}
    db.execute(_RECORD, values)
    return judged


def standing(db: Connection, campaign_id: UUID) -> Standing:
    """By the database's clock."""
    row = db.execute(_STANDING, {"campaign": campaign_id, "window": WINDOW}).fetchone()
    return Standing(**row) if row else Standing(0, 0, 0)


def stop_if_over(db: Connection, campaign_id: UUID) -> str | None:
    """The reason when it was stopped now: only a person lets it go on."""
    counted = standing(db, campaign_id)
    why = must_stop(counted)
    if why is None or not db.execute(_STOP, {"why": why, "campaign": campaign_id}).rowcount:
        return None
    detail = {"why": why, "abandoned": counted.abandoned, "answered": counted.answered}
    audit.write(db, BY, "campaign.stop", str(campaign_id), detail)
    return why


def _leg(db: Connection, call_sid: str) -> Leg:
    row = db.execute(_LEG, (call_sid,)).fetchone()
    if row is None:
        return Leg("queued")
    connect, lasted = row["connect_ms"], row["lasted_ms"]
    return Leg(row["status"], None if connect is None else int(connect), None if lasted is None else int(lasted))
