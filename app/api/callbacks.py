"""The carrier reports: call status, stream status, answering machine, recording. Each is kept once, then acted upon.

A 2xx answer means the event is durable (P4). Reports repeat, overtake one another and may be replayed (T03, F14).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response

from app import observe
from app.api import arrivals
from app.api.answers import noted
from app.api.carrier import Authentic, Webhook
from app.api.context import Web, web_of
from app.dialog.events import CallEnded, CarrierReport
from app.errors import NotFound, StoreError
from app.store import call_events, calls, finish, playbooks, workspaces
from app.store.connect import Connection

router = APIRouter(prefix="/twilio", tags=["carrier"])

FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
STATUSES = FINAL | {"queued", "initiated", "ringing", "in-progress"}

Effect = Callable[[Connection], None]


@router.post("/status", status_code=204)
async def status(request: Request, webhook: Authentic, attempt: UUID | None = None) -> Response:
    """Moves the call forward, never backwards. A final status also ends a call whose stream had been lost."""
    web, sid, new = web_of(request), webhook.call_sid, webhook.get("CallStatus")
    sequence = _count(webhook.get("SequenceNumber"))
    workspace_id = await _workspace(web, webhook, attempt)

    def move(db: Connection) -> None:
        calls.one_at_a_time(db, sid)
        if new in STATUSES:
            calls.set_status(db, sid, new, sequence, _time(webhook) or web.now())
        if new in FINAL and not web.board.is_talking(sid):
            _finish_lost(db, sid)

    await _keep(web, workspace_id, webhook, f"status/{sid}/{new}/{sequence}", move)
    if new == "ringing" and attempt is not None:
        await _expect(web, workspace_id, sid)
    if new in FINAL:
        web.board.gone(sid)
        if attempt is not None:
            web.board.gone(str(attempt))  # nobody answered
    return noted()


@router.post("/stream-status", status_code=204)
async def stream_status(request: Request, webhook: Authentic) -> Response:
    web = web_of(request)
    key = "/".join(("stream", *map(webhook.get, ("CallSid", "StreamSid", "StreamEvent", "Timestamp"))))
    await _keep(web, await _workspace(web, webhook), webhook, key)
    return noted()


@router.post("/amd", status_code=204)
async def amd(request: Request, webhook: Authentic) -> Response:
    """Human or machine: kept with the call, and one more thing to go by for whoever is holding it."""
    web = web_of(request)
    web.board.report(webhook.call_sid, CarrierReport(webhook.get("AnsweredBy")))
    await _keep(web, await _workspace(web, webhook), webhook, f"amd/{webhook.call_sid}/{webhook.get('AnsweredBy')}")
    return noted()


@router.post("/recording", status_code=204)
async def recording(request: Request, webhook: Authentic) -> Response:
    """The carrier's own recording: kept as a report; nothing is fetched from an address somebody sent (T05)."""
    web = web_of(request)
    key = f"recording/{webhook.get('RecordingSid')}/{webhook.get('RecordingStatus')}"
    await _keep(web, await _workspace(web, webhook), webhook, key)
    return noted()


async def _expect(web: Web, workspace_id: UUID, call_sid: str) -> None:
    """A phone that we called rings: we get ready for whoever answers."""
    try:
        found = await web.records.worker(workspace_id, lambda db: playbooks.of_call(db, call_sid))
    except StoreError:  # the report is kept; getting ready is no reason to have it sent again
        return
    if found is not None and found[0].status == "ringing":  # it may have gone on meanwhile
        call, playbook = found
        web.conversations.expect(playbook, call)


async def _workspace(web: Web, webhook: Webhook, attempt: UUID | None = None) -> UUID:
    """Whose call this is. A call we placed may report before `place` returned: then its row is written here.

    Raises NotFound for a call nobody knows: it cannot be kept, so it must not be acknowledged.
    """
    sid = webhook.call_sid
    found = await web.records.system(lambda db: calls.workspace_of(db, sid))
    if found is not None:
        return found
    arrival = arrivals.read_arrival(webhook, attempt)
    number = await web.records.system(lambda db: workspaces.by_number(db, arrival.ours)) if attempt else None
    if number is None:
        raise NotFound("No such call is known here.")
    await web.records.worker(number.workspace_id, lambda db: arrivals.ring(db, arrival, number))
    return number.workspace_id


async def _keep(web: Web, workspace_id: UUID, webhook: Webhook, key: str, effect: Effect | None = None) -> None:
    """The report and what it causes, in one transaction, once."""

    def work(db: Connection) -> bool:
        new = calls.note_carrier_event(db, webhook.call_sid, key, webhook.body())
        if new and effect is not None:
            effect(db)
        return new

    if not await web.records.worker(workspace_id, work):
        observe.WEBHOOKS_REPEATED.labels(key.split("/")[0]).inc()


def _finish_lost(db: Connection, call_sid: str) -> None:
    """The leg is over and no conversation of ours is running: what its log says is all there will be."""
    call = calls.get(db, call_sid)
    log = call_events.read(db, call_sid)
    if call is not None and log and isinstance(log[-1].fact, CallEnded):
        finish.finish_call(db, call, log)


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _time(webhook: Webhook) -> datetime | None:
    """RFC 2822, as the carrier writes it; None when it cannot be read."""
    try:
        at = parsedate_to_datetime(webhook.get("Timestamp"))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
