"""Calls we placed: what answers is told apart while we speak, and each kind gets what the playbook wants."""

from __future__ import annotations

import pytest

from app.dialog.events import AgentHeard, AgentKeyed, AgentSaid, AnsweredBy, CallerSaid, CarrierReport
from app.dialog.reception import Strategy
from app.evaluation.keys import keys_in
from app.exchange.machines import Announcer, Mailbox, Screener
from app.exchange.personas import HangUp, Silence, Speak, WaitForAgent
from app.exchange.sound import LOUD, murmur, murmured, tone
from app.ports import Finish, Said, Say
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, script
from app.telephony import mulaw

OPENING = Say(("Hello this is Nora of Northlight with a sales call about home solar for you today.",), "disclosure:ai")
GREETING = (500, murmur(2200), 300, murmur(1800))
LEAVE = Strategy(voicemail="leave_message")
WORDS = 11  # of the scripted message
END = (Say(("Goodbye then.",), "goodbye"), Finish("finished"))


@pytest.fixture
def placed(scene):
    """A call we placed."""

    def make(*lines, strategy=LEAVE, replies=None):
        dialogue = ScriptedDialogue((OPENING,), script(replies or {}))
        return scene(dialogue, ScriptedSpeechToText(*lines), direction="outbound", machines=strategy)

    return make


def kinds(held):
    return [fact.kind for fact in held.facts(AnsweredBy)]


def message(held):
    """The first and last moment the other side heard something after `ms`."""
    said = [fact for fact in held.facts(AgentSaid) if fact.purpose == "voicemail"]
    return [fact for fact in held.facts(AgentHeard) if fact.utterance in {s.utterance for s in said}]


