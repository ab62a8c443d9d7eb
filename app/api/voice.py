"""The carrier asks what to do with a call: when it rings, and again when a media stream has ended.

Whatever is broken or not ready here, the caller hears something: "one moment please", and then another try.
"""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from app import observe
from app.api import arrivals, keypad, waiting
from app.api.answers import NOT_OURS, ONE_MOMENT, OUT_OF_ORDER, RECONNECTING_FAILED, UNCERTAIN, spoken
from app.api.carrier import Authentic
from app.api.context import Web, web_of
from app.api.tokens import media_token
from app.dialog.events import CallEnded
from app.dialog.playbook import parse
from app.errors import BadInput, Conflict, NotFound, StoreDown
from app.store import call_events, calls, playbooks, workspaces
from app.store.calls import CallRow
from app.store.connect import Connection
from app.telephony import ivr, twiml
from app.telephony.signature import media_url

router = APIRouter(prefix="/twilio", tags=["carrier"])
log = observe.log(__name__)

RING_PATIENCE_S = 2.0  # the caller hears the phone ring meanwhile
TRIES = 8  # of "one moment please", three seconds apart
WIND_UP_S = 1.5  # for a conversation to close its log after its socket has closed
MAX_STREAMS = 3  # after two lost ones the caller gets the keypad menu instead

Tries = Annotated[int, Query(ge=0, le=TRIES)]
Queued = Annotated[int, Query(ge=0, le=waiting.ROUNDS)]
Round = Annotated[int, Query(ge=0, le=ivr.MAX_ROUNDS)]


@router.post("/voice")
async def voice(
    request: Request,
    webhook: Authentic,
    attempt: UUID | None = None,
    tries: Tries = 0,
    queued: Queued = 0,
    overflowed: bool = False,
) -> Response:
    web = web_of(request)
    arrival = arrivals.read_arrival(webhook, attempt)
    if not arrival.call_sid:
        raise BadInput("A voice webhook names its call.")
    if arrival.outbound and arrival.attempt is not None:
        web.board.came(str(arrival.attempt), arrival.call_sid)
    if reason := web.board.why_not(arrival.call_sid):
        log.info("no seat for a call", reason=reason, caller=observe.masked(arrival.theirs), queued=queued)
        return spoken(await waiting.turned_away(web, arrival, reason, queued=queued, overflowed=overflowed))
    if arrival.outbound and arrival.attempt is None:
        log.warning("an outbound call nobody reserved", call=arrival.call_sid)
        return spoken(twiml.hang_up())
    web.board.reserve(arrival.call_sid)
    try:
        if web.conversations.ready:
            return spoken(await _answer(web, arrival))
    except StoreDown:
        observe.STORE_FAILURES.labels("voice").inc()
    except (Conflict, NotFound) as error:
        log.error("a call that cannot be answered", call=arrival.call_sid, error=str(error))
        web.board.gone(arrival.call_sid)
        return spoken(twiml.hang_up(OUT_OF_ORDER))
    if tries < TRIES:
        query = f"?tries={tries + 1}" + (f"&attempt={attempt}" if attempt else "")
        return spoken(twiml.hold(ONE_MOMENT, seconds=2, then_url=web.url(f"/twilio/voice{query}")))
    web.board.gone(arrival.call_sid)
    return spoken(twiml.hang_up(OUT_OF_ORDER))


@router.post("/after-stream")
async def after_stream(
    request: Request,
    webhook: Authentic,
    stream: Annotated[int, Query(ge=1, le=MAX_STREAMS)] = 1,
    menu: Round = 0,
    tries: Tries = 0,
    pressed: str = "",
) -> Response:
    """The socket is closed: by us because all is said, or lost. `menu` is the reading of the menu just answered."""
    web, call_sid = web_of(request), webhook.call_sid
    try:
        if menu:
            return spoken(await _keyed(web, call_sid, webhook.get("Digits") or pressed, menu))
        return spoken(await _continue(web, call_sid, stream))
    except StoreDown:
        observe.STORE_FAILURES.labels("after-stream").inc()
        if tries < TRIES:
            query = f"?stream={stream}&menu={menu}&tries={tries + 1}"
            key = (webhook.get("Digits") or pressed)[:1]
            query += f"&pressed={key}" if key.isdigit() else ""
            return spoken(twiml.hold(ONE_MOMENT, seconds=2, then_url=web.url(f"/twilio/after-stream{query}")))
        web.board.gone(call_sid)
        return spoken(twiml.hang_up(UNCERTAIN if menu else RECONNECTING_FAILED))


