"""The telephone exchange: an account with numbers, phones, and the calls between them.

async with Exchange(webhooks, sockets, opened_at=...) as exchange:
    exchange.add_number(Number("+12025550100", voice_url="https://calls.example.com/twilio/voice"))
    ended = await exchange.dial_in("+12025550111", "+12025550100", phone)
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from app.errors import CarrierFault
from app.exchange.account import Account, Clock, Number, Sids
from app.exchange.callbacks import Courier, Notices
from app.exchange.calls import Call, Status
from app.exchange.conference import Rooms
from app.exchange.edges import Form, Sockets, Webhooks
from app.exchange.faults import NONE, Faults
from app.exchange.leg import Leg, Recorded, StreamLog, Subscription
from app.exchange.office import Alert, Config, Instruction, Office
from app.exchange.phones import Handset, Nobody, Phone
from app.exchange.program import apologise, load, perform, proceed
from app.exchange.prompts import keys
from app.exchange.recording import Tape
from app.exchange.ringing import ring
from app.exchange.twiml import Document
from app.exchange.verbs import Reject
from app.exchange.whatsapp import Messages

OPENED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Detection:
    """Answering machine detection: in the background with a callback, or before the first instruction."""

    in_background: bool = False
    callback: str = ""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Order:
    """An outbound call as asked for through the API."""

    to: str
    from_: str
    instruction: Instruction
    subscription: Subscription = field(default_factory=Subscription)
    timeout_s: float = 60.0
    time_limit_s: float = 14_400.0
    send_digits: str = ""
    recorded: Recorded | None = None
    detection: Detection | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What is left of a call: its states, both sides as audio, what the person noticed, and its media streams.

    `answered_at` is the loop's time at 0 ms of tape and handset; 0 when the call was not answered.
    """

    call: Call
    tape: Tape
    handset: Handset
    streams: tuple[StreamLog, ...]
    alerts: tuple[Alert, ...]
    answered_at: float = 0.0


