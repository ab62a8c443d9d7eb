import pytest

from app.dialog.events import CallerKeyed, CallerSilent
from app.dialog.patience import Patience
from app.dialog.transcript import transcript_of
from app.exchange.personas import Press, Silence, Speak, WaitForAgent
from app.exchange.phones import Pickup
from app.exchange.sound import key
from app.ports import Closing, Expectation, Finish, Pressed, Said, Say, Silent
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, ScriptedVoiceActivity, script
from app.telephony.mulaw import silence

GREETING = Say(("Hello, this is Northlight.",), "disclosure:recording")
END = (Say(("Goodbye then.",), "goodbye"), Finish("finished"))


def test_silence_is_nudged_twice_and_ended_with_a_goodbye_that_is_heard(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue).hold()
    assert held.reason == "silence"
    assert dialogue.turns == [Silent(1, 1), Silent(2, 2), Closing(3, "silence")]
    assert held.facts(CallerSilent) == [CallerSilent(1), CallerSilent(2)]
    assert transcript_of(held.entries)[-1].text == "Goodbye."
    assert dialogue.heard_lines[-1].complete
    assert 20_000 <= held.record.tape.ms <= 30_000


def test_a_nudge_brings_the_caller_back(scene):
    dialogue = ScriptedDialogue((GREETING,), script({"here": END}))
    held = scene(dialogue, ScriptedSpeechToText("here")).hold(WaitForAgent(), WaitForAgent(), Speak("here"))
    assert [type(turn) for turn in dialogue.turns] == [Silent, Said]
    assert held.reason == "finished"


@pytest.mark.parametrize(
    ("keys", "expects", "answers"),
    [
        ("2", Expectation("menu", "choice"), ["2"]),
        ("94110", Expectation("ask:zip", "digits", digits=5), ["94110"]),
        ("941#", Expectation("ask:zip", "digits", digits=5), ["941"]),
        ("450", Expectation("ask:bill", "number"), ["450"]),
    ],
)
def test_keys_are_answers(scene, keys, expects, answers):
    dialogue = ScriptedDialogue((GREETING,), script({answers[-1]: END}), expects=expects)
    held = scene(dialogue).hold(WaitForAgent(), Press(keys), Silence(6000))
    assert held.reason == "finished"
    assert dialogue.turns == [Pressed(1, answers[0])]
    assert held.facts(CallerKeyed) == [CallerKeyed(1, answers[0])]


def test_P2_voice_without_words_is_asked_about_within_two_and_a_half_seconds(scene):
    dialogue = ScriptedDialogue((GREETING,), script({"yes": END}))
    held = scene(dialogue, ScriptedSpeechToText(None, "yes")).hold(
        WaitForAgent(), Speak("mumble mumble"), WaitForAgent(), Speak("yes")
    )
    assert dialogue.turns[0] == Said(1, "", 0.0)
    spoken, heard = held.record.handset.spoken[0], held.record.handset.heard[1]
    assert heard.from_ms - spoken.to_ms <= 2500
    assert held.reason == "finished"


def test_T33_a_call_that_takes_too_long_is_ended_politely(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}, otherwise=(GREETING,)))
    held = scene(dialogue, ScriptedSpeechToText(*["on"] * 40), patience=Patience(call_ms=20_000)).hold(
        *[step for _ in range(20) for step in (WaitForAgent(), Speak("and so on"))]
    )
    assert held.reason == "too_long"
    assert dialogue.turns[-1] == Closing(len(dialogue.turns), "too_long")
    assert dialogue.heard_lines[-1].complete
    assert held.record.tape.ms <= 24_000


class Whistler:
    """Somebody whose carrier reports no keys: they come as tones only, or as both."""

    def __init__(self, keys, *, reported=""):
        self.keys, self.reported = keys, reported

    def ring(self, caller):
        return Pickup()

    async def talk(self, handset):
        await handset.until(lambda: handset.agent_spoke_since(0) and handset.agent_quiet_ms >= 700)
        for digit in self.keys:
            if digit in self.reported:
                await handset.press(digit)
            await handset.say(key(digit, 80))
            await handset.say(silence(120))


@pytest.mark.parametrize("reported", ["", "94110", "41"])
def test_keys_that_come_as_tones_count_and_those_the_carrier_reports_too_count_once(scene, reported):
    expects = Expectation("ask:zip", "digits", digits=5)
    dialogue = ScriptedDialogue((GREETING,), script({"94110": END}), expects=expects)
    voice = ScriptedVoiceActivity(threshold=1e9)  # tones are no voice
    held = scene(dialogue, voice=voice).hold_with(Whistler("94110", reported=reported))
    assert [fact.digits for fact in held.facts(CallerKeyed)] == ["94110"]
    assert held.reason == "finished"