def loud_ms(held, from_ms, to_ms=None):
    """For how long our voice was heard in that time."""
    frames = held.heard_frames(len(held.record.tape.heard) // 8)
    return sum(20 for frame in frames[from_ms // 20 : to_ms and to_ms // 20] if mulaw.level(frame) >= LOUD)


@pytest.mark.parametrize("beep", [(1000.0, 400), (440.0, 200), (1400.0, 900), (850.0, 300)])
@pytest.mark.parametrize("line", [None, "please leave a message after the tone"])
def test_C05_the_message_is_recorded_whole_and_only_after_the_beep(placed, beep, line):
    box = Mailbox(GREETING, beep_hertz=beep[0], beep_ms=beep[1])
    held = placed(line, line).hold_with(box)
    assert held.reason == "message_left"
    assert kinds(held)[-1] == "voicemail"
    (left,) = message(held)
    assert left.complete
    recorded_ms = loud_ms(held, box.recording_from_ms)
    assert recorded_ms >= WORDS * 300 - 40
    assert loud_ms(held, box.recording_from_ms - 3000, box.recording_from_ms) == 0  # not a word of it before


def test_the_message_comes_soon_after_the_beep(placed):
    box = Mailbox(GREETING)
    held = placed().hold_with(box)
    assert loud_ms(held, box.recording_from_ms, box.recording_from_ms + 600) >= 200


def test_a_mailbox_that_does_not_beep_gets_its_message_after_a_silence(placed):
    box = Mailbox(GREETING, beep_hertz=None, silence_s=8)
    held = placed().hold_with(box)
    assert held.reason == "message_left"
    assert message(held)[0].complete


def test_a_beep_that_comes_late_makes_us_begin_again(placed):
    box = Mailbox(GREETING, pause_ms=4500)
    held = placed().hold_with(box)
    assert held.reason == "message_left"
    early, whole = message(held)
    assert not early.complete
    assert whole.complete
    assert loud_ms(held, box.recording_from_ms) >= WORDS * 300 - 40


def test_a_mailbox_is_hung_up_on_where_the_playbook_wants_that(placed):
    box = Mailbox(GREETING)
    held = placed(strategy=Strategy()).hold_with(box)
    assert held.reason == "voicemail"
    assert message(held) == []
    assert box.recording_from_ms is None  # before its beep: nothing was recorded


def test_a_machines_words_are_no_turns_of_a_conversation(placed):
    scene = placed("please leave a message after the tone")
    held = scene.hold_with(Mailbox(GREETING))
    assert [turn for turn in scene.dialogue.turns if isinstance(turn, Said)] == []
    assert held.facts(CallerSaid) == []


@pytest.mark.parametrize("wait_ms", [100, 900])
def test_a_person_who_says_hello_is_talked_to(placed, wait_ms):
    scene = placed("hello", "I am not interested", replies={"I am not interested": END})
    steps = (Silence(wait_ms), Speak("Hello?"), WaitForAgent(), Speak("I am not interested"))
    held = scene.hold(*steps)
    assert held.reason == "finished"
    assert kinds(held)[-1] == "human"
    assert all(kind in ("human", "not_sure") for kind in kinds(held))
    first = held.facts(AnsweredBy)[0]
    assert first.at_ms - wait_ms < 1800


def test_a_person_who_says_nothing_is_talked_to_as_well(placed):
    held = placed(replies={"yes": END}).hold(WaitForAgent(), Silence(500), HangUp())
    assert held.reason == "caller_hung_up"
    assert kinds(held) == []
    assert held.facts(AgentHeard)[0].complete


def test_a_person_who_tells_a_long_story_later_stays_one(placed):
    story = "well I have been thinking about solar for a long time and my neighbour has it on his roof too"
    scene = placed("hello", story, replies={story: END})
    held = scene.hold(Silence(300), Speak("Hello?"), WaitForAgent(), Speak(story))
    assert held.reason == "finished"
    assert kinds(held)[-1] == "human"


def test_a_call_screener_is_told_who_calls_and_the_person_is_talked_to(placed):
    words = ("please say your name and why you are calling", "hello", "not now")
    scene = placed(*words, strategy=Strategy(screening="say_who"), replies={"hello": END})
    screener = Screener()
    held = scene.hold_with(screener)
    assert "screening" in kinds(held)
    assert screener.told_ms >= 2000
    assert held.reason == "finished"
    assert [turn.text for turn in scene.dialogue.turns if isinstance(turn, Said)] == ["hello"]


def test_a_menu_is_hung_up_on_or_given_a_key(placed):
    says = (300, murmured("Thank you for calling. For sales press one. For service press two."))
    words = "for sales press one for service press two"
    held = placed(words, strategy=LEAVE).hold_with(Announcer(says))
    assert held.reason == "ivr"
    held = placed(words, strategy=Strategy(ivr="press_key", key="1")).hold_with(Announcer(says, times=1))
    assert held.facts(AgentKeyed) == [AgentKeyed("1")]
    assert keys_in(bytes(held.record.tape.heard)) == "1"


def test_a_number_that_does_not_exist_ends_the_call(placed):
    sit = (tone(950, ms=330), tone(1400, ms=330), tone(1780, ms=330), 100, murmur(3000))
    held = placed().hold_with(Announcer(sit))
    assert held.reason == "unavailable"
    assert held.record.tape.ms < 4000


def test_the_carriers_word_is_enough_while_ours_is_still_out(placed):
    scene = placed(strategy=Strategy())
    scene.carrier.tell(CarrierReport("machine_start"))
    held = scene.hold_with(Mailbox((1000, murmur(9000))))
    assert held.reason == "voicemail"
    assert held.record.tape.ms < 3000


def test_an_inbound_call_is_never_taken_for_a_machine(scene):
    dialogue = ScriptedDialogue((OPENING,), script({"leave a message": END}))
    held = scene(dialogue, ScriptedSpeechToText("leave a message")).hold_with(Mailbox((500, murmur(6000))))
    assert held.facts(AnsweredBy) == []
    assert held.reason == "finished"
