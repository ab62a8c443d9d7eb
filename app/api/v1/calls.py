"""Calls: what they were, what was said and heard in them, what they cost and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel

from app.api.context import Site, Web
from app.api.v1 import shown
from app.api.v1.etags import tagged
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller, Principal
from app.dialog.events import Entry, to_record
from app.dialog.reading import heard_lines, noted, waits
from app.dialog.transcript import colleagues_of, percentile, transcript_of
from app.errors import NotFound
from app.sales.cost import cost_of
from app.sales.lead import Tier, origin_of
from app.store import audit, call_events, call_list, scores, turn_readings
from app.store.call_list import CallView, Filter
from app.store.connect import Connection

router = APIRouter(prefix="/calls", tags=["calls"])

LIVE = ("queued", "initiated", "ringing", "in-progress")


class CallItem(BaseModel):
    sid: str
    direction: Literal["inbound", "outbound"]
    state: Literal["ringing", "live", "ended"]
    person: str
    lead_id: UUID | None
    lead_name: str | None
    playbook: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    duration_ms: int
    result: str | None
    end_reason: str | None
    tier: Tier | None
    score: float | None
    turns: int
    interruptions: int
    reply_p50_ms: int | None
    appointment: str | None

    @classmethod
    def of(cls, row: CallView, caller: Principal) -> CallItem:
        return cls(**_item(row, caller))


class CallDetail(CallItem):
    business: str
    playbook_version: int
    facts: dict[str, str]
    objections: list[str]
    questions: list[str]
    disclosures: list[str]
    follow_up: str | None
    answered_by: str | None
    recording: bool
    recording_lost_at: datetime | None
    forgotten_at: datetime | None


class Event(BaseModel):
    seq: int
    at_ms: int
    kind: str
    body: dict[str, Any]


class Line(BaseModel):
    """`text` was heard; an agent's line that was cut has all of it in `meant`. `seq` is its event in the call's log."""

    seq: int
    by: Literal["agent", "caller"]
    turn: int
    at_ms: int
    text: str
    meant: str
    complete: bool
    keyed: bool


class Aside(BaseModel):
    """A colleague's words: to the caller, with `use` "spoken"; else a whisper to the agent, which the caller did not
    hear. Its `use`: "told" to the language model, the name of what the playbook had it lead to, or "" for nothing."""

    at_ms: int
    text: str
    use: str


class Lines(BaseModel):
    items: list[Line]
    colleagues: list[Aside]


class TurnReading(BaseModel):
    """`seq` is the event of the call's log with the words. `objection` is the probability that they speak against the
    offer, `sentiment`, from -1 to 1, how welcome the offer is by them; both say nothing about a person's feelings.
    `topic` and `mood` are intent and sentiment where they are sure enough to be shown (0.8), and null elsewhere."""

    seq: int
    topic: str | None
    mood: Literal["welcome", "unwelcome"] | None
    intent: str
    probability: float
    objection: float
    sentiment: float
    model_version: str


class Readings(BaseModel):
    items: list[TurnReading]


class HeardLine(BaseModel):
    """The ledger of one utterance: what was sent, and how much of it was played at the caller's ear."""

    utterance: int
    turn: int
    at_ms: int
    text: str
    heard_text: str
    heard_ms: int
    audio_ms: int
    complete: bool
    purpose: str


class HeardLines(BaseModel):
    items: list[HeardLine]


class TurnWait(BaseModel):
    """What the caller waited in one turn, from the end of their words to our first sound; `culprit` took longest."""

    turn: int
    at_ms: int
    total_ms: int | None
    transcript_ms: int | None
    decision_ms: int
    dialogue_ms: int | None
    speech_ms: int | None
    playout_ms: int | None
    culprit: str | None


class Waterfall(BaseModel):
    turns: list[TurnWait]
    p50_ms: int | None
    p95_ms: int | None


class CostItem(BaseModel):
    stage: str
    provider: str
    model: str
    unit: str
    amount: int
    price_usd: float | None


class Cost(BaseModel):
    """`known_usd` is the sum of what has a price; where `complete` is false, `unknown` names the rest."""

    known_usd: float
    complete: bool
    unknown: list[str]
    prices_of: str
    items: list[CostItem]


class CallScore(BaseModel):
    probability: float
    lower: float
    upper: float
    tier: Tier
    tier_by: Literal["model", "person"]
    reasons: list[str]
    model_version: str
    learned_from: str


class Recording(BaseModel):
    url: str
    expires_at: datetime


