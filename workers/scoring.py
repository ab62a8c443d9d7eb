"""Leads with news become scores and tiers: once per call and version of the model, champion and challenger alike."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.sales.conversation import conversation_of
from app.sales.lead import LeadHistory
from app.sales.registry import Entry
from app.store import alerts, call_events, calls, leads, models, outbox, scores
from app.store.connect import Connection
from workers.jobs import Later, Ref
from workers.model import Judged
from workers.resources import Resources


@dataclass(frozen=True, slots=True)
class News:
    """What there is to score. `latest`: the lead has not called again since."""

    call_id: UUID
    lead_id: UUID
    history: LeadHistory
    latest: bool
    entries: tuple[Entry, ...]


def score_call(resources: Resources, job: Ref) -> str | Later:
    """Scores the call whose sid is the job's key. The model runs outside of any transaction."""
    with resources.database.worker(job.workspace_id) as db:
        news = load(db, job.key)
        if news is None:
            outbox.done(db, job.id)
            return "no such lead"
    judged = resources.judge(job.workspace_id, news.entries, news.history)
    if judged is None:
        return Later("the model is being made", seconds=2.0)
    with resources.database.worker(job.workspace_id) as db:
        new = keep(db, news, judged)
        outbox.done(db, job.id)
    return f"scored {judged.score.tier}" if new else "was scored before"


def keep(db: Connection, news: News, judged: Judged, *, again: bool = False) -> bool:
    """False when this call has this model's score already. The challenger's score is kept where nobody is shown it.

    `again`: the tier follows the model that serves now, also where its score had been known from an earlier time.
    """
    of = (news.lead_id, news.call_id)
    new = scores.record(db, *of, judged.score, judged.row)
    if judged.shadow is not None:
        scores.record(db, *of, judged.shadow, judged.row, shadow=True)
    if (new or again) and news.latest:
        leads.set_tier(db, news.lead_id, judged.score.tier)
    for version, why in judged.refused:
        sentence = f"Model {version} could not be used, {judged.score.model_version} scored instead: {why}"
        alerts.raise_(db, "model_refused", version, sentence, {"instead": judged.score.model_version})
    return new


def load(db: Connection, call_sid: str) -> News | None:
    """The lead's history up to and including this call, so that a late job scores what an early one would have."""
    call = calls.get(db, call_sid)
    lead = leads.get(db, call.lead_id) if call is not None and call.lead_id is not None else None
    if call is None or lead is None:
        return None
    sids = [past.call_sid for past in leads.past_calls(db, lead.id)]
    history = LeadHistory(
        lead_id=lead.id,
        source=lead.source,
        facts=lead.facts,
        calls=sids.index(call_sid) + 1,
        last=conversation_of(call_events.read(db, call_sid)),
    )
    return News(call.id, lead.id, history, sids[-1] == call_sid, models.serving(db))
