"""What TwiML does to a call."""

import asyncio
import io
import wave

import pytest

from app.exchange.personas import HangUp, HangUpMidWord, Persona, Press, Silence, Speak, WaitForAgent
from app.exchange.phones import Pickup
from app.exchange.program import SORRY
from app.exchange.sound import murmured


def spoken_ms(text: str) -> int:
    return len(murmured(text)) // 8


def heard_ms(record) -> int:
    return sum(stretch.to_ms - stretch.from_ms for stretch in record.handset.heard)


# --- say, play, pause, redirect, hangup ------------------------------------------------------------------------------


def test_verbs_run_one_after_the_other_and_their_end_ends_the_call(town):
    record = town(
        {"/voice": "<Response><Say>good morning to you</Say><Pause length='2'/><Say>bye</Say></Response>"}
    ).call()
    first, second = record.handset.heard
    assert second.from_ms - first.to_ms == pytest.approx(2000, abs=60)
    assert record.call.status == "completed"


def test_say_repeats(town):
    record = town({"/voice": "<Response><Say loop='3'>once more</Say></Response>"}).call()
    assert record.tape.ms == pytest.approx(3 * spoken_ms("once more"), abs=100)


def test_a_redirect_is_relative_to_its_document_and_asks_again(town):
    town = town({"/voice": "<Response><Redirect>menu/next?x=1</Redirect></Response>", "/menu/next": "<Response/>"})
    town.call()
    assert [post.path for post in town.posts] == ["/voice", "/menu/next", "/status"]
    assert town.got("/menu/next")[0]["CallStatus"] == "in-progress"


def test_nothing_after_hangup_runs(town):
    record = town({"/voice": "<Response><Hangup/><Say>never</Say></Response>"}).call()
    assert heard_ms(record) == 0


def test_an_endless_redirect_ends(town):
    record = town({"/voice": "<Response><Redirect>/voice</Redirect></Response>"}).call()
    assert [alert.number for alert in record.alerts] == [11215]


def test_keys_are_played(town):
    record = town({"/voice": "<Response><Play digits='1w2'/></Response>"}).call()
    assert record.tape.ms == pytest.approx(100 + 100 + 500 + 100 + 100 + 100, abs=120)


def test_a_file_that_cannot_be_played_is_reported_and_left_out(town):
    town = town(
        {
            "/voice": "<Response><Play>/x.wav</Play><Play>/gone.wav</Play></Response>",
            "/x.wav": "no sound",
            "/gone.wav": 404,
        }
    )
    record = town.call()
    assert [alert.number for alert in record.alerts] == [12400, 11200]
    assert record.call.status == "completed"


# --- refusing and failing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
def test_reject_as_first_verb_never_answers(town, reason: str, status: str) -> None:
    town = town({"/voice": f"<Response><Reject reason='{reason}'/></Response>"})
    record = town.call()
    assert (record.call.status, record.tape.ms) == (status, 0)
    assert town.got("/status")[0]["CallStatus"] == status


@pytest.mark.parametrize(
    ("page", "number"), [("<Response><Say>", 12100), ("nonsense", 12100), (500, 11200), (404, 11200), (204, 12100)]
)
def test_a_bad_document_is_reported_told_to_the_caller_and_ends_the_call(town, page, number: int) -> None:
    record = town({"/voice": page}).call()
    assert [alert.number for alert in record.alerts] == [number]
    assert heard_ms(record) == pytest.approx(spoken_ms(SORRY), abs=60)
    assert record.call.status == "completed"


def test_a_bad_document_later_in_the_call_does_the_same(town):
    record = town(
        {"/voice": "<Response><Redirect>/next</Redirect></Response>", "/next": "<Response><Say></Response>"}
    ).call()
    assert [alert.number for alert in record.alerts] == [12100]


# --- gather ----------------------------------------------------------------------------------------------------------

PROMPT = "Press one for sales, two for support"
MENU = f"<Response><Gather action='/menu' {{}}><Say>{PROMPT}</Say></Gather><Say>none</Say></Response>"


