"""Calls placed through the API: queue, ringing, answer, machines, and the ways a call does not come about."""

import asyncio
from dataclasses import replace

import pytest

from app.errors import CarrierFault
from app.exchange.account import Number
from app.exchange.calls import Status
from app.exchange.exchange import Detection, Order
from app.exchange.leg import Recorded, Subscription
from app.exchange.office import Config, Instruction
from app.exchange.personas import HangUp, Persona, Silence, Speak
from app.exchange.phones import Pickup
from app.exchange.sound import murmured

EVENTS = ("initiated", "ringing", "answered", "completed")
PAUSE = {"/voice": "<Response><Pause length='5'/></Response>", "/amd": 204}


def an_order(town, **changes):
    subscription = Subscription(f"{town.BASE}/status", "POST", EVENTS)
    return Order(
        **{
            **{
                "to": town.THEIRS,
                "from_": town.OURS,
                "subscription": subscription,
                "instruction": Instruction(f"{town.BASE}/voice"),
            },
            **changes,
        }
    )


def placed(town, phone, *orders, after=None):
    """The calls, once all is over; `after` runs as soon as they are placed."""

    async def scenario(exchange):
        if phone is not None:
            exchange.register(town.THEIRS, phone)
        calls = [exchange.place(order) for order in orders or [an_order(town)]]
        if after is not None:
            await after(exchange, calls)
        await asyncio.sleep(3600)
        return calls

    return town.play(scenario)


def statuses(town):
    return [post["CallStatus"] for post in town.got("/status")]


def test_an_answered_call_asks_for_instructions_when_it_is_answered(town, person):
    town = town(PAUSE)
    (call,) = placed(town, person())
    assert statuses(town) == ["initiated", "ringing", "in-progress", "completed"]
    (form,) = town.got("/voice")
    assert (form["CallStatus"], form["Direction"]) == ("in-progress", "outbound-api")
    assert [status for status, _ in call.history] == [
        Status.INITIATED,
        Status.RINGING,
        Status.IN_PROGRESS,
        Status.COMPLETED,
    ]
    assert call.seconds == 5


@pytest.mark.parametrize(
    ("pickup", "expected", "sip"),
    [
        (Pickup("busy"), ["initiated", "busy"], "486"),
        (Pickup("decline"), ["initiated", "busy"], "603"),
        (Pickup("ignore"), ["initiated", "ringing", "no-answer"], "487"),
        (Pickup("answer", after_s=90), ["initiated", "ringing", "no-answer"], "487"),
        (None, ["initiated", "no-answer"], "480"),
    ],
)
def test_a_call_that_is_not_answered_never_asks_for_instructions(town, person, pickup, expected, sip) -> None:
    town = town(PAUSE)
    placed(town, person(pickup=pickup) if pickup else None)
    assert statuses(town) == expected
    last = town.got("/status")[-1]
    assert (last["SipResponseCode"], last["CallDuration"], last["Duration"]) == (sip, "0", "0")
    assert town.got("/voice") == []


def test_the_ringing_time_is_the_timeout_and_about_five_seconds(town, person):
    town = town(PAUSE)
    (call,) = placed(town, person(pickup=Pickup("ignore")), an_order(town, timeout_s=20))
    rang, gave_up = (at for _, at in call.history[1:])
    assert (gave_up - rang).total_seconds() == pytest.approx(25, abs=0.1)


def test_only_the_events_asked_for_are_told(town, person):
    town = town(PAUSE)
    placed(town, person(), an_order(town, subscription=Subscription(f"{town.BASE}/status")))
    assert [(post["CallStatus"], post["SequenceNumber"]) for post in town.got("/status")] == [("completed", "0")]


def test_one_call_a_second_leaves_the_queue(town, person):
    town = town(PAUSE, config=Config(calls_per_second=1))
    calls = placed(town, person(), *[an_order(town)] * 4)
    began = [call.history[0][1] for call in calls]
    assert [(at - began[0]).total_seconds() for at in began] == pytest.approx([0, 1, 2, 3])
    assert [call.json()["queue_time"] for call in calls] == ["0", "1000", "2000", "3000"]


@pytest.mark.parametrize("moment_s", [0.0, 0.1, 1.0])
def test_a_call_that_is_not_answered_yet_can_be_cancelled(town, person, moment_s: float) -> None:
    async def cancel(exchange, calls):
        await asyncio.sleep(moment_s)
        exchange.office.legs[calls[0].sid].hang_up()

    town = town(PAUSE)
    (call,) = placed(town, person(pickup=Pickup(after_s=5)), after=cancel)
    assert call.status is Status.CANCELED
    assert statuses(town)[-1] == "canceled"


def test_the_time_limit_ends_a_call(town, person):
    town = town({"/voice": "<Response><Pause length='600'/></Response>"})
    (call,) = placed(town, person(), an_order(town, time_limit_s=30))
    assert call.seconds == 30


def test_the_one_called_may_hang_up(town, person):
    town = town({"/voice": "<Response><Pause length='600'/></Response>"})
    (call,) = placed(town, person(Silence(7000), HangUp()))
    assert (call.status, call.seconds) == (Status.COMPLETED, 7)


