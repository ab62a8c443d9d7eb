"""The wall of calls as they are now, and the feed of what happens on them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from pydantic import BaseModel

from app.api.context import Site, Web, web_of
from app.api.feed import Watcher
from app.api.told import lines_of
from app.api.v1 import shown
from app.api.v1.principal import Caller, Principal
from app.errors import StoreError
from app.store import call_events, call_list, outbox
from app.store.call_list import CallView, Filter
from app.store.connect import Connection

router = APIRouter(tags=["live"])

MOST_CALLS = 100
MOST_LINES = 40
MOST_WATCHERS = 1000


class SaidLine(BaseModel):
    """A colleague's is a whisper to the agent, and `use` what comes of it (see POST /calls/{sid}/whisper)."""

    by: Literal["agent", "caller", "colleague"]
    text: str
    final: bool
    use: str | None = None


class LiveCall(BaseModel):
    """`since_ms` it has been going on; `taken_by` names the person of ours who speaks instead of the agent."""

    sid: str
    person: str
    lead_name: str | None
    playbook: str
    direction: str
    state: str
    since_ms: int
    score: float | None
    said: list[SaidLine]
    taken_by: str | None


class Snapshot(BaseModel):
    """Everything up to `seq`; the feed goes on from there with `after=seq`."""

    seq: int
    at: datetime
    calls: list[LiveCall]
    queue: int
    capacity: int
    room: bool


class HealthLine(BaseModel):
    state: Literal["good", "busy", "bad"]
    sentence: str


@router.get("/live", operation_id="live_get")
async def live(web: Site, caller: Caller) -> Snapshot:
    seq, now = web.feed.seq, web.now()

    def read(db: Connection) -> list[LiveCall]:
        rows = call_list.page(db, Filter(state="live"), None, MOST_CALLS)
        logs = call_events.of_calls(db, [row.id for row in rows])
        return [_live(row, lines_of(logs.get(row.id, ()))[-MOST_LINES:], now, caller) for row in rows]

    calls = await web.records.user(caller.claims, read)
    room = web.board.why_not("") is None
    return Snapshot(seq=seq, at=now, calls=calls, queue=0, capacity=web.board.capacity, room=room)


@router.get("/health-line", operation_id="live_health")
async def health(web: Site, caller: Caller) -> HealthLine:
    """How things are, in one sentence."""
    try:
        waiting = await web.records.system(outbox.pending)
    except StoreError:
        return HealthLine(state="bad", sentence="The database does not answer: calls go on, nothing new is kept.")
    if not web.conversations.ready:
        return HealthLine(state="busy", sentence="Starting: calls are not taken yet.")
    if web.board.draining:
        return HealthLine(state="busy", sentence="Leaving after the last call: new calls go elsewhere.")
    if waiting.quarantined:
        return HealthLine(state="bad", sentence=f"{waiting.quarantined} jobs failed for good and wait for somebody.")
    calls = len(web.board.talking())
    jobs = f", {waiting.pending} jobs waiting" if waiting.pending else ""
    return HealthLine(state="good", sentence=f"All well: {calls} calls now, room for {web.board.capacity}{jobs}.")


@router.websocket("/live", name="live_feed")
async def feed(socket: WebSocket, after: Annotated[int, Query(ge=0)] = 0) -> None:
    """Messages of your workspace, each with its seq; a frame holds those that came together, a line each. Begin again
    with `after` of the last one you saw."""
    web: Web = web_of(socket)
    principal: Principal = socket.state.principal
    if web.feed.watchers >= MOST_WATCHERS:
        await socket.close(1013, "too many watch")
        return
    await socket.accept()
    with web.feed.watching(principal.workspace_id, after) as watcher:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(_send(socket, watcher))
            with contextlib.suppress(WebSocketDisconnect):
                while True:
                    await socket.receive_text()  # nothing is asked of us; only the end matters
            sending.cancel()


async def _send(socket: WebSocket, watcher: Watcher) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while (frame := await watcher.news.get()) is not None:
            await socket.send_text(frame)


def _live(row: CallView, lines: Sequence[object], now: datetime, caller: Principal) -> LiveCall:
    began = row.answered_at or row.created_at
    return LiveCall(
        sid=row.call_sid,
        person=shown.number(row.person, caller),
        lead_name=row.lead_name,
        playbook=row.playbook,
        direction=row.direction,
        state="live" if row.answered_at else "ringing",
        since_ms=max(0, round((now - began).total_seconds() * 1000)),
        score=row.probability,
        said=[SaidLine.model_validate(line) for line in lines],
        taken_by=None,
    )
