import pytest
from twilio.twiml.voice_response import Dial as SdkDial
from twilio.twiml.voice_response import VoiceResponse

from app.errors import CarrierFault
from app.exchange.twiml import parse
from app.exchange.verbs import (
    Connect,
    Dial,
    DialConference,
    DialNumber,
    Gather,
    Hangup,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Say,
    Stream,
)


def test_what_the_sdk_builds_is_read_back():
    response = VoiceResponse()
    stream = response.connect().stream(
        url="wss://a.test/media/1", name="main", status_callback="https://a.test/s", status_callback_method="GET"
    )
    stream.parameter(name="lead_id", value="4711")
    gather = response.gather(num_digits=1, action="/menu", timeout=3, finish_on_key="*", input="dtmf speech")
    gather.say("Press <one> & wait", voice="Polly.Joanna-Neural", language="en-GB", loop=2)
    gather.pause(length=2)
    response.play("https://a.test/x.wav", loop=0)
    response.play(digits="1w2")
    response.record(action="/rec", max_length=30, play_beep=False)
    dial = SdkDial(action="/dialled", timeout=12, caller_id="+12025550100", hangup_on_star=True)
    dial.number("+12025550111", url="/whisper", status_callback_event="initiated answered")
    response.append(dial)
    room = SdkDial()
    room.conference(
        "room 1", participant_label="lead", end_conference_on_exit=True, muted=True, start_conference_on_enter=False
    )
    response.append(room)
    response.redirect("/next", method="GET")
    response.reject(reason="busy")
    response.hangup()
    document = parse(str(response))
    assert document.warnings == ()
    assert document.verbs == (
        Connect(
            Stream("wss://a.test/media/1", "main", "inbound_track", "https://a.test/s", "GET", (("lead_id", "4711"),))
        ),
        Gather(
            (Say("Press <one> & wait", "Polly.Joanna-Neural", "en-GB", 2), Pause(2.0)),
            ("dtmf", "speech"),
            "/menu",
            timeout_s=3.0,
            num_digits=1,
            finish_on_key="*",
        ),
        Play("https://a.test/x.wav", loop=0),
        Play("", "1w2"),
        Record("/rec", max_length_s=30.0, play_beep=False),
        Dial(
            (DialNumber("+12025550111", "/whisper", status_callback_events=("initiated", "answered")),),
            "/dialled",
            timeout_s=12.0,
            caller_id="+12025550100",
            hangup_on_star=True,
        ),
        Dial(DialConference("room 1", "lead", muted=True, start_on_enter=False, end_on_exit=True)),
        Redirect("/next", "GET"),
        Reject("busy"),
        Hangup(),
    )


def test_defaults_are_the_carriers():
    gather, record, dial = parse("<Response><Gather/><Record/><Dial>+12025550111</Dial></Response>").verbs
    assert gather == Gather(timeout_s=5, finish_on_key="#", input=("dtmf",), num_digits=0)
    assert record == Record(timeout_s=5, finish_on_key="1234567890*#", max_length_s=3600, play_beep=True)
    assert dial == Dial((DialNumber("+12025550111"),), timeout_s=30, time_limit_s=14_400)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "<Response>",
        "<Answer/>",
        "<response/>",
        '<!DOCTYPE r [<!ENTITY a "b">]><Response>&a;</Response>',
        "<Response><Say>\x00</Say></Response>",
    ],
)
def test_what_is_not_a_response_document_is_12100(text: str) -> None:
    with pytest.raises(CarrierFault) as refusal:
        parse(text)
    assert refusal.value.number == 12100


def test_unknown_verbs_and_bad_attributes_are_reported_and_left_out():
    document = parse("<Response><Sing/><Pause length='long'/><Connect/><Dial><Sip>x</Sip></Dial><Hangup/></Response>")
    assert document.verbs == (Dial(()), Hangup())
    assert len(document.warnings) == 4
