"""What a caller hears for whom there is no seat: another machine, a short queue, the offer of a call back (P8, F22).

Every answer is ready at once: none of it waits for the database but the last, which keeps the wish to be called back.
"""

from __future__ import annotations

from app import observe
from app.api import arrivals
from app.api.answers import BUSY, DRAINING, FULL, STILL_BUSY, TAKEN_OFF
from app.api.context import Web
from app.errors import Conflict, NotFound, StoreDown
from app.store import workspaces
from app.store.connect import Connection
from app.telephony import ivr, twiml

ROUNDS = 5
ROUND_S = 10  # with what is said, a minute in all: BUSY says so
MENU_STREAM = 3  # the stream number after which the menu is read; see voice.MAX_STREAMS


async def turned_away(web: Web, arrival: arrivals.Arrival, reason: str, *, queued: int, overflowed: bool) -> str:
    """TwiML. `queued`: how many rounds this caller has waited; `overflowed`: another machine sent them here."""
    if not queued:
        observe.CALLS_SHED.labels(reason).inc()
    if web.settings.overflow_url and not overflowed:
        attempt = f"&attempt={arrival.attempt}" if arrival.attempt else ""
        return twiml.redirect(f"{web.settings.overflow_url}/twilio/voice?overflowed=true{attempt}")
    if arrival.outbound:
        return twiml.hang_up(TAKEN_OFF)
    if reason == "draining":
        return twiml.hang_up(DRAINING)
    if queued < ROUNDS:
        if not queued:
            observe.CALLS_QUEUED.inc()
        again = f"/twilio/voice?queued={queued + 1}" + ("&overflowed=true" if overflowed else "")
        return twiml.hold(STILL_BUSY if queued else BUSY, seconds=ROUND_S, then_url=web.url(again))
    return await _offer_call_back(web, arrival)


async def _offer_call_back(web: Web, arrival: arrivals.Arrival) -> str:
    try:
        number = await web.records.system(lambda db: workspaces.by_number(db, arrival.ours))
        if number is None:
            return twiml.hang_up(FULL)

        def keep(db: Connection) -> None:
            arrivals.ring(db, arrival, number)

        await web.records.worker(number.workspace_id, keep)
    except (StoreDown, Conflict, NotFound):
        return twiml.hang_up(FULL)
    return twiml.menu(
        *ivr.offer(),
        action_url=web.url(f"/twilio/after-stream?stream={MENU_STREAM}&menu=1"),
        silence=ivr.SILENCE.confirmed,
    )
