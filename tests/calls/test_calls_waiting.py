"""What the caller hears while an answer is on its way: something, soon, and never the same thing twice in a row."""

from dataclasses import replace

import pytest

from app.call.setup import ReadyLine
from app.dialog.events import AgentSaid, ProviderFailed, TurnTimed
from app.dialog.transcript import transcript_of
from app.exchange.personas import HangUp, Silence, Speak, WaitForAgent
from app.ports import Finish, Say
from app.providers.chain import ChainedTextToSpeech
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, ScriptedTextToSpeech, script, tone
from tests.calls.conftest import STAND_INS

ANSWER = Say(("Here is your answer.",), "answer:it")
THANKS = Say(("Thank you.",), "acknowledge")
CLAUSES = ("Okay.", "I see.")
WAITING = replace(
    STAND_INS,
    acknowledgements=tuple(ReadyLine(Say((text,), "acknowledge"), tone(400)) for text in CLAUSES),
    fillers=tuple(ReadyLine(Say((text,), "filler"), tone(500)) for text in ("One moment.", "Let me see.")),
)


class Slow(ScriptedDialogue):
    """Knows that it is."""

    def late_in_s(self) -> float:
        return 0.0


def said(held) -> list[str]:
    return [fact.text for fact in held.facts(AgentSaid)]


def first_sounds(held) -> list[int]:
    """From where each turn of the caller's was taken to our first sound."""
    return [timed.first_played_ms - timed.decided_ms for timed in held.facts(TurnTimed) if timed.turn]


def asking(times: int) -> tuple:
    return (*(step for _ in range(times) for step in (Speak("what is it"), WaitForAgent(2500))), HangUp())


def test_P2_an_answer_expected_late_is_acknowledged_at_once_and_never_twice_in_the_same_words(scene):
    dialogue = Slow((), script({"what": (ANSWER,)}), delay_ms=1200)
    held = scene(dialogue, ScriptedSpeechToText(*["what"] * 3), stand_ins=WAITING).hold(*asking(3))
    assert said(held) == ["Okay.", ANSWER.text, "I see.", ANSWER.text, "Okay.", ANSWER.text]
    assert max(first_sounds(held)) <= 120


def test_P2_an_answer_that_is_there_needs_no_acknowledgement_however_slow_the_last_one_was(scene):
    dialogue = Slow((), script({"what": (ANSWER,)}), delay_ms=20)
    held = scene(dialogue, ScriptedSpeechToText("what"), stand_ins=WAITING).hold(*asking(1))
    assert said(held) == [ANSWER.text]


@pytest.mark.parametrize(("delay_ms", "clauses"), [(500, []), (900, ["Okay."])])
def test_P2_an_answer_expected_in_time_is_acknowledged_only_when_it_is_late(scene, delay_ms, clauses):
    dialogue = ScriptedDialogue((), script({"what": (ANSWER,)}), delay_ms=delay_ms)
    held = scene(dialogue, ScriptedSpeechToText("what"), stand_ins=WAITING).hold(*asking(1))
    assert said(held) == [*clauses, ANSWER.text]


def test_P2_one_acknowledgement_and_one_filler_a_turn(scene):
    dialogue = ScriptedDialogue((), script({"what": (ANSWER,)}), delay_ms=4000)
    held = scene(dialogue, ScriptedSpeechToText(*["what"] * 2), stand_ins=WAITING).hold(
        *(step for _ in range(2) for step in (Speak("what is it"), Silence(9000))), HangUp()
    )
    assert said(held) == ["Okay.", "One moment.", ANSWER.text, "I see.", "Let me see.", ANSWER.text]


def test_who_has_just_acknowledged_does_not_say_thank_you_as_well(scene):
    dialogue = Slow((), script({"what": (THANKS, ANSWER)}), delay_ms=900)
    held = scene(dialogue, ScriptedSpeechToText("what"), stand_ins=WAITING).hold(*asking(1))
    heard = [line.text for line in transcript_of(held.entries) if line.by == "agent"]
    assert heard == ["Okay.", ANSWER.text]
    assert [line.line for line in dialogue.heard_lines] == [THANKS, ANSWER], "the dialogue is told what became of it"
    assert not dialogue.heard_lines[0].complete


def test_nobody_acknowledges_a_silence_or_a_goodbye(scene):
    dialogue = Slow((ANSWER,), script({"bye": (Finish("finished"),)}), delay_ms=900)
    held = scene(dialogue, stand_ins=WAITING).hold(Silence(40_000))
    assert not {"Okay.", "I see."} & set(said(held))


@pytest.mark.parametrize(("begins_ms", "heard_ms"), [(100, 900), (600, 400)])
def test_a_stand_in_is_spoken_in_the_calls_own_voice_if_that_begins_in_time(scene, begins_ms, heard_ms):
    dialogue = Slow((), script({"what": (ANSWER,)}), delay_ms=3000)
    tts = ScriptedTextToSpeech(ms_per_word=900, delay_ms=begins_ms)
    held = scene(dialogue, ScriptedSpeechToText("what"), tts, stand_ins=WAITING).hold(*asking(1))
    first = held.record.handset.heard[0]
    assert abs(first.to_ms - first.from_ms - heard_ms) <= 40


def test_F12_a_stand_in_does_not_wait_for_a_voice_that_is_slow(scene):
    dialogue = ScriptedDialogue((), script({"what": (ANSWER,)}), delay_ms=8000)
    tts = ChainedTextToSpeech([ScriptedTextToSpeech(delay_ms=60_000), ScriptedTextToSpeech()])
    held = scene(dialogue, ScriptedSpeechToText("what"), tts, stand_ins=WAITING).hold(*asking(1))
    assert max(first_sounds(held)) <= 1700
    assert held.facts(ProviderFailed)[0].stage == "dialogue"


def test_F12_a_voice_slower_than_speech_is_replaced_in_mid_line(scene):
    class Second(ScriptedTextToSpeech):
        name = "second"

    long = Say(("a b c d e f g h i j k l m n o p",), "answer:it")
    tts = ChainedTextToSpeech([ScriptedTextToSpeech(ms_per_word=300, pace_ms=420), Second(ms_per_word=300)])
    held = scene(ScriptedDialogue((), script({"what": (long,)})), ScriptedSpeechToText("what"), tts).hold(*asking(1))
    [failed] = held.facts(ProviderFailed)
    assert (failed.stage, failed.fallback, failed.kind) == ("tts", "second", "late")
    assert sum(gap.ms for gap in held.gaps) <= 700
