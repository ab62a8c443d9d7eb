"""Leads with news become scores and tiers: once per call and version of the model, champion and challenger alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.dialog.events import Entry as LogEntry
from app.errors import BadPlaybook, NotFound
from app.sales.conversation import conversation_of
from app.sales.lead import LeadHistory, Tier
from app.sales.offer import Corrected, Suggestion, Told
from app.sales.packages import told_in
from app.sales.reading import TurnReading, spoken
from app.sales.registry import Entry
from app.store import (
    alerts,
    call_events,
    calls,
    corrections,
    leads,
    models,
    outbox,
    playbooks,
    scores,
    tier_cuts,
    turn_readings,
    webhooks,
)
from app.store.calls import CallRow
from app.store.connect import Connection
from workers.jobs import Later, Ref
from workers.model import Judged
from workers.readings import SaidTurn, language_of, said_by_caller
from workers.resources import Resources

MANY, MANY_WAIT = 1_000, timedelta(minutes=1)  # cutting takes a tenth of a millisecond per lead
STALE = timedelta(minutes=15)  # after which cuts are looked at again with the next score


@dataclass(frozen=True, slots=True)
class Offering:
    """What the package that suits is told by: the YAML of the call's playbook, what was said, and what people corrected
    so far."""

    playbook: str
    name: str
    told: Told
    corrected: tuple[Corrected, ...]


@dataclass(frozen=True, slots=True)
class News:
    """What there is to score. `latest`: the lead has not called again since. `offering` None: the playbook is gone.
    `readings`: what the caller's turns are about, none while no model of words has read what was `said`."""

    call_id: UUID
    lead_id: UUID
    history: LeadHistory
    latest: bool
    entries: tuple[Entry, ...]
    offering: Offering | None
    said: tuple[SaidTurn, ...] = ()
    readings: tuple[TurnReading, ...] = ()


def score_call(resources: Resources, job: Ref) -> str | Later:
    """Scores the call whose sid is the job's key. The model runs outside of any transaction."""
    with resources.database.worker(job.workspace_id) as db:
        news = load(db, job.key)
        if news is None:
            outbox.done(db, job.id)
            return "no such lead"
    news = read(resources, news)
    judged = resources.judge(job.workspace_id, news.entries, news.history)
    if judged is None:
        return Later("the model is being made", seconds=2.0)
    offer = suited(resources, news.offering)
    with resources.database.worker(job.workspace_id) as db:
        kept = keep(db, news, judged, offer)
        cut_anew(db, [judged], resources.now())
        outbox.done(db, job.id)
    return f"scored {kept.tier}" if kept.new else "was scored before"


def read(resources: Resources, news: News) -> News:
    """With what the caller's turns are about, unless that is known: outside of any transaction, as the model may have
    to be made."""
    if resources.read is None or news.readings or news.offering is None:
        return news
    language = language_of(news.offering.playbook, news.offering.name)
    return with_readings(news, resources.read(language, news.said))


def with_readings(news: News, readings: tuple[TurnReading, ...]) -> News:
    last = replace(news.history.last, spoken=spoken(readings))
    return replace(news, readings=readings, history=replace(news.history, last=last))


def suited(resources: Resources, offering: Offering | None) -> Suggestion | None:
    """The package that suits, outside of any transaction: its model may have to be made."""
    if offering is None:
        return None
    try:
        return resources.offers.suggest(offering.playbook, offering.name, offering.corrected, offering.told)
    except BadPlaybook:
        return None  # published by an older version: no reason to leave the lead without a score


@dataclass(frozen=True, slots=True)
class Kept:
    """`new` is False when the call had this model's score already; `tier` is by the cuts that hold here."""

    new: bool
    tier: Tier


def keep(db: Connection, news: News, judged: Judged, offer: Suggestion | None = None, *, again: bool = False) -> Kept:
    """The challenger's score is kept where nobody is shown it.

    `again`: the tier follows the model that serves now, also where its score had been known from an earlier time.
    """
    of = (news.lead_id, news.call_id)
    turn_readings.record(db, news.call_id, news.readings)
    cuts = tier_cuts.get(db)
    tier = cuts.lines.tier(judged.score.probability) if cuts else judged.score.tier
    new = scores.record(db, *of, replace(judged.score, tier=tier), judged.row, offer=offer)
    if judged.shadow is not None:
        scores.record(db, *of, judged.shadow, judged.row, shadow=True)
    if (new or again) and news.latest:
        leads.set_tier(db, news.lead_id, tier)
    if new and news.latest:
        told = {"lead_id": str(news.lead_id), "tier": tier, "model_version": judged.score.model_version}
        webhooks.tell(db, "lead.scored", f"{news.call_id}:{judged.score.model_version}", told)
    for version, why in judged.refused:
        sentence = f"Model {version} could not be used, {judged.score.model_version} scored instead: {why}"
        alerts.raise_(db, "model_refused", version, sentence, {"instead": judged.score.model_version})
    return Kept(new, tier)


def cut_anew(db: Connection, judged: Sequence[Judged], now: datetime) -> None:
    """The workspace's cuts, after scores were kept: for a model that is new here, when one more is hot, so that they
    still fit in a day, and now and then, because leads leave."""
    by = next((one.yardstick for one in reversed(judged) if one.yardstick is not None), None)
    if by is None:
        return
    known = tier_cuts.get(db)
    if known is not None and known.model_version == by.model_version:
        full = any(one.score.probability >= known.hot for one in judged)
        if now - known.cut_at < (STALE if not full else MANY_WAIT if known.leads > MANY else timedelta.min):
            return
        tier_cuts.recut(db)
    else:
        tier_cuts.recut(db, by)


def load(db: Connection, call_sid: str, corrected: tuple[Corrected, ...] | None = None) -> News | None:
    """The lead's history up to and including this call, so that a late job scores what an early one would have.
    `corrected` is what people said of packages, where the caller has it at hand."""
    call = calls.get(db, call_sid)
    lead = leads.get(db, call.lead_id) if call is not None and call.lead_id is not None else None
    if call is None or lead is None or calls.is_forgotten(db, call_sid):
        return None
    entries = call_events.read(db, call_sid)
    sids = [past.call_sid for past in leads.past_calls(db, lead.id)]
    history = LeadHistory(
        lead_id=lead.id,
        source=lead.source,
        facts=lead.facts,
        calls=sids.index(call_sid) + 1,
        last=conversation_of(entries),
    )
    offering = _offering(db, call, entries, corrected)
    news = News(call.id, lead.id, history, sids[-1] == call_sid, models.serving(db), offering, said_by_caller(entries))
    return with_readings(news, turn_readings.of_call(db, call_sid))


def _offering(
    db: Connection, call: CallRow, entries: tuple[LogEntry, ...], corrected: tuple[Corrected, ...] | None
) -> Offering | None:
    try:
        text = playbooks.text_of(db, call.playbook, call.playbook_version)
    except NotFound:
        return None
    return Offering(
        text, call.playbook, told_in(entries), corrections.of_offers(db) if corrected is None else corrected
    )
