"""The caller makes a sound while we speak, on whole calls: what stops us, what does not, what is heard of it all."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from app.dialog.events import AgentHeard, Aside, CallerSaid, DisclosureHeard, Heard, Interrupted, OptedOut, Underrun
from app.exchange.faults import Faults
from app.exchange.personas import HangUp, InterruptAfter, Silence, Speak, WaitForAgent
from app.exchange.sound import is_loud, murmur
from app.ports import Commit, Finish, Said, Say
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, script
from app.telephony import mulaw

TOLD = Say(("calls are recorded",), "disclosure:recording")
TOLD_MS = 900
LONG = Say(
    ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen",),
    "disclosure:ai",
)
LONG_MS = 17 * 300
BYE = Say(("Goodbye then.",), "goodbye")
END = (BYE, Finish("finished"))
FULL, SOFT = 3000, 100  # levels: above, at full volume; below the first and above the second, ducked


def levels(held, from_ms: int, to_ms: int) -> list[float]:
    return [mulaw.level(frame) for frame in held.heard_frames(to_ms)[from_ms // 20 :]]


def spoke_ms(held) -> int:
    return held.record.handset.spoken[0].from_ms


class Person:
    """Makes this sound once the agent has talked for two seconds; then listens to the end."""

    def __init__(self, *sounds: bytes) -> None:
        self._sounds = sounds

    def ring(self, caller):
        raise AssertionError("nobody rings this phone")

    async def talk(self, handset):
        await handset.until(lambda: handset.agent_speaking_ms >= 2000)
        for sound in self._sounds:
            await handset.say(sound)
        await handset.until(lambda: handset.agent_quiet_ms >= 2500)
        handset.hang_up()


@pytest.mark.parametrize("word", ["mm-hm", "uh huh", "yeah", "Right.", "okay", "ajá", "claro"])
@pytest.mark.parametrize("interim_ms", [None, 200])
def test_a_listeners_word_does_not_stop_us(scene, word, interim_ms):
    dialogue = ScriptedDialogue((TOLD, LONG), script({}))
    held = scene(dialogue, ScriptedSpeechToText(word, interim_ms=interim_ms)).hold_with(Person(murmur(420)))
    assert dialogue.turns == []
    assert held.facts(Interrupted) == []
    assert [(aside.kind, aside.text) for aside in held.facts(Aside)] == [("backchannel", word)]
    assert [(heard.complete, heard.heard_ms) for heard in held.facts(AgentHeard)] == [(True, TOLD_MS), (True, LONG_MS)]
    soft = [FULL > level > SOFT for level in levels(held, spoke_ms(held), spoke_ms(held) + 3000)]
    assert 400 <= 20 * sum(soft) <= 1200
    assert held.facts(Underrun) == []


@pytest.mark.parametrize("ms", [40, 120, 300, 500])
def test_a_cough_does_not_stop_us(scene, ms):
    dialogue = ScriptedDialogue((LONG,), script({}))
    held = scene(dialogue, ScriptedSpeechToText()).hold_with(Person(murmur(ms)))
    assert dialogue.turns == []
    assert held.facts(AgentHeard)[0].complete
    assert min(levels(held, 1000, LONG_MS)) > SOFT  # never silent in between
    assert held.facts(Interrupted) == held.facts(Aside) == []


def test_a_television_without_words_does_not_stop_us_for_good(scene):
    """A recogniser that tells words as they come has none for it: we go on, over it."""
    dialogue = ScriptedDialogue((LONG,), script({"hello": (LONG,)}))
    television = [murmur(6000)]
    held = scene(dialogue, ScriptedSpeechToText("hello", interim_ms=200)).hold_with(
        Watching(Speak("hello"), television)
    )
    assert [turn.text for turn in dialogue.turns] == ["hello"]
    assert [heard.complete for heard in held.facts(AgentHeard)] == [True, True]


class Watching:
    """Says something, so that its recogniser is known, and turns the television on over the answer."""

    def __init__(self, first: Speak, sounds: list[bytes]) -> None:
        self._first, self._sounds = first, sounds

    def ring(self, caller):
        raise AssertionError("nobody rings this phone")

    async def talk(self, handset):
        await handset.until(lambda: handset.agent_spoke_since(-1) and handset.agent_quiet_ms >= 700)
        since = handset.now_ms
        await handset.say(murmur(600), self._first.text)
        await handset.until(lambda: handset.agent_spoke_since(since) and handset.agent_speaking_ms >= 800)
        for sound in self._sounds:
            await handset.say(sound)
        await handset.until(lambda: handset.agent_quiet_ms >= 2500)
        handset.hang_up()


def test_words_that_take_the_turn_stop_us_with_the_first_of_them(scene):
    dialogue = ScriptedDialogue((LONG,), script({"no wait a moment": END}))
    held = scene(dialogue, ScriptedSpeechToText("no wait a moment", interim_ms=250)).hold(
        InterruptAfter(1000, "no wait a moment"), Silence(4000)
    )
    began_ms = spoke_ms(held)
    assert [said.turn for said in held.facts(CallerSaid)] == [1]
    assert dialogue.turns[-1].text == "no wait a moment"
    assert max(levels(held, began_ms + 220, began_ms + 900)) < FULL
    assert max(levels(held, began_ms + 400, began_ms + 900)) == 0.0
    interrupted = held.facts(Interrupted)[0]
    assert interrupted.quiet_ms - interrupted.voice_ms <= 220
    assert interrupted.cleared_ms - interrupted.voice_ms <= 400


def test_C01_stop_calling_me_stops_us_at_once_and_is_durable(scene):
    opt_out = (Commit(OptedOut("stop calling me")), BYE, Finish("opted_out"))
    dialogue = ScriptedDialogue((TOLD, LONG), script({"stop calling me": opt_out}))
    held = scene(dialogue, ScriptedSpeechToText("stop calling me", interim_ms=250)).hold(
        InterruptAfter(2000, "stop calling me"), Silence(4000)
    )
    assert held.reason == "opted_out"
    assert held.journal.durable == [OptedOut("stop calling me")]
    assert held.facts(Interrupted)[0].cleared_ms - held.facts(Interrupted)[0].voice_ms <= 400


def test_a_stop_for_nothing_is_made_good_from_the_word_that_was_cut(scene):
    """A long "yeah, okay, right" silences us; then we go on from where the caller stopped hearing us."""
    dialogue = ScriptedDialogue((LONG,), script({}))
    held = scene(dialogue, ScriptedSpeechToText("yeah okay right")).hold_with(Person(murmur(1400)))
    assert dialogue.turns == []
    assert held.facts(Interrupted) == []
    heard = held.facts(AgentHeard)[0]
    assert (heard.complete, heard.heard_ms, heard.audio_ms) == (True, LONG_MS, LONG_MS)
    assert [fact.kind for fact in held.facts(DisclosureHeard)] == ["ai"]
    sounding_ms = 20 * sum(level > SOFT for level in levels(held, 0, held.record.tape.ms))
    assert LONG_MS <= sounding_ms <= LONG_MS + 300 + 80  # a word is said again, no more
    assert held.facts(Underrun) == []


def test_a_yes_to_the_question_that_just_ended_is_an_answer(scene):
    asked = Say(("do you own your home?",), "ask:owner")
    dialogue = ScriptedDialogue((asked,), script({"yes": END}))
    held = scene(dialogue, ScriptedSpeechToText("yes")).hold(InterruptAfter(1300, "yes"), Silence(4000))
    assert [turn.text for turn in dialogue.turns] == ["yes"]
    assert dialogue.heard_lines[0].complete
    assert held.reason == "finished"
    assert held.facts(Aside) == []


def test_what_we_say_next_after_an_interruption_is_at_full_volume(scene):
    dialogue = ScriptedDialogue((LONG,), script({"no wait": (LONG, Finish("finished"))}))
    held = scene(dialogue, ScriptedSpeechToText("no wait", interim_ms=200)).hold(
        InterruptAfter(1000, "no wait a moment"), Silence(9000)
    )
    last = held.record.handset.heard[-1]
    assert min(levels(held, last.from_ms, last.to_ms)) > FULL


@pytest.mark.parametrize(("echo_ms", "echo_db"), [(60, -12), (140, -18), (300, -20)])
def test_our_own_voice_coming_back_neither_stops_us_nor_makes_a_turn(scene, echo_ms, echo_db):
    """The recogniser hears it too, and writes down what we said."""
    lines = [LONG.text, "three four five six", "seven eight", LONG.text]
    dialogue = ScriptedDialogue((LONG, Say(("thank you",), "thanks")), script({}))
    held = scene(
        dialogue, ScriptedSpeechToText(*lines, interim_ms=300), faults=Faults(echo_ms=echo_ms, echo_db=echo_db)
    ).hold(WaitForAgent(2000), HangUp())
    assert dialogue.turns == []
    assert held.facts(Interrupted) == []
    assert [heard.complete for heard in held.facts(AgentHeard)] == [True, True]
    assert {aside.kind for aside in held.facts(Aside)} <= {"echo"}
    began_ms = held.record.handset.heard[0].from_ms
    assert 20 * sum(level < FULL for level in levels(held, began_ms, began_ms + LONG_MS)) <= 500  # at the beginning


def test_a_caller_who_speaks_over_our_echo_is_heard(scene):
    dialogue = ScriptedDialogue((LONG, LONG), script({"no wait a moment": END}))
    held = scene(dialogue, Overhearing("no wait a moment"), faults=Faults(echo_ms=140, echo_db=-24)).hold(
        InterruptAfter(2000, "no wait a moment please"), Silence(4000)
    )
    assert Said(1, "no wait a moment", 0.9) in dialogue.turns
    interrupted = held.facts(Interrupted)[0]
    assert interrupted.cleared_ms - spoke_ms(held) <= 1000


class Overhearing(ScriptedSpeechToText):
    """Hears its line in the first voice as loud as a person's, nothing in an echo."""

    async def listen(self, sound, expecting):
        from app.ports import AudioChunk

        loud_ms = 0
        async for heard in sound:
            if isinstance(heard, AudioChunk):
                loud_ms += 20 * (loud_ms > 0 or mulaw.level(heard.mulaw) > 2000)
                if loud_ms == 600:
                    yield Heard(self._lines[0], True, 0.9, heard.at_ms - 580, heard.at_ms, self.name)


