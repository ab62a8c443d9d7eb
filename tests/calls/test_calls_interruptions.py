import pytest

from app.dialog.events import AgentHeard, Interrupted
from app.dialog.patience import Patience
from app.dialog.transcript import heard_part
from app.exchange.faults import Faults
from app.exchange.personas import HangUp, InterruptAfter, Press, Silence, Speak, WaitForAgent
from app.ports import Finish, Pressed, Say
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, script
from app.telephony import mulaw

LONG = Say(("one two three four five six seven eight nine ten eleven twelve",), "disclosure:recording")
BYE = Say(("Goodbye then.",), "goodbye")
END = (BYE, Finish("finished"))


def loud_after_caller_began(held) -> int:
    """How long after the caller's first sound the caller last heard us at full volume; in ms of the exchange's tape."""
    began_ms = held.record.handset.spoken[0].from_ms
    loud = [place * 20 for place, frame in enumerate(held.heard_frames(began_ms + 1000)) if mulaw.level(frame) > 3000]
    return max(loud) + 20 - began_ms


@pytest.mark.parametrize(
    "faults", [Faults(), Faults(jitter_ms=60), Faults(burst=4, seed=3)], ids=["calm", "jitter", "burst"]
)
@pytest.mark.parametrize("after_ms", [300, 740, 1490, 2500])
def test_the_agent_is_soft_within_300_ms_of_the_callers_first_word_and_silent_when_it_goes_on(scene, after_ms, faults):
    dialogue = ScriptedDialogue((LONG,), script({"stop": END}))
    held = scene(dialogue, ScriptedSpeechToText("stop"), faults=faults).hold(
        InterruptAfter(after_ms, "stop it please"), Silence(5000)
    )
    assert held.reason == "finished"
    assert loud_after_caller_began(held) <= 300
    interrupted = held.facts(Interrupted)
    assert len(interrupted) == 1
    assert interrupted[0].quiet_ms - interrupted[0].voice_ms <= 300
    began_ms = held.record.handset.spoken[0].from_ms
    assert held.agent_silent_after(began_ms) - began_ms <= Patience().takeover_ms + 100


@pytest.mark.parametrize("after_ms", [300, 740, 1490, 2500])
def test_only_what_was_heard_is_remembered_as_said(scene, after_ms):
    dialogue = ScriptedDialogue((LONG,), script({"stop": END}))
    held = scene(dialogue, ScriptedSpeechToText("stop")).hold(InterruptAfter(after_ms, "stop it please"), Silence(5000))
    cut = held.facts(AgentHeard)[0]
    cleared_ms = held.agent_silent_after(held.record.handset.spoken[0].from_ms)
    really_ms = sum(frame != b"\xff" * 160 for frame in held.heard_frames(cleared_ms)) * 20
    assert not cut.complete
    assert abs(cut.heard_ms - really_ms) <= 40
    times = [(word, 300 * place) for place, word in enumerate(LONG.text.split(), 1)]
    assert cut.heard_text == heard_part(LONG.text, cut.heard_ms, 3600, times)
    assert dialogue.heard_lines[0].heard_text == cut.heard_text
    assert dialogue.heard_lines[0].complete is False


def test_C04_a_disclosure_that_was_cut_does_not_count(scene):
    dialogue = ScriptedDialogue((LONG,), script({"stop": (LONG, *END)}))
    held = scene(dialogue, ScriptedSpeechToText("stop")).hold(InterruptAfter(900, "stop it please"), Silence(9000))
    kinds = [type(entry.fact).__name__ for entry in held.entries]
    assert kinds.count("DisclosureHeard") == 1
    assert kinds.index("DisclosureHeard") > kinds.index("Interrupted")


def test_lines_that_were_not_begun_are_told_as_unheard(scene):
    dialogue = ScriptedDialogue((LONG, Say(("and this",), "ask:x")), script({"stop": END}))
    scene(dialogue, ScriptedSpeechToText("stop")).hold(InterruptAfter(900, "stop it please"), Silence(5000))
    assert [(line.line.purpose, line.heard_text != "", line.complete) for line in dialogue.heard_lines] == [
        ("disclosure:recording", True, False),
        ("ask:x", False, False),
        ("goodbye", True, True),
    ]


def test_a_cough_does_not_interrupt(scene):
    dialogue = ScriptedDialogue((LONG,), script({}))
    held = scene(dialogue, ScriptedSpeechToText()).hold_with(Cougher())
    assert held.facts(Interrupted) == []
    assert held.facts(AgentHeard)[0].complete
    assert dialogue.turns == []


class Cougher:
    def ring(self, caller):
        raise AssertionError("nobody rings this phone")

    async def talk(self, handset):
        from app.exchange.sound import murmur

        await handset.until(lambda: handset.agent_speaking_ms >= 500)
        await handset.say(murmur(80))
        await handset.until(lambda: handset.agent_quiet_ms >= 1000)
        handset.hang_up()


def test_C05_a_key_stops_the_agent_and_is_answered_at_once(scene):
    dialogue = ScriptedDialogue((LONG,), script({"9": END}))
    held = scene(dialogue).hold(Silence(1000), Press("9"))
    assert held.reason == "finished"
    assert dialogue.turns == [Pressed(1, "9")]
    pressed_ms = held.record.handset.keyed[0][0]
    assert (
        held.agent_silent_after(pressed_ms) - pressed_ms <= 100 or held.facts(AgentHeard)[0].heard_ms <= pressed_ms + 40
    )


def test_a_second_interruption_while_the_first_is_answered(scene):
    dialogue = ScriptedDialogue((LONG,), script({"stop": (LONG,), "enough": END}))
    held = scene(dialogue, ScriptedSpeechToText("stop", "enough")).hold(
        InterruptAfter(900, "stop it please"),
        Silence(1500),
        InterruptAfter(300, "I said stop"),
        WaitForAgent(),
        HangUp(),
    )
    assert [fact.utterance for fact in held.facts(Interrupted)] == [1, 2]
    assert len(dialogue.heard_lines) == 3


def test_a_caller_who_goes_on_talking_is_listened_to(scene):
    """A pause for breath longer than our patience: the reply begun in it gives way."""
    dialogue = ScriptedDialogue((LONG,), script({"i want solar": (LONG,), "for my house": END}))
    held = scene(dialogue, ScriptedSpeechToText("i want solar", "for my house")).hold(
        WaitForAgent(), Speak("i want solar"), Silence(900), Speak("for my house"), Silence(5000)
    )
    assert [turn.text for turn in dialogue.turns] == ["i want solar", "for my house"]
    assert held.reason == "finished"


@pytest.mark.parametrize("after_ms", range(3_560, 3_680, 20))
def test_a_key_in_the_moment_the_reply_ends_is_answered_to_the_end(scene, after_ms):
    dialogue = ScriptedDialogue((LONG,), script({"1": END}), delay_ms=100)
    held = scene(dialogue).hold(Silence(after_ms), Press("1"), Silence(3000), HangUp())
    assert held.reason == "finished"
    assert [(line.line.purpose, line.complete) for line in dialogue.heard_lines][1:] == [("goodbye", True)]