def test_instructions_may_come_with_the_order(town, person):
    town = town({})
    order = an_order(town, instruction=Instruction(twiml="<Response><Pause length='3'/></Response>"))
    (call,) = placed(town, person(), order)
    assert call.seconds == 3
    assert town.got("/voice") == []


def test_a_machine_is_found_before_the_first_instruction(town, person):
    town = town(PAUSE, config=Config(calls_per_second=100, detection_s=4.0))
    phone = person(pickup=Pickup(nature="machine_start"))
    (call,) = placed(town, phone, an_order(town, detection=Detection()))
    assert town.got("/voice")[0]["AnsweredBy"] == "machine_start"
    assert call.seconds == 9
    assert town.got("/status")[-1]["AnsweredBy"] == "machine_start"


def test_or_in_the_background_while_the_call_runs(town, person):
    town = town(PAUSE, config=Config(calls_per_second=100, detection_s=4.0))
    phone = person(pickup=Pickup(nature="machine_end_beep"))
    detection = Detection(in_background=True, callback=f"{town.BASE}/amd")
    (call,) = placed(town, phone, an_order(town, detection=detection))
    assert call.seconds == 5
    assert "AnsweredBy" not in town.got("/voice")[0]
    assert town.got("/amd") == [
        {
            "CallSid": call.sid,
            "AccountSid": call.account_sid,
            "AnsweredBy": "machine_end_beep",
            "MachineDetectionDuration": "4000",
        }
    ]


def test_a_recording_of_the_whole_call_comes_with_the_last_callback(town, person):
    town = town({**PAUSE, "/kept": 204})
    order = an_order(town, recorded=Recorded(dual=True, callback=f"{town.BASE}/kept"))
    placed(town, person(Speak("hello this is me")), order)
    (kept,) = town.got("/kept")
    assert (kept["RecordingSource"], kept["RecordingChannels"], kept["RecordingDuration"]) == ("OutboundAPI", "2", "5")
    last = town.got("/status")[-1]
    assert (last["RecordingSid"], last["RecordingUrl"]) == (kept["RecordingSid"], kept["RecordingUrl"])


# --- inbound ---------------------------------------------------------------------------------------------------------


def test_an_inbound_call_rings_while_the_application_thinks(town):
    async def slow(form):
        await asyncio.sleep(3)
        return PAUSE["/voice"]

    town = town({"/voice": slow})
    record = town.call()
    (form,) = town.got("/voice")
    assert (form["CallStatus"], form["Direction"], form["From"]) == ("ringing", "inbound", town.THEIRS)
    assert (record.call.started_at - record.call.created_at).total_seconds() == pytest.approx(3)


def test_F15_a_voice_webhook_that_takes_too_long_is_sent_again_when_its_url_says_so(town):
    async def slow(form):
        await asyncio.sleep(6)
        return PAUSE["/voice"]

    async def scenario(exchange):
        number = exchange.office.numbers[town.OURS]
        exchange.add_number(replace(number, voice_url=f"{number.voice_url}#rt=4000&rp=rt&rc=1"))
        return await exchange.dial_in(town.THEIRS, town.OURS, Persona("", "", murmured, ()))

    town = town({"/voice": slow})
    town.play(scenario)
    first, second = town.got("/voice")
    assert first == second
    tokens = {post.headers["I-Twilio-Idempotency-Token"] for post in town.posts if post.path == "/voice"}
    assert len(tokens) == 1


def test_the_fallback_url_takes_the_call_over(town):
    async def scenario(exchange):
        number = exchange.office.numbers[town.OURS]
        exchange.add_number(replace(number, voice_fallback_url=f"{town.BASE}/spare"))
        return await exchange.dial_in(town.THEIRS, town.OURS, Persona("", "", murmured, ()))

    town = town({"/voice": 503, "/spare": "<Response><Pause length='2'/></Response>"})
    record = town.play(scenario)
    assert record.call.seconds == 2
    assert town.got("/spare")[0]["ErrorCode"] == "11200"


def test_a_number_without_a_url_fails_silently(town):
    async def scenario(exchange):
        exchange.add_number(Number(town.SECOND))
        return await exchange.dial_in(town.THEIRS, town.SECOND, Persona("", "", murmured, ()))

    assert town({}).play(scenario).call.status is Status.FAILED


def test_a_number_of_nobody_cannot_be_called(town):
    async def scenario(exchange):
        with pytest.raises(CarrierFault) as refusal:
            await exchange.dial_in(town.THEIRS, "+12025550999", Persona("", "", murmured, ()))
        return refusal.value.number

    assert town({}).play(scenario) == 21211


def test_leaving_the_exchange_ends_its_calls(town, person):
    async def scenario(exchange):
        exchange.register(town.THEIRS, person())
        call = exchange.place(
            an_order(town, instruction=Instruction(twiml="<Response><Pause length='600'/></Response>"))
        )
        await asyncio.sleep(10)
        return call

    town = town({})
    call = town.play(scenario)
    assert (call.status, call.seconds) == (Status.COMPLETED, 9)
