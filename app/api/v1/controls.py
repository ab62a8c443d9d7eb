"""On a call that is going on: listen in, whisper to the agent, take it over, hand it back, end it."""

from __future__ import annotations

import contextlib
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Path, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field

from app.api.context import Site, Web, web_of
from app.api.v1.principal import Caller, Principal
from app.dialog.events import HandedBack, TakenOver, Whispered
from app.dialog.prompt import LONGEST_HINT
from app.errors import Disconnected, NotFound
from app.store import audit, calls
from app.store.calls import CallRow
from app.telephony import mulaw

router = APIRouter(prefix="/calls", tags=["controls"])

Sid = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class Done(BaseModel):
    """The call that was meant."""

    sid: str


@router.post("/{sid}/takeover", operation_id="controls_takeover")
async def takeover(sid: Sid, web: Site, caller: Caller) -> Done:
    """The agent falls silent and goes on listening: "stop calling me" is still obeyed. Connect your telephone to the
    call first (POST /phone/offer with its call_sid)."""
    await web.attendant.tell(await _known(web, caller, sid), TakenOver(str(caller.user_id)))
    await _noted(web, caller, sid, "call.takeover")
    return Done(sid=sid)


@router.post("/{sid}/handback", operation_id="controls_handback")
async def handback(sid: Sid, web: Site, caller: Caller) -> Done:
    """The agent asks again what it had asked."""
    await web.attendant.tell(await _known(web, caller, sid), HandedBack(str(caller.user_id)))
    await _noted(web, caller, sid, "call.handback")
    return Done(sid=sid)


class Hint(BaseModel):
    """For the agent alone: "mention the warranty", "ask about the roof", "offer them Pro"."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_HINT, pattern=r"\S")


@router.post("/{sid}/whisper", operation_id="controls_whisper")
async def whisper(sid: Sid, hint: Hint, web: Site, caller: Caller) -> Done:
    """A hint to the agent, which the caller does not hear. It counts from the caller's next words on, within what the
    playbook approves and at its prices; the call's log and its live transcript say what came of it: "told" to the
    language model, the name of what the playbook says then, or nothing."""
    await web.attendant.tell(await _known(web, caller, sid), Whispered(str(caller.user_id), hint.text.strip()))
    await _noted(web, caller, sid, "call.whisper")
    return Done(sid=sid)


@router.post("/{sid}/hangup", operation_id="controls_hangup")
async def hangup(sid: Sid, web: Site, caller: Caller) -> Done:
    """With a goodbye, not in mid-word."""
    await web.attendant.end(await _known(web, caller, sid), "finished")
    await _noted(web, caller, sid, "call.hangup")
    return Done(sid=sid)


@router.websocket("/{sid}/listen", name="controls_listen")
async def listen(socket: WebSocket, sid: Sid) -> None:
    """Both sides, 20 ms at a time, as 16-bit samples at 8000 a second. The ticket must be for this call."""
    web: Web = web_of(socket)
    principal: Principal = socket.state.principal
    call = await web.records.user(principal.claims, lambda db: calls.get(db, sid))
    if call is None or socket.state.call_sid != sid:
        await socket.close(1008)
        return
    async with web.attendant.listening(call) as listener:
        await socket.accept()
        await web.records.user(principal.claims, lambda db: audit.write(db, str(principal.user_id), "call.listen", sid))
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, Disconnected):
            while (piece := await listener.pieces.get()) is not None:
                await socket.send_bytes(mulaw.decode(piece).astype(np.int16).tobytes())
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.close()


async def _known(web: Web, caller: Principal, sid: str) -> CallRow:
    """Raises NotFound for a call that is not of this workspace."""
    call = await web.records.user(caller.claims, lambda db: calls.get(db, sid))
    if call is None:
        raise NotFound(f"There is no call {sid}.")
    return call


async def _noted(web: Web, caller: Principal, sid: str, action: str) -> None:
    await web.records.user(caller.claims, lambda db: audit.write(db, str(caller.user_id), action, sid))
