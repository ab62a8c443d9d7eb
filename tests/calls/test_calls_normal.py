from app.dialog.events import AgentHeard, CallEnded, CallerSaid, TurnTimed
from app.dialog.transcript import latencies_of, transcript_of
from app.exchange.personas import Speak, WaitForAgent
from app.ports import Finish, Said, Say
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
    assert held.record.streams[0].gaps == []
    for latency in latencies_of(held.entries):
        assert latency.dialogue is not None
        assert 150 <= latency.dialogue <= 170
        assert latency.total is not None
        assert 850 <= latency.total <= 950  # 500 pause + 150 dialogue + 200 speech, and what we add
    assert len(held.facts(TurnTimed)) == 3
    assert len(held.facts(CallerSaid)) == 2
    assert all(heard.complete for heard in held.facts(AgentHeard))