class PeaksOut(BaseModel):
    """The loudest moment of each piece of the recording, 0 to 1, for both sides."""

    duration_ms: int
    caller: list[float]
    agent: list[float]


Sid = Annotated[str, "the carrier's id of the call"]


@router.get("", operation_id="calls_list")
async def list_(
    web: Site,
    caller: Caller,
    paging: Paging,
    state: Annotated[Literal["live", "ended"] | None, Query()] = None,
    result: Annotated[str | None, Query(max_length=40)] = None,
    tier: Annotated[Literal["hot", "warm", "cold"] | None, Query()] = None,
    playbook: Annotated[str | None, Query(max_length=64)] = None,
    direction: Annotated[Literal["inbound", "outbound"] | None, Query()] = None,
    q: Annotated[str | None, Query(max_length=100, description="Part of a name or number, or a call id.")] = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
) -> Page[CallItem]:
    """Newest first."""
    wanted = Filter(state, result, tier, playbook, direction, since, until, None, (q or "").replace("\x00", "") or None)
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: call_list.page(db, wanted, after, paging.fetch))
    return paging.page(rows, lambda row: CallItem.of(row, caller), lambda row: (row.created_at, row.id))


@router.get("/{sid}", operation_id="calls_get", response_model=CallDetail)
async def get(sid: Sid, web: Site, caller: Caller, request: Request) -> Response:
    def read(db: Connection) -> tuple[CallView, tuple[Entry, ...]]:
        return _known(db, sid), call_events.read(db, sid)

    row, entries = await web.records.user(caller.claims, read)
    told = noted(entries)
    detail = CallDetail(
        **_item(row, caller),
        business=row.business,
        playbook_version=row.playbook_version,
        facts={name: str(value) for name, value in (row.facts or {}).items()},
        objections=list(told.objections),
        questions=list(told.questions),
        disclosures=list(told.disclosures),
        follow_up=row.follow_up,
        answered_by=told.answered_by,
        recording=sid in web.recordings,
        recording_lost_at=row.recording_lost_at,
        forgotten_at=row.forgotten_at,
    )
    return tagged(request, detail)


@router.get("/{sid}/events", operation_id="calls_events")
async def events(sid: Sid, web: Site, caller: Caller, paging: Paging) -> Page[Event]:
    """The call's log: everything else here is read from it."""
    after = paging.after(int)
    entries = await _log(web, caller, sid, after[0] if after else 0)

    def shown_as(entry: Entry) -> Event:
        kind, body = to_record(entry.fact)
        return Event(seq=entry.seq, at_ms=entry.at_ms, kind=kind, body=body)

    return paging.page(entries, shown_as, lambda entry: (entry.seq,))


@router.get("/{sid}/transcript", operation_id="calls_transcript")
async def transcript(sid: Sid, web: Site, caller: Caller) -> Lines:
    """Of the agent's lines only what the caller heard."""
    log = await _log(web, caller, sid)
    return Lines(
        items=[Line.model_validate(line, from_attributes=True) for line in transcript_of(log)],
        colleagues=[Aside.model_validate(one, from_attributes=True) for one in colleagues_of(log)],
    )


@router.get("/{sid}/readings", operation_id="calls_readings")
async def readings(sid: Sid, web: Site, caller: Caller) -> Readings:
    """What each of the caller's turns is about, as a model of words read it after the call; none before that."""

    def read(db: Connection) -> Any:
        _known(db, sid)
        return turn_readings.of_call(db, sid)

    found = await web.records.user(caller.claims, read)
    return Readings(items=[TurnReading.model_validate(one, from_attributes=True) for one in found])


@router.get("/{sid}/heard", operation_id="calls_heard")
async def heard(sid: Sid, web: Site, caller: Caller) -> HeardLines:
    lines = heard_lines(await _log(web, caller, sid))
    return HeardLines(items=[HeardLine.model_validate(line, from_attributes=True) for line in lines])


@router.get("/{sid}/waterfall", operation_id="calls_waterfall")
async def waterfall(sid: Sid, web: Site, caller: Caller) -> Waterfall:
    found = waits(await _log(web, caller, sid))
    totals = [one.latency.total for one in found if one.latency.total is not None]
    turns = [
        TurnWait(
            turn=one.latency.turn,
            at_ms=one.at_ms,
            total_ms=one.latency.total,
            transcript_ms=one.latency.transcript,
            decision_ms=one.latency.decision,
            dialogue_ms=one.latency.dialogue,
            speech_ms=one.latency.speech,
            playout_ms=one.latency.playout,
            culprit=one.culprit,
        )
        for one in found
    ]
    return Waterfall(turns=turns, p50_ms=percentile(totals, 0.5), p95_ms=percentile(totals, 0.95))