@pytest.mark.parametrize(
    ("attributes", "keys", "digits"),
    [
        ("numDigits='1'", "1", "1"),
        ("numDigits='1'", "23", "2"),
        ("", "42#", "42"),
        ("finishOnKey='*'", "4#2*", "4#2"),
        ("finishOnKey=''", "4#", "4#"),
        ("timeout='2'", "7", "7"),
    ],
)
def test_gather_posts_the_keys(town, attributes: str, keys: str, digits: str) -> None:
    town = town({"/voice": MENU.format(attributes), "/menu": "<Response/>"})
    town.call(Silence(500), Press(keys), Silence(20_000))
    assert [form["Digits"] for form in town.got("/menu")] == [digits]


def test_a_key_silences_the_prompt(town):
    town = town({"/voice": MENU.format("numDigits='1'"), "/menu": "<Response><Pause length='3'/></Response>"})
    record = town.call(Silence(600), Press("1"))
    assert heard_ms(record) == pytest.approx(600, abs=60)


@pytest.mark.parametrize(("script", "prompt_ms"), [((), spoken_ms(PROMPT) + 3000), ((Silence(500), Press("#")), 500)])
def test_without_input_gather_falls_through_and_asks_nobody(town, script, prompt_ms: int) -> None:
    town = town({"/voice": MENU.format("timeout='3'"), "/menu": "<Response/>"})
    record = town.call(*script)
    assert town.got("/menu") == []
    assert record.tape.ms == pytest.approx(prompt_ms + spoken_ms("none"), abs=80)


def test_the_timeout_counts_from_the_end_of_the_prompt(town):
    town = town({"/voice": MENU.format("timeout='3'").replace("<Say>none</Say>", "")})
    record = town.call()
    expected = spoken_ms(PROMPT) + 3000
    assert record.tape.ms == pytest.approx(expected, abs=60)


def test_action_on_empty_result_asks_with_no_digits(town):
    town = town({"/voice": MENU.format("timeout='1' actionOnEmptyResult='true'"), "/menu": "<Response/>"})
    town.call()
    assert town.got("/menu")[0]["Digits"] == ""


def test_speech_is_what_the_phone_knows_it_said(town):
    town = town({"/voice": MENU.format("input='dtmf speech'"), "/menu": "<Response/>"})
    town.call(WaitForAgent(400), Speak("I need support"), Silence(20_000))
    (form,) = town.got("/menu")
    assert (form["SpeechResult"], form["Confidence"]) == ("I need support", "0.9")


# --- record ----------------------------------------------------------------------------------------------------------

RECORD = "<Response><Record action='/rec' timeout='2' {}/><Say>nothing</Say></Response>"


def test_record_ends_with_silence_and_the_sound_can_be_had(town):
    async def scenario(exchange):
        person = Persona("leave a message", "none", murmured, (Silence(700), Speak("please call me back tomorrow")))
        await exchange.dial_in(town.THEIRS, town.OURS, person)
        return list(exchange.office.recordings.values())

    town = town({"/voice": RECORD.format("recordingStatusCallback='https://app.test/kept'"), "/rec": "<Response/>"})
    (recording,) = town.play(scenario)
    (form,) = town.got("/rec")
    assert form["RecordingUrl"].endswith(f"/Recordings/{recording.sid}")
    assert (form["Digits"], int(form["RecordingDuration"])) == ("", recording.seconds)
    (kept,) = town.got("/kept")
    assert (kept["RecordingStatus"], kept["RecordingSource"], kept["RecordingChannels"]) == (
        "completed",
        "RecordVerb",
        "1",
    )
    with wave.open(io.BytesIO(recording.wav(1))) as sound:
        assert sound.getnframes() / 8 == pytest.approx(200 + spoken_ms("please call me back tomorrow") + 2000, abs=100)


def test_a_key_ends_a_recording(town):
    town = town({"/voice": RECORD.format("playBeep='false'"), "/rec": "<Response/>"})
    town.call(Speak("hello"), Press("5"))
    assert town.got("/rec")[0]["Digits"] == "5"


