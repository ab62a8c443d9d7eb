"""A call's turns taken again from its log."""

from __future__ import annotations

import pytest

from app.dialog.events import CallEnded, Interrupted, Signalled, TurnTimed
from app.dialog.rerun import compare, rerun
from app.exchange.personas import HangUp, InterruptAfter, Press, Silence, Speak, WaitForAgent
from app.ports import Finish, Say
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, script

OPENING = (Say(("This call is recorded.",), "disclosure:recording"), Say(("Hello, how can I help?",), "greeting"))
LONG = Say(("one two three four five six seven eight nine ten eleven twelve",), "answer:long")
BYE = (Say(("Goodbye.",), "goodbye"), Finish("finished"))


@pytest.fixture
def held(scene):
    dialogue = ScriptedDialogue(OPENING, script({"i want solar": (LONG,), "1": (LONG,), "no thanks": BYE}))
    return scene(dialogue, ScriptedSpeechToText("i want solar", "stop that please", "no thanks")).hold(
        WaitForAgent(),
        Speak("i want solar"),
        InterruptAfter(900, "stop that please"),
        WaitForAgent(),
        Press("1"),
        Silence(1500),
        WaitForAgent(),
        Speak("no thanks"),
        Silence(4000),
        HangUp(),
    )


def test_a_replayed_call_gives_the_same_turn_decisions(held):
    again = rerun(held.entries)
    replies = {decision.turn: decision.at_ms for decision in again if decision.what == "reply"}
    assert replies == {timed.turn: timed.decided_ms for timed in held.facts(TurnTimed) if timed.turn}
    assert len(replies) >= 4
    assert sum(decision.what == "cut" for decision in again) >= len(held.facts(Interrupted)) >= 1
    assert [decision.what for decision in again][-1] == "end"
    assert held.facts(CallEnded)


def test_the_same_settings_change_nothing(held):
    assert compare(held.entries) == ()


def test_another_setting_shows_which_turns_would_have_been_taken_when(held):
    [first, *_] = compare(held.entries, pause_ms=900)
    assert first.before.words == "i want solar"
    assert first.after is not None
    assert first.after.at_ms - first.before.at_ms == pytest.approx(400, abs=30)
    assert {difference.before.turn for difference in compare(held.entries, pause_ms=900)} == {1}


def test_a_setting_there_is_not_is_an_error(held):
    with pytest.raises(TypeError):
        compare(held.entries, pace_ms=900)


def test_C20_no_word_of_the_caller_is_in_the_signals_before_he_knows_of_the_record(scene):
    dialogue = ScriptedDialogue((Say(("Hello, how can I help?",), "greeting"),), script({"my secret": (LONG,)}))
    held = scene(dialogue, ScriptedSpeechToText("my secret")).hold(WaitForAgent(), Speak("my secret"), WaitForAgent())
    assert not any("secret" in fact.told for fact in held.facts(Signalled))


def test_C60_keys_are_not_in_the_signals(held):
    keyed = [fact.told for fact in held.facts(Signalled) if fact.signal == "Keyed"]
    assert keyed
    assert all(told.startswith('{"digit":"0"') for told in keyed)
