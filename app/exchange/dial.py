"""Dial: another person, or a conference."""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin

from app.errors import CarrierFault
from app.exchange.calls import Call, Status
from app.exchange.conference import Member
from app.exchange.edges import Form
from app.exchange.leg import Leg, Perform, Subscription
from app.exchange.office import Instruction
from app.exchange.phones import Nobody
from app.exchange.prompts import keys
from app.exchange.ringing import ring
from app.exchange.sound import tone
from app.exchange.verbs import Dial, DialConference, DialNumber


async def dial(leg: Leg, verb: Dial, base_url: str, perform: Perform) -> Instruction | None:
    """Goes to the action afterwards; without one the next verb follows."""
    if isinstance(verb.target, DialConference):
        extra = await _conference(leg, verb, verb.target)
    else:
        extra = (("DialCallStatus", "failed"),)
        for number in verb.target:  # one after the other, until somebody answers
            extra, answered = await _number(leg, verb, number, base_url, perform)
            if answered:
                break
    if not verb.action:
        return None
    return Instruction(urljoin(base_url, verb.action), verb.method, extra=extra)


# a person


async def _number(leg: Leg, verb: Dial, number: DialNumber, base_url: str, perform: Perform) -> tuple[Form, bool]:
    office = leg.office
    caller = verb.caller_id or (leg.call.from_ if leg.call.direction == "inbound" else leg.call.to)
    now = office.clock.now()
    call = Call(office.sids.new("CA"), leg.call.account_sid, number.e164, caller, "outbound-dial", now)
    call.parent_sid = leg.call.sid
    phone = office.phones.get(number.e164)
    child = Leg(office, call, phone or Nobody(), faults=leg.faults)
    child.subscription = Subscription(
        urljoin(base_url, number.status_callback) if number.status_callback else "",
        "POST",
        number.status_callback_events,
    )
    child.time_limit_s = verb.time_limit_s
    meeting = _Meeting(leg, child)

    async def first() -> None:
        """What the one called goes through: whisper, then the conversation until one of the two leaves."""
        if number.send_digits:
            await child.play(keys(number.send_digits))
        if number.url:
            await perform(child, Instruction(urljoin(base_url, number.url), number.method))
            if child.refused:
                return
        await meeting.hold()

    async def whole_call() -> None:
        async with child.opened():
            if await ring(child, phone, verb.timeout_s):
                await child.live(first(), perform)
        meeting.over.set()

    def star(digit: str) -> None:
        if digit == "*":
            child.hang_up()

    if verb.hangup_on_star:
        leg.key_listeners.append(star)
    task = leg.group.create_task(whole_call(), name=f"dialled {number.e164}")
    try:
        with leg.hearing(meeting.ringback_or_voice):
            await meeting.over.wait()
    finally:
        child.hang_up()
        if verb.hangup_on_star:
            leg.key_listeners.remove(star)
    await asyncio.wait({task})
    extra: Form = (
        ("DialCallSid", call.sid),
        ("DialCallStatus", str(call.status)),
        ("DialCallDuration", str(call.seconds if call.status is Status.COMPLETED else 0)),
        ("DialBridged", "true" if meeting.met else "false"),
    )
    if verb.record.startswith("record") and meeting.met:
        tracks = (bytes(child.tape.said), bytes(child.tape.heard))
        kept = leg.keep("DialVerb", tracks, call.started_at or now, verb.recording_callback)
        extra += (("RecordingUrl", office.config.base_url + kept.uri), ("RecordingSid", kept.sid))
    return extra, call.status is Status.COMPLETED


class _Meeting:
    """Two legs that hear each other once the one called is ready."""

    def __init__(self, caller: Leg, called: Leg) -> None:
        self._caller, self._called = caller, called
        self._at = 0
        self.met = False
        self.over = asyncio.Event()

    async def hold(self) -> None:
        """Until one of them leaves."""
        self.met = True
        with self._called.hearing(lambda: self._caller.said):
            await self._called.given_up.wait()

    def ringback_or_voice(self) -> bytes:
        if self.met:
            return self._called.said
        self._at = (self._at + 160) % len(_RINGBACK)
        return _RINGBACK[self._at : self._at + 160]


_RINGBACK = tone(440, 480, ms=2000, amplitude=1500) + b"\xff" * 32_000


# a conference


async def _conference(leg: Leg, verb: Dial, terms: DialConference) -> Form:
    office = leg.office
    room = office.rooms.open(terms.name)
    done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    member = Member(leg.call.sid, leg, terms, office.clock.now(), done, label=terms.label, muted=terms.muted)
    if terms.coach:
        member.coaching, member.coached = True, terms.coach
    try:
        room.join(member)
    except CarrierFault as fault:
        office.alert(fault.number, str(fault), leg.call.sid)
        return (("DialCallStatus", "failed"),)

    def star(digit: str) -> None:
        if digit == "*" and verb.hangup_on_star and not done.done():
            done.set_result("participant_hung_up")

    leg.key_listeners.append(star)
    try:
        with leg.hearing(lambda: room.heard_by(member)):
            async with asyncio.timeout(verb.time_limit_s):
                await done
    except TimeoutError:
        pass
    finally:
        leg.key_listeners.remove(star)
        if done.cancelled():  # awaited by a program that was cancelled
            member.done = asyncio.get_running_loop().create_future()
            member.done.set_result("participant_hung_up" if leg.hung_up else "participant_updated_via_api")
        room.leave(member)
    return (("DialCallStatus", "answered"), ("ConferenceSid", room.sid))