def test_hanging_up_while_recording_is_told_as_hangup(town):
    town = town({"/voice": RECORD.format("playBeep='false'"), "/rec": "<Response/>"})
    town.call(HangUpMidWord("hello there", 300))
    assert town.got("/rec")[0]["Digits"] == "hangup"


def test_silence_is_no_recording(town):
    town = town({"/voice": RECORD.format(""), "/rec": "<Response/>"})
    town.call()
    assert town.got("/rec") == []


# --- dial ------------------------------------------------------------------------------------------------------------

DIAL = (
    "<Response><Dial action='/dialled' timeout='10' {}><Number {} statusCallback='https://app.test/leg'"
    " statusCallbackEvent='initiated ringing answered completed'>+12025550112</Number></Dial></Response>"
)


def dialled(town, second, *script, **pages):
    async def scenario(exchange):
        if second is not None:
            exchange.register(town.SECOND, second)
        return await exchange.dial_in(town.THEIRS, town.OURS, Persona("", "", murmured, script))

    record = town.play(scenario)
    (form,) = town.got("/dialled")
    return record, form


def test_two_people_hear_each_other_until_one_hangs_up(town, person):
    town = town({"/voice": DIAL.format("", ""), "/dialled": "<Response/>"})
    second = person(Silence(500), Speak("hello who is there"), Silence(1000), HangUp())
    record, form = dialled(town, second, Silence(60_000))
    assert (form["DialCallStatus"], form["DialBridged"]) == ("completed", "true")
    assert int(form["DialCallDuration"]) == pytest.approx(3, abs=1)
    assert record.handset.heard[-1].to_ms - record.handset.heard[-1].from_ms == pytest.approx(
        spoken_ms("hello who is there"), abs=60
    )
    legs = town.got("/leg")
    assert [leg["CallStatus"] for leg in legs] == ["initiated", "ringing", "in-progress", "completed"]
    assert {leg["ParentCallSid"] for leg in legs} == {record.call.sid}
    assert {leg["Direction"] for leg in legs} == {"outbound-dial"}


@pytest.mark.parametrize(
    ("pickup", "status"), [(Pickup("busy"), "busy"), (Pickup("ignore"), "no-answer"), (Pickup("decline"), "busy")]
)
def test_who_does_not_answer_is_reported(town, person, pickup: Pickup, status: str) -> None:
    town = town({"/voice": DIAL.format("", ""), "/dialled": "<Response/>"})
    _, form = dialled(town, person(pickup=pickup))
    assert (form["DialCallStatus"], form["DialBridged"], form["DialCallDuration"]) == (status, "false", "0")


def test_an_unregistered_number_does_not_answer(town):
    town = town({"/voice": DIAL.format("", ""), "/dialled": "<Response/>"})
    _, form = dialled(town, None)
    assert form["DialCallStatus"] == "no-answer"
    assert town.got("/leg")[-1]["SipResponseCode"] == "480"


def test_the_one_called_hears_a_whisper_first_and_may_refuse(town, person):
    asks = "<Gather numDigits='1' action='/accept' timeout='2'><Say>a hot lead</Say></Gather>"
    whisper = f"<Response>{asks}<Hangup/></Response>"
    pages = {"/voice": DIAL.format("", "url='/whisper'"), "/whisper": whisper, "/dialled": "<Response/>"}
    _, refused = dialled(town(pages), person(Silence(60_000)))
    assert refused["DialBridged"] == "false"
    pages["/accept"] = "<Response/>"
    accepting = person(WaitForAgent(300), Press("1"), Silence(1000), HangUp())
    _, accepted = dialled(town(pages), accepting)
    assert accepted["DialBridged"] == "true"