def test_the_callers_words_after_us_are_a_turn_as_ever(scene):
    dialogue = ScriptedDialogue((LONG,), script({"okay": END}))
    held = scene(dialogue, ScriptedSpeechToText("okay")).hold(WaitForAgent(300), Speak("okay"), Silence(4000))
    assert [turn.text for turn in dialogue.turns] == ["okay"]
    assert [said.turn for said in held.facts(CallerSaid)] == [1]
    assert any(is_loud(frame) for frame in held.heard_frames(held.record.tape.ms)[-60:])


class Restless:
    """Coughs and hums at moments of its own over what we say, not near the end of it and never for long."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def ring(self, caller):
        raise AssertionError("nobody rings this phone")

    async def talk(self, handset):
        while handset.now_ms < TOLD_MS + LONG_MS - 2000:
            until_ms = handset.now_ms + self._dice.randrange(360, 1000)
            await handset.until(lambda until_ms=until_ms: handset.now_ms >= until_ms)
            await handset.say(murmur(self._dice.choice([40, 120, 260, 400])))
        await handset.until(lambda: handset.agent_quiet_ms >= 1500)
        handset.hang_up()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("faults", [Faults(), Faults(jitter_ms=60), Faults(burst=4)], ids=["calm", "jitter", "burst"])
def test_however_often_we_are_softened_all_is_heard_without_a_gap_and_the_ledger_says_so(scene, seed, faults):
    dialogue = ScriptedDialogue((TOLD, LONG), script({}))
    held = scene(dialogue, ScriptedSpeechToText(), faults=replace(faults, seed=seed)).hold_with(Restless(seed))
    assert dialogue.turns == []
    assert [(heard.complete, heard.heard_ms) for heard in held.facts(AgentHeard)] == [(True, TOLD_MS), (True, LONG_MS)]
    assert held.facts(Underrun) == []
    whole = levels(held, 0, held.record.tape.ms)
    sounding = [place for place, level in enumerate(whole) if level > SOFT]
    assert len([place for place in sounding if whole[place] < FULL]) > 10  # softened indeed
    assert sounding[-1] - sounding[0] + 1 == len(sounding)  # never silent in between
    ducks = sum(before > FULL >= after for before, after in pairwise(whole[: sounding[-1] + 1]))
    lag_ms = 80 if faults.jitter_ms or faults.burst else 20  # a mark that comes late makes us repeat as much
    assert TOLD_MS + LONG_MS <= 20 * len(sounding) <= TOLD_MS + LONG_MS + ducks * lag_ms + 40