async def _answer(web: Web, arrival: arrivals.Arrival) -> str:
    number = await web.records.system(lambda db: workspaces.by_number(db, arrival.ours), patience_s=RING_PATIENCE_S)
    if number is None:
        web.board.gone(arrival.call_sid)
        return twiml.hang_up(NOT_OURS)
    token = media_token(web.settings.tokens[0], arrival.call_sid, 1)

    def ring(db: Connection) -> tuple[CallRow, str]:
        call = arrivals.ring(db, arrival, number)
        arrivals.admit_stream(db, call, token, web.now())
        return call, playbooks.text_of(db, call.playbook, call.playbook_version)

    call, playbook = await web.records.worker(number.workspace_id, ring, patience_s=RING_PATIENCE_S)
    web.conversations.expect(playbook, call)
    log.info("call", call=call.call_sid, direction=call.direction, person=observe.masked(arrival.theirs))
    return _connect(web, token, 1)


async def _continue(web: Web, call_sid: str, stream: int) -> str:
    if not await web.board.wait_over(call_sid, WIND_UP_S):
        raise StoreDown("the conversation before this one is not over yet")
    reason = web.board.end_reason(call_sid)
    if reason not in (None, "media_lost", "transferred"):
        web.board.gone(call_sid)
        return twiml.hang_up()
    workspace_id = await web.records.system(lambda db: calls.workspace_of(db, call_sid))
    if workspace_id is None:
        return twiml.hang_up()
    if reason == "transferred":
        return await _put_through(web, workspace_id, call_sid)
    token = media_token(web.settings.tokens[0], call_sid, stream + 1)

    def resume(db: Connection) -> bool:
        """False when the log says that the call had ended properly."""
        if _ended(db, call_sid):
            return False
        call = calls.get(db, call_sid)
        if call is not None and stream < MAX_STREAMS:
            arrivals.admit_stream(db, call, token, web.now())
        return call is not None

    if not await web.records.worker(workspace_id, resume):
        web.board.gone(call_sid)
        return twiml.hang_up()
    web.board.reserve(call_sid)
    if stream >= MAX_STREAMS:
        return _menu(web, 1, ivr.APOLOGY)
    observe.CALLS_RESUMED.inc()
    log.warning("media stream lost", call=call_sid, stream=stream)
    return _connect(web, token, stream + 1)


async def _put_through(web: Web, workspace_id: UUID, call_sid: str) -> str:
    """To the person its playbook names, and to nobody else."""
    found = await web.records.worker(workspace_id, lambda db: playbooks.of_call(db, call_sid))
    web.board.gone(call_sid)
    if found is None:
        return twiml.hang_up()
    call, text = found
    book = await asyncio.to_thread(parse, text, f"{call.playbook}.yaml")
    if not book.business.transfer:
        return twiml.hang_up(OUT_OF_ORDER)
    ours = call.caller if call.direction == "outbound" else call.called
    log.info("put through", call=call_sid)
    failed = book.lines.transfer_failed
    return twiml.put_through(book.business.transfer, caller_id=ours, failed=failed, language=book.language)


async def _keyed(web: Web, call_sid: str, digits: str, round_: int) -> str:
    choice = ivr.step(digits, round_)
    if choice.wish is ivr.Wish.REPEAT:
        return _menu(web, round_ + 1)
    workspace_id = await web.records.system(lambda db: calls.workspace_of(db, call_sid))
    if workspace_id is not None:
        await web.records.worker(workspace_id, lambda db: keypad.grant(db, call_sid, choice.wish, digits, web.now()))
    web.board.gone(call_sid)
    return twiml.hang_up(choice.confirmed)


def _ended(db: Connection, call_sid: str) -> bool:
    """Only the last word counts: a lost stream that was opened again has more of the log behind it."""
    last = [entry.fact for entry in call_events.read(db, call_sid) if isinstance(entry.fact, CallEnded)]
    return bool(last) and last[-1].reason != "media_lost"


def _connect(web: Web, token: str, stream: int) -> str:
    return twiml.connect(
        media_url(web.settings.public_url) + f"/twilio/media/{token}",
        parameters={"token": token},
        status_url=web.url("/twilio/stream-status"),
        after_url=web.url(f"/twilio/after-stream?stream={stream}"),
    )


def _menu(web: Web, round_: int, *before: str) -> str:
    return twiml.menu(
        *before,
        *ivr.offer(),
        action_url=web.url(f"/twilio/after-stream?stream={MAX_STREAMS}&menu={round_}"),
        silence=ivr.SILENCE.confirmed,
    )
