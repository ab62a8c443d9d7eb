"""An answer begun before the caller is through: given if he was, and never there if he was not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from app.dialog.events import (
    AgentSaid,
    CallerSaid,
    DraftDropped,
    FactLearned,
    Heard,
    OptedOut,
    TurnTimed,
    VoiceOff,
    VoiceOn,
)
from app.exchange.personas import HangUp, Silence, Speak, WaitForAgent
from app.ports import CallerSound, Commit, Expectation, Finish, Note, Say
from app.providers.scripted import ScriptedDialogue, ScriptedTextToSpeech, script

GREETING = Say(("Hello, how can I help?",), "greeting")
PRICE = (Note(FactLearned("asked", "price", "")), Say(("It depends on the roof.",), "answer:price"))
OUT = (Commit(OptedOut("stop")), Say(("You will not be called again.",), "opt_out"), Finish("opted_out"))


class EagerEars:
    """For each stretch of voice: what was guessed when it ended, and the truth `later_ms` after."""

    name = "eager"

    def __init__(self, *stretches: tuple[str, str], later_ms: int = 150) -> None:
        self._stretches, self._later_ms = iter(stretches), later_ms

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        began_ms = 0
        async for heard in sound:
            match heard:
                case VoiceOn(at_ms):
                    began_ms = at_ms
                case VoiceOff(at_ms):
                    guess, truth = next(self._stretches)
                    yield Heard(guess, False, 0.9, began_ms, at_ms, self.name, "eager")
                    await asyncio.sleep(self._later_ms / 1000)
                    yield Heard(truth, True, 0.9, began_ms, at_ms, self.name, "ended")


def slow(replies: dict[str, tuple]) -> ScriptedDialogue:
    return ScriptedDialogue((GREETING,), script(replies), delay_ms=300)


def test_a_draft_is_on_its_way_while_we_still_make_sure(scene):
    dialogue = slow({"what does it cost": PRICE})
    ears = EagerEars(("what does it cost", "What does it cost?"))
    held = scene(dialogue, ears, ScriptedTextToSpeech(delay_ms=150)).hold(
        WaitForAgent(), Speak("what does it cost"), WaitForAgent(), HangUp()
    )
    timed = held.facts(TurnTimed)[-1]
    assert timed.drafted_ms is not None
    assert timed.decided_ms - timed.drafted_ms == 150
    assert timed.first_played_ms is not None
    assert timed.first_played_ms - timed.drafted_ms <= 300 + 150 + 20, "nothing waited for the decision"
    assert [turn.text for turn in dialogue.turns] == ["what does it cost"]
    assert held.facts(FactLearned) == [FactLearned("asked", "price", "")]
    kinds = [type(entry.fact) for entry in held.entries]
    assert kinds.index(CallerSaid) < kinds.index(FactLearned)
    assert held.facts(DraftDropped) == []
    assert dialogue.heard_lines[-1].line == PRICE[1]


def test_a_draft_of_other_words_leaves_nothing_but_what_it_cost(scene):
    dialogue = slow({"what does it cost": PRICE, "what does it cost to repair": (Say(("Nothing.",), "answer:repair"),)})
    ears = EagerEars(("what does it cost", "what does it cost to repair"), later_ms=600)
    held = scene(dialogue, ears).hold(WaitForAgent(), Speak("what does it cost to repair"), WaitForAgent(), HangUp())
    assert [said.purpose for said in held.facts(AgentSaid)] == ["greeting", "answer:repair"]
    assert held.facts(FactLearned) == []
    [dropped] = held.facts(DraftDropped)
    assert (dropped.turn, dropped.letters) == (1, len(PRICE[1].text))
    assert [line.line.purpose for line in dialogue.heard_lines] == ["greeting", "answer:repair"]


def test_C05_a_draft_opts_nobody_out(scene):
    dialogue = slow({"stop calling": OUT, "stop calling at night": PRICE})
    ears = EagerEars(("stop calling", "stop calling at night"), later_ms=900)
    held = scene(dialogue, ears).hold(WaitForAgent(), Speak("stop calling at night"), WaitForAgent(), HangUp())
    assert held.facts(OptedOut) == []
    assert held.journal.durable == []


def test_C05_an_opt_out_that_was_drafted_is_durable_before_it_is_confirmed(scene):
    held = scene(slow({"stop calling": OUT}), EagerEars(("stop calling", "stop calling"))).hold(
        WaitForAgent(), Speak("stop calling"), Silence(5000)
    )
    assert held.reason == "opted_out"
    assert len(held.journal.durable) == 1
    kinds = [type(entry.fact) for entry in held.entries]
    assert kinds.index(CallerSaid) < kinds.index(OptedOut) < kinds.index(AgentSaid, kinds.index(CallerSaid))


def test_C61_what_must_not_be_kept_reaches_no_draft(scene):
    dialogue = slow({})
    card = "my card is 4111 1111 1111 1111 thanks"
    half = "my card is 4111 1111 11"  # which nobody can tell for one
    held = scene(dialogue, EagerEars((half, card)), redact=lambda text: text.replace("4111 1111 1111 1111", "[card]"))
    held.hold(WaitForAgent(), Speak("my card is"), WaitForAgent(), HangUp())
    assert [turn.text for turn in dialogue.turns] == ["my card is [card] thanks"]


def test_hanging_up_on_a_draft_ends_it(scene):
    ears = EagerEars(("what does it cost", "what does it cost"), later_ms=5000)
    dialogue = ScriptedDialogue((GREETING,), script({"what does it cost": PRICE}), delay_ms=10_000)
    held = scene(dialogue, ears).hold(WaitForAgent(), Speak("what does it cost"), Silence(500), HangUp())
    assert held.reason == "caller_hung_up"
    assert len(held.facts(DraftDropped)) == 1


def test_a_draft_that_failed_is_not_given_but_asked_again(scene):
    class Voice(ScriptedTextToSpeech):
        """Goes down the second time it is asked."""

        asked = 0

        async def speak(self, line):
            self.asked += 1
            self._fails = self.asked == 2
            async for speech in super().speak(line):
                yield speech

    dialogue = ScriptedDialogue((GREETING,), script({"what does it cost": PRICE}))
    ears = EagerEars(("what does it cost", "what does it cost"))
    held = scene(dialogue, ears, Voice()).hold(WaitForAgent(), Speak("what does it cost"), WaitForAgent(), HangUp())
    assert [said.purpose for said in held.facts(AgentSaid)] == ["greeting", "answer:price"]
    assert len(held.facts(DraftDropped)) == 1
