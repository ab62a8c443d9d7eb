"""The media socket: who may open one, and what becomes of the call when it closes."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from app import observe
from app.api.carrier import SIGNATURE, asked_url
from app.api.context import Web, web_of
from app.api.tokens import hash_of
from app.api.wire import POLICY, Wire
from app.errors import Refused, StoreDown, StrowgerError
from app.store import calls
from app.store.calls import CallRow
from app.telephony.signature import is_authentic, media_url

router = APIRouter(prefix="/twilio")
log = observe.log(__name__)


@router.websocket("/media/{token}")
async def media(socket: WebSocket, token: str) -> None:
    """Refused before it is accepted (HTTP 403) unless signed for this URL and carrying an unused token (T02)."""
    web = web_of(socket)
    call = await _admitted(web, socket, token)
    if call is None:
        observe.WEBHOOKS_REFUSED.labels("/twilio/media").inc()
        await socket.close(POLICY)
        return
    await socket.accept()
    wire = Wire(socket)
    try:
        reason = await web.conversations.hold(wire, call, token)
        log.info("conversation over", call=call.call_sid, reason=reason)
    except Refused as error:
        observe.WEBHOOKS_REFUSED.labels("/twilio/media").inc()
        log.warning("media stream refused", call=call.call_sid, error=str(error))
    except StrowgerError as error:  # the socket is closed: the carrier asks what comes next, and the caller is kept
        log.error("media stream failed", call=call.call_sid, code=error.code, error=str(error))
    finally:
        await wire.close()


async def _admitted(web: Web, socket: WebSocket, token: str) -> CallRow | None:
    base = media_url(web.settings.public_url)
    if not is_authentic(web.settings.tokens, asked_url(socket, base), socket.headers.get(SIGNATURE)):
        return None
    try:
        return await web.records.system(lambda db: calls.redeem_token(db, hash_of(token), web.now()))
    except StoreDown:
        return None  # the carrier goes on to /twilio/after-stream, which holds the caller
