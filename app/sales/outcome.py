"""How a call ended, as one value derived from its log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.dialog.events import (
    AppointmentRequested,
    CallEnded,
    CallerKeyed,
    CallerSaid,
    ConsentGiven,
    Entry,
    FactLearned,
    FollowUpPromised,
    HumanRequested,
    Interrupted,
    OptedOut,
)
from app.dialog.transcript import latencies_of, percentile

QUALIFYING_FACTS = 3  # with fewer a rep would have to ask everything again


class Result(StrEnum):
    """What the call achieved, best first where several hold: an opt-out beats everything. A mailbox is `voicemail`,
    with the reason `message_left` where a message is in it; any other machine is `not_reached`."""

    OPTED_OUT = "opted_out"
    BOOKED = "booked"
    HUMAN_REQUESTED = "human_requested"
    QUALIFIED = "qualified"
    CONVERSED = "conversed"
    VOICEMAIL = "voicemail"
    NOT_REACHED = "not_reached"
    SILENT = "silent"
    ABANDONED = "abandoned"
    PROVIDER_OUTAGE = "provider_outage"
    MEDIA_LOST = "media_lost"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`facts` are the learned ones; `follow_up` is the promised template or None; times in milliseconds."""

    call_sid: str
    result: Result
    reason: str
    facts: Mapping[str, str] = field(default_factory=dict)
    appointment: str | None = None
    follow_up: str | None = None
    whatsapp_consent: str | None = None
    turns: int = 0
    interruptions: int = 0
    duration_ms: int = 0
    reply_p50_ms: int | None = None
    reply_p95_ms: int | None = None


def outcome_of(call_sid: str, entries: Iterable[Entry]) -> Outcome:
    """A log without an end is one whose process died: `media_lost`. A call resumed on a second stream has two ends; the
    last one counts. What went wrong beats mere talk, so that somebody calls back, but nothing that was achieved."""
    log = tuple(entries)
    reason = "media_lost"
    facts: dict[str, str] = {}
    turns = interruptions = 0
    appointment = follow_up = consent = None
    for entry in log:
        match entry.fact:
            case CallEnded(reason=ended):
                reason = ended
            case FactLearned(name=name, value=value):
                facts[name] = value
            case AppointmentRequested(slot=slot):
                appointment = slot
            case HumanRequested(when=when) if when:
                facts["callback"] = when
            case FollowUpPromised(template=template):
                follow_up = template
            case ConsentGiven("whatsapp", wording):
                consent = wording
            case CallerSaid(text=text, confidence=confidence) if text or confidence > 0:
                turns += 1
            case CallerKeyed():
                turns += 1
            case Interrupted():
                interruptions += 1
    totals = [latency.total for latency in latencies_of(log) if latency.total is not None]
    return Outcome(
        call_sid=call_sid,
        result=_result(log, reason, facts=len(facts), turns=turns),
        reason=reason,
        facts=facts,
        appointment=appointment,
        follow_up=follow_up,
        whatsapp_consent=consent,
        turns=turns,
        interruptions=interruptions,
        duration_ms=max((entry.at_ms for entry in log), default=0),
        reply_p50_ms=percentile(totals, 0.5),
        reply_p95_ms=percentile(totals, 0.95),
    )


def _result(log: tuple[Entry, ...], reason: str, *, facts: int, turns: int) -> Result:
    kinds = {type(entry.fact) for entry in log}
    if OptedOut in kinds:
        return Result.OPTED_OUT
    if AppointmentRequested in kinds:
        return Result.BOOKED
    if HumanRequested in kinds:
        return Result.HUMAN_REQUESTED
    if facts >= QUALIFYING_FACTS:
        return Result.QUALIFIED
    if reason == "provider_outage":
        return Result.PROVIDER_OUTAGE
    if reason == "media_lost":
        return Result.MEDIA_LOST
    if reason in ("voicemail", "message_left"):
        return Result.VOICEMAIL
    if reason in ("ivr", "screening", "unavailable", "fax"):
        return Result.NOT_REACHED
    if turns:
        return Result.CONVERSED
    return Result.ABANDONED if reason == "caller_hung_up" else Result.SILENT
