"""The telephone of the dashboard: a browser calls the agent, by the same way and into the same log as any call."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, BackgroundTasks
from pydantic import BaseModel, ConfigDict, Field

from app import observe
from app.api.context import Site, Web
from app.api.v1.principal import Caller, Principal
from app.dialog.events import DisclosureHeard, RecordingRefused
from app.errors import Busy, NotFound, StoreError, StrowgerError
from app.store import call_events, calls, leads, playbooks, workspaces
from app.store.calls import CallRow, NewCall
from app.store.connect import Connection

if TYPE_CHECKING:  # aiortc brings much along; it is loaded when somebody phones
    from app.phone.browser import Browser
    from app.phone.line import BrowserLine

router = APIRouter(prefix="/phone", tags=["phone"])
log = observe.log(__name__)

PREFIX = "client:"  # how the carrier, too, names a caller who has no number


class PhoneOffer(BaseModel):
    """What the browser's RTCPeerConnection made. `playbook`: to try one out; else the one your first number has.
    `call_sid`: to speak on a call that is going on, once it is taken over."""

    model_config = ConfigDict(extra="forbid")

    sdp: str = Field(min_length=10, max_length=60_000)
    type: Literal["offer"]
    playbook: str | None = Field(None, pattern=r"^[a-z0-9_-]{1,64}$")
    call_sid: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$")


class PhoneAnswer(BaseModel):
    sdp: str
    type: str
    call_sid: str


@router.post("/offer", operation_id="phone_offer")
async def offer(body: PhoneOffer, web: Site, caller: Caller, later: BackgroundTasks) -> PhoneAnswer:
    """The call begins when the connection stands. It is heard, logged, scored and recorded as any other."""
    if body.call_sid is not None:
        return await _join(body, body.call_sid, web, caller, later)
    from app.phone.browser import Browser, Offer
    from app.phone.line import BrowserLine

    sid = "CA" + secrets.token_hex(16)
    if web.board.why_not(sid) is not None:
        raise Busy("There is no room for another call now: try again in a minute.")
    row, text = await web.records.worker(caller.workspace_id, lambda db: _ring(db, web, caller, sid, body.playbook))
    web.board.reserve(sid)
    web.conversations.expect(text, row)
    token = secrets.token_urlsafe(32)
    line = BrowserLine(sid, web.settings.account_sid or "browser", token)
    browser = Browser(line, web.ice_servers)
    answer = await browser.answer(Offer(body.sdp, body.type))
    later.add_task(_hold, web, browser, line, row, token)
    return PhoneAnswer(sdp=answer.sdp, type=answer.type, call_sid=sid)


async def _join(body: PhoneOffer, sid: str, web: Web, caller: Principal, later: BackgroundTasks) -> PhoneAnswer:
    call = await web.records.user(caller.claims, lambda db: calls.get(db, sid))
    if call is None:
        raise NotFound(f"There is no call {sid}.")
    joined = await web.attendant.join(call, str(caller.user_id), body.sdp)
    later.add_task(joined.talk)
    return PhoneAnswer(sdp=joined.sdp, type="answer", call_sid=sid)


def _ring(db: Connection, web: Web, caller: Principal, sid: str, playbook: str | None) -> tuple[CallRow, str]:
    """The call, and the text of its playbook."""
    number = workspaces.oldest_number(db)
    if number is None:
        raise NotFound("This workspace has no telephone number, so nothing answers.")
    name = playbook or number.playbook
    version, text = playbooks.published(db, name)
    lead = leads.find_or_create(db, "", "browser")
    who = PREFIX + caller.user_id.hex[:12]
    row = calls.ring(db, NewCall(sid, "inbound", who, number.e164, name, version, lead.id))
    calls.set_status(db, sid, "in-progress", 0, web.now())
    return row, text


async def _hold(web: Web, browser: Browser, line: BrowserLine, row: CallRow, token: str) -> None:
    """Runs once the answer has left: the browser needs it before it can connect."""
    try:
        reason = await browser.talk(lambda: web.conversations.hold(line, row, token))
        log.info("browser hung up", call=row.call_sid, reason=reason)
    except StrowgerError as error:
        log.warning("browser call failed", call=row.call_sid, code=error.code, error=str(error))
    now = web.now()
    web.board.gone(row.call_sid)
    if await web.records.worker(row.workspace_id, lambda db: _over(db, row.call_sid, now), patience_s=5.0):
        await keep_sound(web, row, line.tape.wav)


async def keep_sound(web: Web, row: CallRow, wav: Callable[[], bytes]) -> None:
    """What was said stays even where its sound cannot (F24)."""
    try:
        await asyncio.to_thread(lambda: web.recordings.keep(row.call_sid, wav()))
    except StoreError as error:
        observe.RECORDINGS_LOST.inc()
        log.warning("recording lost", call=row.call_sid, code=error.code, error=str(error))
        now = web.now()
        await web.records.worker(row.workspace_id, lambda db: calls.lose_recording(db, row.call_sid, now))


def _over(db: Connection, sid: str, now: datetime) -> bool:
    """Whether the recording may be kept: not when it was refused, and not before anybody had been told of it (C20)."""
    calls.set_status(db, sid, "completed", 1, now)
    facts = [entry.fact for entry in call_events.read(db, sid)]
    told = any(isinstance(fact, DisclosureHeard) and fact.kind == "recording" for fact in facts)
    return told and not any(isinstance(fact, RecordingRefused) for fact in facts)
