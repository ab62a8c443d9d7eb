import time

from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    CallEnded,
    CallerSaid,
    DisclosureHeard,
    OptedOut,
    ProviderFailed,
    TurnTimed,
)
from app.dialog.transcript import latencies_of, transcript_of
from app.exchange.personas import HangUp, Silence, Speak, WaitForAgent
from app.ports import Commit, Finish, Said, Say
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, ScriptedTextToSpeech, script

GREETING = Say(("Hello, this is Northlight Solar.", "How can I help you?"), "disclosure:ai+recording")
BYE = Say(("Thank you for calling. Goodbye.",), "goodbye")


def test_a_call_is_greeted_answered_and_said_goodbye_to(scene):
    dialogue = ScriptedDialogue(
        (GREETING,),
        script(
            {"a quote please": (Say(("What is your zip code?",), "ask:zip"),), "no thanks": (BYE, Finish("finished"))}
        ),
        delay_ms=150,
    )
    held = scene(
        dialogue,
        ScriptedSpeechToText("a quote please", "no thanks", delay_ms=120),
        ScriptedTextToSpeech(delay_ms=200),
    ).hold(WaitForAgent(), Speak("I would like a quote please"), WaitForAgent(), Speak("no thanks"))

    assert held.reason == "finished"
    assert held.record.streams[0].ended_by == "server"
    assert [(line.by, line.text) for line in transcript_of(held.entries)] == [
        ("agent", GREETING.text),
        ("caller", "a quote please"),
        ("agent", "What is your zip code?"),
        ("caller", "no thanks"),
        ("agent", BYE.text),
    ]
    assert [turn.text for turn in dialogue.turns if isinstance(turn, Said)] == ["a quote please", "no thanks"]
    assert [line.complete for line in dialogue.heard_lines] == [True, True, True]
    assert held.facts(CallEnded) == [CallEnded("finished")]
    assert held.gaps == []
    for latency in latencies_of(held.entries):
        assert latency.dialogue is not None
        assert 150 <= latency.dialogue <= 170
        assert latency.total is not None
        assert 690 <= latency.total <= 750  # 240 + 120 for the words, 150 dialogue, 200 speech, and what we add
    assert len(held.facts(TurnTimed)) == 3
    assert len(held.facts(CallerSaid)) == 2
    assert all(heard.complete for heard in held.facts(AgentHeard))


def test_a_two_minute_call_takes_a_moment(scene):
    answer = (Say(("word " * 40,), "answer:long"),)
    dialogue = ScriptedDialogue((GREETING,), script({}, otherwise=answer))
    steps = [step for _ in range(8) for step in (WaitForAgent(), Speak("tell me more"))]
    began = time.process_time()
    held = scene(dialogue, ScriptedSpeechToText(*["more"] * 8)).hold(*steps, WaitForAgent(), HangUp())
    assert held.record.tape.ms > 110_000
    assert time.process_time() - began < 5  # well under a second on a quiet machine
    assert held.gaps == []
    assert held.reason == "caller_hung_up"


def test_C20_words_before_the_recording_disclosure_was_heard_are_not_kept(scene):
    undisclosed, disclosed = Say(("Hello there my friend.",), "greeting"), Say(("We record.",), "disclosure:recording")
    dialogue = ScriptedDialogue((undisclosed,), script({"first": (disclosed,), "second": (BYE, Finish("finished"))}))
    held = scene(dialogue, ScriptedSpeechToText("first", "second")).hold(
        WaitForAgent(), Speak("first"), WaitForAgent(), Speak("second")
    )
    assert [said.text for said in held.facts(CallerSaid)] == ["", "second"]
    assert [turn.text for turn in dialogue.turns] == ["first", "second"]
    assert held.facts(DisclosureHeard) == [DisclosureHeard("recording")]


def test_C61_words_are_redacted_before_they_reach_anybody(scene):
    dialogue = ScriptedDialogue((GREETING,), script({"card [card]": (BYE, Finish("finished"))}))
    held = scene(
        dialogue, ScriptedSpeechToText("card 4111 1111"), redact=lambda text: text.replace("4111 1111", "[card]")
    ).hold(WaitForAgent(), Speak("my card is"))
    assert held.reason == "finished"
    assert [turn.text for turn in dialogue.turns] == ["card [card]"]
    assert "4111" not in repr(held.entries)


def test_words_said_while_hanging_up_are_still_understood(scene):
    stop = (Commit(OptedOut("stop calling")), BYE, Finish("opted_out"))
    dialogue = ScriptedDialogue((GREETING,), script({"stop calling": stop}))
    held = scene(dialogue, ScriptedSpeechToText("stop calling", delay_ms=700)).hold(
        WaitForAgent(), Speak("stop calling me"), Silence(400), HangUp()
    )
    assert held.reason == "caller_hung_up"
    assert held.journal.durable == [OptedOut("stop calling")]
    assert [line.text for line in transcript_of(held.entries)] == [GREETING.text, "stop calling"]


def test_P7_an_opt_out_is_durable_before_the_goodbye_begins(scene, journal_taking):
    bye = Say(("You will not hear from us again.",), "goodbye", protected=True)
    stop = (Commit(OptedOut("stop calling")), bye, Finish("opted_out"))
    dialogue = ScriptedDialogue((GREETING,), script({"stop calling": stop}))
    held = scene(dialogue, ScriptedSpeechToText("stop calling"), journal=journal_taking(3.0)).hold(
        WaitForAgent(), Speak("stop calling me"), Silence(3900), Speak("and I mean it, do you hear me"), Silence(9000)
    )
    assert held.reason == "opted_out"
    said = [(entry.at_ms, entry.fact.purpose) for entry in held.entries if isinstance(entry.fact, AgentSaid)]
    assert [purpose for _, purpose in said] == ["disclosure:ai+recording", "filler", "goodbye"]
    committed = next(entry.at_ms for entry in held.entries if isinstance(entry.fact, OptedOut))
    assert said[2][0] >= committed + 3000
    assert held.facts(AgentHeard)[-1].complete


def test_a_database_that_is_down_does_not_leave_the_caller_in_silence(scene, journal_taking):
    bye = Say(("You will not hear from us again.",), "goodbye", protected=True)
    stop = (Commit(OptedOut("stop calling")), bye, Finish("opted_out"))
    dialogue = ScriptedDialogue((GREETING,), script({"stop calling": stop}))
    held = scene(dialogue, ScriptedSpeechToText("stop calling"), journal=journal_taking(60.0)).hold(
        WaitForAgent(), Speak("stop calling me")
    )
    assert held.reason == "opted_out"
    assert [failed.stage for failed in held.facts(ProviderFailed)] == ["journal"]
