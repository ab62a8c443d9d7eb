"""A promised WhatsApp message is sent once.

Claim, send, settle. The claim is a row that is unique per call and message; it is committed, together with the question
whether this person may be written to, before anything is sent. A process that dies in between, or a provider that gives
no answer, leaves the claim standing: whoever finds it asks the provider what it has accepted, and sends again only when
the provider knows of nothing and whoever held the claim can no longer be sending.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from app.compliance.gate import Campaign, Channel, Contact, Decision, Purpose, Verdict, decide
from app.compliance.limits import messages_over
from app.dialog.playbook import parse
from app.dialog.script import Playbook
from app.errors import ProviderDown, ProviderRefused, ProviderUncertain
from app.sales.prices import shipped
from app.store import (
    calls,
    consents,
    decisions,
    limits,
    messages,
    outbox,
    outcomes,
    playbooks,
    suppressions,
    workspaces,
)
from app.store.calls import CallRow
from app.store.connect import Connection
from app.store.messages import AS_TEMPLATE, Claim, Standing
from workers.jobs import Later, Ref
from workers.letters import Letter, compose
from workers.resources import Post, Resources

WINDOW = timedelta(hours=24)  # free text is delivered this long after the person last wrote (C51)
MARGIN = timedelta(minutes=5)  # a message may wait at the provider
SURE = timedelta(seconds=40)  # more than a task may take: whoever claimed before is not sending now
SKEW = timedelta(minutes=1)  # our clock against the provider's
STALE = timedelta(hours=24)  # what was promised for "right after the call" is no longer wanted a day later

WAIT_DOWN_S, WAIT_UNCERTAIN_S = 10.0, 60.0


@dataclass(frozen=True, slots=True)
class Promise:
    """The message `name` of the playbook, promised in this call. `again` once it had to be repeated as a template."""

    call: CallRow
    name: str
    again: bool = False

    @property
    def claimed_as(self) -> str:
        return self.name + AS_TEMPLATE if self.again else self.name


@dataclass(frozen=True, slots=True)
class Ready:
    """Claimed, and committed: go."""

    claim: Claim
    letter: Letter
    as_template: bool


def send(resources: Resources, job: Ref) -> str | Later:
    """The follow-up of the call whose sid is the job's key."""
    return _keep(resources, job, call_sid=job.key, name=None)


def resend(resources: Resources, job: Ref) -> str | Later:
    """Once more as a template what came too late as a text (63016). The key is "CALL_SID:MESSAGE"."""
    call_sid, _, name = job.key.partition(":")
    return _keep(resources, job, call_sid=call_sid, name=name)


def _keep(resources: Resources, job: Ref, *, call_sid: str, name: str | None) -> str | Later:
    if resources.post is None:
        return Later("no Twilio account is set", seconds=60.0)
    with resources.database.worker(job.workspace_id) as db:
        promise = _promise(db, call_sid, name)
        if promise is None:
            outbox.done(db, job.id)
            return "nothing was promised"
        old = messages.standing(db, promise.call.id, promise.claimed_as)
        if old is None:
            step = _claim(db, resources, job, promise)
    if old is not None:
        step = _look_up(resources, resources.post, job, promise, old)
    return _send(resources, resources.post, job, step) if isinstance(step, Ready) else step


def _promise(db: Connection, call_sid: str, name: str | None) -> Promise | None:
    call, outcome = calls.get(db, call_sid), outcomes.get(db, call_sid)
    if call is None or outcome is None:
        return None
    if name is not None:
        return Promise(call, name, again=True)
    return Promise(call, outcome.follow_up) if outcome.follow_up else None


def _claim(
    db: Connection, resources: Resources, job: Ref, promise: Promise, old: Standing | None = None
) -> Ready | str | Later:
    """One transaction: is it still wanted, may we, and it is ours. A claim that was found standing is taken over."""
    now, call = resources.now(), promise.call
    sender, letter = workspaces.whatsapp_sender(db, call.business), _letter(db, promise)
    if sender is None:
        return _aside(db, job, "no number of ours is set up for WhatsApp")
    if letter is None:
        return _aside(db, job, "the playbook lacks this message")
    if now - (call.ended_at or call.created_at) > STALE:
        return _aside(db, job, "too late: promised more than a day ago")
    decision = may_write(db, resources, call, sender, again=old is not None)
    if not decision.allowed:
        return _not_allowed(db, job, decision, old, now)
    if old is not None:
        claim = old.claim if messages.take_over(db, old) else None
    else:
        claim = messages.claim(db, call.id, promise.claimed_as, to=call.person, sender=sender, text=letter.text)
    if claim is not None:
        in_time = in_window(messages.last_inbound_at(db, call.person), now)
        return Ready(claim, letter, as_template=promise.again or not in_time)
    if messages.standing(db, call.id, promise.claimed_as):
        return Later("somebody else is sending it", SURE.total_seconds())
    outbox.done(db, job.id)
    return "was sent before"


