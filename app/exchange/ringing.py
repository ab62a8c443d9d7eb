"""From dialling to answer: the same for a call placed through the API and for one dialled by TwiML."""

from __future__ import annotations

import asyncio

from app.exchange.calls import Status
from app.exchange.leg import Leg
from app.exchange.phones import Phone, Pickup

_ENDINGS = {"busy": (Status.BUSY, "486"), "decline": (Status.BUSY, "603")}


async def ring(leg: Leg, phone: Phone | None, timeout_s: float) -> bool:
    """True when the call was answered; otherwise it has reached its terminal state.

    A number nobody registered is unavailable at once (SIP 480). The carrier adds about five seconds to the timeout.
    """
    leg.progress(Status.INITIATED)
    await asyncio.sleep(leg.office.config.ring_delay_s)
    if leg.hung_up:
        leg.progress(Status.CANCELED)
        return False
    if phone is None:
        leg.progress(Status.NO_ANSWER, (("SipResponseCode", "480"),))
        return False
    pickup = phone.ring(leg.call.from_)
    leg.nature = pickup.nature
    if pickup.answer in _ENDINGS:
        await _hung_up_within(leg, min(pickup.after_s, timeout_s))
        status, sip = (Status.CANCELED, "487") if leg.hung_up else _ENDINGS[pickup.answer]
        leg.progress(status, (("SipResponseCode", sip),))
        return False
    leg.progress(Status.RINGING)
    return await _answered(leg, pickup, timeout_s + 5.0)


async def _answered(leg: Leg, pickup: Pickup, timeout_s: float) -> bool:
    answers = pickup.answer == "answer" and pickup.after_s <= timeout_s
    await _hung_up_within(leg, pickup.after_s if answers else timeout_s)
    if leg.hung_up:
        leg.progress(Status.CANCELED)
    elif answers:
        leg.progress(Status.IN_PROGRESS)
    else:
        leg.progress(Status.NO_ANSWER, (("SipResponseCode", "487"),))
    return answers and not leg.hung_up


async def _hung_up_within(leg: Leg, seconds: float) -> None:
    """Waits, but not on after the caller or the API gave up."""
    try:
        async with asyncio.timeout(seconds):
            await leg.given_up.wait()
    except TimeoutError:
        pass