@router.get("/{sid}/cost", operation_id="calls_cost")
async def cost(sid: Sid, web: Site, caller: Caller) -> Cost:
    """At the prices of a dated table; what has no price is said to have none."""
    bill = cost_of(await _log(web, caller, sid), web.prices)
    items = [
        CostItem(
            stage=item.stage,
            provider=item.provider,
            model=item.model,
            unit=item.unit,
            amount=item.amount,
            price_usd=None if item.price is None else float(item.price),
        )
        for item in bill.items
    ]
    return Cost(
        known_usd=float(bill.known),
        complete=bill.complete,
        unknown=list(bill.unknown),
        prices_of=bill.prices,
        items=items,
    )


@router.get("/{sid}/score", operation_id="calls_score")
async def score(sid: Sid, web: Site, caller: Caller) -> CallScore:
    """As the model saw this call. 404 while it has not been scored."""

    def read(db: Connection) -> Any:
        _known(db, sid)
        return scores.of_call(db, sid)

    found = await web.records.user(caller.claims, read)
    if found is None:
        raise NotFound("This call has not been scored yet.")
    return CallScore(
        probability=found.probability,
        lower=found.lower,
        upper=found.upper,
        tier=found.tier,
        tier_by="model",
        reasons=list(found.reasons),
        model_version=found.model_version,
        learned_from=f"The model was {origin_of(found.model_version)}.",
    )


@router.get("/{sid}/recording", operation_id="calls_recording")
async def recording(sid: Sid, web: Site, caller: Caller) -> Recording:
    """An address that is good for five minutes. That somebody asked for it is kept (T19)."""

    def read(db: Connection) -> None:
        _known(db, sid)
        web.recordings.path(sid)
        audit.write(db, str(caller.user_id), "recording.play", sid)

    await web.records.user(caller.claims, read)
    query, until = web.recordings.sign(sid, web.now())
    return Recording(url=f"/api/v1/calls/{sid}/recording/file?{query}", expires_at=until)


@router.get("/{sid}/recording/file", operation_id="calls_recording_file", response_class=FileResponse)
async def recording_file(
    sid: Sid, web: Site, expires: Annotated[int, Query()], signature: Annotated[str, Query(max_length=64)]
) -> FileResponse:
    """The sound itself, in ranges where a player asks for them. The signature is the permission."""
    path = web.recordings.check(sid, expires, signature, web.now())
    return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": "private, no-store"})


@router.get("/{sid}/recording/peaks", operation_id="calls_peaks")
async def peaks(sid: Sid, web: Site, caller: Caller, n: Annotated[int, Query(ge=10, le=2000)] = 400) -> PeaksOut:
    def read(db: Connection) -> Any:
        _known(db, sid)
        return web.recordings.peaks(sid, n)

    found = await web.records.user(caller.claims, read)
    return PeaksOut(duration_ms=found.duration_ms, caller=list(found.caller), agent=list(found.agent))


def _known(db: Connection, sid: str) -> CallView:
    found = call_list.one(db, sid)
    if found is None:
        raise NotFound(f"There is no call {sid}.")
    return found


async def _log(web: Web, caller: Principal, sid: str, after: int = 0) -> Sequence[Entry]:
    def read(db: Connection) -> Sequence[Entry]:
        entries = call_events.read(db, sid, after)
        if not entries:
            _known(db, sid)
        return entries

    return await web.records.user(caller.claims, read)


def _item(row: CallView, caller: Principal) -> dict[str, Any]:
    state = "ended" if row.ended_at or row.status not in LIVE else "live" if row.answered_at else "ringing"
    return {
        "sid": row.call_sid,
        "direction": row.direction,
        "state": state,
        "person": shown.number(row.person, caller),
        "lead_id": row.lead_id,
        "lead_name": row.lead_name,
        "playbook": row.playbook,
        "started_at": row.created_at,
        "answered_at": row.answered_at,
        "ended_at": row.ended_at,
        "duration_ms": row.duration_ms,
        "result": row.result,
        "end_reason": row.end_reason,
        "tier": row.tier,
        "score": row.probability,
        "turns": row.turns,
        "interruptions": row.interruptions,
        "reply_p50_ms": row.reply_p50_ms,
        "appointment": row.appointment,
    }