class Exchange:
    """Make it inside a running event loop and use it with `async with`; leaving ends every call.

    `faults` are those of every call and message that is not given its own.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        sockets: Sockets,
        *,
        account: Account | None = None,
        config: Config | None = None,
        opened_at: datetime = OPENED,
        faults: Faults = NONE,
    ) -> None:
        account, config = account or Account(), config or Config()
        sids, clock, dice = Sids(config.seed), Clock(opened_at), random.Random(config.seed)
        courier = Courier(account, webhooks, lambda: sids.new("")[:32])
        self._faults = faults
        self._group = asyncio.TaskGroup()
        self._next_slot = 0.0
        notices = Notices(courier, self._group, NONE, dice)
        rooms = Rooms(account.sid, sids, notices.post, clock.now)
        self.office = Office(account, config, clock, sids, courier, sockets, notices, rooms, dice)
        texts = Notices(courier, self._group, faults, random.Random(f"{faults.seed} messages"))
        self.messages = Messages(self.office, self.run, texts)

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        for leg in tuple(self.office.legs.values()):
            leg.hang_up()
        await self._group.__aexit__(*error)  # type: ignore[arg-type]

    def run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Work that belongs to no single call; it is over when the exchange is."""
        self._group.create_task(work, name=name)

    def add_number(self, number: Number) -> None:
        self.office.numbers[number.e164] = number

    def register(self, e164: str, phone: Phone) -> None:
        """A phone that rings when somebody calls this number."""
        self.office.phones[e164] = phone

    # somebody calls us

    async def dial_in(self, from_: str, to: str, phone: Phone, faults: Faults | None = None) -> CallRecord:
        """One call from this phone to one of the account's numbers; returns when it is over and all has been told.

        Raises CarrierFault 21211 when the number is not one of the account's.
        """
        number = self.office.numbers.get(to)
        if number is None:
            raise CarrierFault(21211, f"{to} is not a number of this exchange")
        now = self.office.clock.now()
        sid = self.office.sids.new("CA")
        call = Call(sid, self.office.account.sid, to, from_, "inbound", now, Status.RINGING)
        leg = Leg(self.office, call, phone, faults=faults or self._faults)
        leg.subscription = Subscription(number.status_callback, "POST", number.status_callback_events)
        async with leg.opened():
            await self._inbound(leg, number)
        return self._record(leg)

    async def _inbound(self, leg: Leg, number: Number) -> None:
        if not number.voice_url:
            leg.progress(Status.FAILED)
            return
        here = Instruction(number.voice_url, number.voice_method, fallback=number.voice_fallback_url)
        program: Coroutine[Any, Any, None]
        try:
            document, url = await load(leg, here)
        except CarrierFault as fault:
            self.office.alert(fault.number, str(fault), leg.call.sid)
            program = apologise(leg)
        else:
            if (refusal := _refusal(document)) is not None:
                leg.progress(refusal)
                return
            program = proceed(leg, document, url)
        leg.progress(Status.IN_PROGRESS)
        await leg.live(program, perform)

    def forget(self, call_sid: str) -> None:
        """A call that is over, so that many can follow each other."""
        self.office.calls.pop(call_sid, None)

    # we call somebody

    def place(self, order: Order) -> Call:
        """Queued; leaves the queue at the account's calls per second."""
        now = self.office.clock.now()
        call = Call(self.office.sids.new("CA"), self.office.account.sid, order.to, order.from_, "outbound-api", now)
        phone = self.office.phones.get(order.to)
        leg = Leg(self.office, call, phone or Nobody(), faults=self._faults)
        leg.subscription, leg.time_limit_s, leg.recorded = order.subscription, order.time_limit_s, order.recorded
        self.office.calls[call.sid], self.office.legs[call.sid] = call, leg
        self.run(self._outbound(leg, order), name=f"call {call.sid}")
        return call

    async def _outbound(self, leg: Leg, order: Order) -> None:
        async with leg.opened():
            await self._queue(leg)
            if leg.hung_up:
                leg.progress(Status.CANCELED)
            elif await ring(leg, self.office.phones.get(order.to), order.timeout_s):
                await leg.live(self._answered(leg, order), perform)

    async def _queue(self, leg: Leg) -> None:
        now = asyncio.get_running_loop().time()
        slot = max(now, self._next_slot)
        self._next_slot = slot + 1 / self.office.config.calls_per_second
        leg.call.queue_ms = round((slot - now) * 1000)
        try:
            async with asyncio.timeout_at(slot):
                await leg.given_up.wait()
        except TimeoutError:
            pass

    async def _answered(self, leg: Leg, order: Order) -> None:
        if order.send_digits:
            await leg.play(keys(order.send_digits))
        elif order.detection is not None and order.detection.in_background:
            leg.group.create_task(self._detect(leg, order.detection), name="machine detection")
        elif order.detection is not None:
            await asyncio.sleep(self.office.config.detection_s)
            leg.call.answered_by = leg.nature
        await perform(leg, order.instruction)

    async def _detect(self, leg: Leg, detection: Detection) -> None:
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self.office.config.detection_s):
                await leg.given_up.wait()
        except TimeoutError:
            pass
        leg.call.answered_by = leg.nature if not leg.hung_up else "unknown"
        took_ms = round((asyncio.get_running_loop().time() - began) * 1000)
        form: Form = (
            ("CallSid", leg.call.sid),
            ("AccountSid", leg.call.account_sid),
            ("AnsweredBy", leg.call.answered_by),
            ("MachineDetectionDuration", str(took_ms)),
        )
        leg.notices.post(detection.callback, form, detection.method)

    def _record(self, leg: Leg) -> CallRecord:
        alerts = tuple(alert for alert in self.office.alerts if alert.call_sid == leg.call.sid)
        return CallRecord(leg.call, leg.tape, leg.handset, tuple(leg.streams), alerts, leg.answered_at or 0.0)


def _refusal(document: Document) -> Status | None:
    """<Reject> as the first verb: the call is never answered."""
    match document.verbs:
        case (Reject("busy"), *_):
            return Status.BUSY
        case (Reject(), *_):
            return Status.NO_ANSWER
    return None