def _not_allowed(db: Connection, job: Ref, decision: Decision, old: Standing | None, now: datetime) -> str | Later:
    if decision.verdict is Verdict.DEFER and decision.until is not None:
        return Later("the gate says: not at this hour", (decision.until - now).total_seconds())
    if old is not None:
        messages.release(db, old.claim.id)
    outbox.done(db, job.id)
    return f"not allowed: {', '.join(decision.rule_ids)}"


def may_write(db: Connection, resources: Resources, call: CallRow, sender: str, *, again: bool = False) -> Decision:
    """The gate's decision, kept as evidence. In the transaction of the claim, so that an opt-out before it counts.
    `again`: this message is counted among the day's already."""
    person = call.person
    contact = Contact(person, consents.of(db, person), suppressed=suppressions.is_suppressed(db, person, "whatsapp"))
    allowed, now = limits.get(db), resources.now()
    used = limits.used(db, resources.prices or shipped(), now, alone=True)
    over = messages_over(allowed, replace(used, messages=used.messages - again), now)
    own = workspaces.own_numbers(db)
    campaign = Campaign(str(call.workspace_id), Purpose.INFORMATIONAL, sender, own, allowed.reach)
    decision = decide(contact, campaign, Channel.WHATSAPP, now, resources.rules, over)
    decisions.store(db, decision)
    limits.noted(db, over)
    return decision


def in_window(last_inbound_at: datetime | None, now: datetime) -> bool:
    return last_inbound_at is not None and now - last_inbound_at < WINDOW - MARGIN


def _send(resources: Resources, post: Post, job: Ref, ready: Ready) -> str | Later:
    claim = ready.claim
    try:
        sid = post.send(
            to=claim.to,
            sender=claim.sender,
            text=claim.text,
            template=ready.letter.template if ready.as_template else None,
            variables=ready.letter.variables if ready.as_template else (),
            reference=str(claim.id),
        )
    except ProviderDown as error:
        with resources.database.worker(job.workspace_id) as db:
            messages.release(db, claim.id)
        return Later(str(error), WAIT_DOWN_S)
    except ProviderUncertain as error:  # the claim stands until the provider has been asked
        return Later(str(error), WAIT_UNCERTAIN_S)
    except ProviderRefused as error:
        with resources.database.worker(job.workspace_id) as db:
            messages.fail(db, claim.id, f"{error.provider_code or ''} {error}".strip())
            outbox.done(db, job.id)
        return f"refused: {error}"
    return _settle(resources, job, claim, sid, "sent")


def _look_up(resources: Resources, post: Post, job: Ref, promise: Promise, old: Standing) -> Ready | str | Later:
    """A claim was found standing: was it sent?"""
    age = resources.now() - old.since
    if age < SURE:
        return Later("somebody may be sending it just now", (SURE - age).total_seconds())
    try:
        found = post.sent(to=old.claim.to, sender=old.claim.sender, since=old.first - SKEW)
    except ProviderDown as error:
        return Later(str(error), WAIT_DOWN_S)
    with resources.database.worker(job.workspace_id) as db:
        known = messages.accounted(db, tuple(one.sid for one in found))
        ours = [one for one in found if one.sid not in known]
        if not ours:
            return _claim(db, resources, job, promise, old)
    # A template's text is the provider's to render, so a message that differs may still be ours: nobody else writes.
    best = next((one for one in ours if one.text == old.claim.text), ours[-1])
    return _settle(resources, job, old.claim, best.sid, "found at the provider")


def _settle(resources: Resources, job: Ref, claim: Claim, sid: str, how: str) -> str:
    with resources.database.worker(job.workspace_id) as db:
        messages.settle(db, claim.id, sid)
        outbox.done(db, job.id)
    return how


def _aside(db: Connection, job: Ref, why: str) -> str:
    outbox.put_aside(db, job.id, why)
    return why


def _letter(db: Connection, promise: Promise) -> Letter | None:
    outcome = outcomes.get(db, promise.call.call_sid)
    book = _book(playbooks.text_of(db, promise.call.playbook, promise.call.playbook_version), promise.call.playbook)
    return compose(book, promise.name, outcome) if outcome else None


@lru_cache(maxsize=16)
def _book(text: str, name: str) -> Playbook:
    """By its text, so that the playbook of one workspace is never used for another."""
    return parse(text, name)