def test_the_caller_hanging_up_ends_the_other_leg(town, person):
    town = town({"/voice": DIAL.format("", "")})

    async def scenario(exchange):
        exchange.register(town.SECOND, person(Silence(60_000)))
        return await exchange.dial_in(town.THEIRS, town.OURS, Persona("", "", murmured, (Silence(5000), HangUp())))

    record = town.play(scenario)
    assert record.call.seconds == 5
    last = town.got("/leg")[-1]
    assert last["CallStatus"] == "completed"
    assert int(last["CallDuration"]) < 5
    assert town.got("/dialled") == []


def test_the_star_key_ends_the_other_leg_and_the_caller_goes_on(town, person):
    town = town(
        {"/voice": DIAL.format("hangupOnStar='true'", ""), "/dialled": "<Response><Pause length='2'/></Response>"}
    )
    record, form = dialled(town, person(Silence(60_000)), Silence(4000), Press("*"))
    assert form["DialCallStatus"] == "completed"
    assert record.call.seconds == 6


# --- conference ------------------------------------------------------------------------------------------------------

ROOM = (
    "<Response><Dial action='/left'><Conference statusCallback='https://app.test/room'"
    " statusCallbackEvent='start end join leave mute' {}>call-4711</Conference></Dial></Response>"
)


def met(town, scripts, room=("", "")):
    pages = {"/voice": lambda form: ROOM.format(room[form["From"] != town.THEIRS]), "/left": "<Response/>"}
    scene = town(pages)

    async def scenario(exchange):
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(exchange.dial_in(number, town.OURS, Persona("", "", murmured, script)))
                for number, script in zip((town.THEIRS, town.SECOND, "+12025550113"), scripts, strict=False)
            ]
        return [task.result() for task in tasks]

    return scene, scene.play(scenario)


def test_everybody_in_a_conference_hears_the_others_and_not_themselves(town):
    scene, (first, second, third) = met(
        town,
        [
            (Silence(500), Speak("hello everybody"), Silence(3000), HangUp()),
            (Silence(5000), HangUp()),
            (Silence(6000), HangUp()),
        ],
    )
    assert heard_ms(first) == 0
    assert heard_ms(second) == heard_ms(third) == pytest.approx(spoken_ms("hello everybody"), abs=60)
    events = [form["StatusCallbackEvent"] for form in scene.got("/room")]
    assert events.count("participant-join") == 3
    assert events.count("participant-leave") == 3
    assert events.index("conference-start") < events.index("participant-leave")
    assert events[-1] == "conference-end"
    assert [int(form["SequenceNumber"]) for form in scene.got("/room")] == list(range(len(events)))


def test_end_on_exit_puts_the_others_out_and_their_action_follows(town):
    scene, (first, second) = met(
        town, [(Silence(2000), HangUp()), (Silence(60_000),)], ("endConferenceOnExit='true'", "")
    )
    assert (first.call.seconds, second.call.seconds) == (2, 2)
    (left,) = scene.got("/left")
    assert left["From"] == town.SECOND
    reasons = [form.get("ReasonParticipantLeft") for form in scene.got("/room") if "ReasonParticipantLeft" in form]
    assert reasons == ["participant_hung_up", "moderator_ended_conference"]


def test_a_room_is_silent_until_somebody_may_start_it(town):
    scene, (waiting, _) = met(
        town,
        [(Silence(4000), HangUp()), (Silence(4000), HangUp())],
        ("startConferenceOnEnter='false'", "startConferenceOnEnter='false'"),
    )
    assert "conference-start" not in [form["StatusCallbackEvent"] for form in scene.got("/room")]
    assert heard_ms(waiting) == 0


def test_the_muted_are_not_heard(town):
    _, (_, second) = met(
        town, [(Silence(500), Speak("can you hear me"), HangUp()), (Silence(4000), HangUp())], ("muted='true'", "")
    )
    assert heard_ms(second) == 0


def test_a_label_is_taken_once(town):
    _, records = met(
        town,
        [(Silence(3000), HangUp()), (Silence(3000), HangUp())],
        ("participantLabel='lead'", "participantLabel='lead'"),
    )
    assert [alert.number for record in records for alert in record.alerts] == [16025]
