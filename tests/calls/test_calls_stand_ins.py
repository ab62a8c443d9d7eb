"""Chains in whole calls: the caller hears the rest from somebody else, and the log says why."""

from itertools import pairwise

from app.dialog.events import CallerSaid, ProviderFailed, TurnTimed
from app.dialog.transcript import transcript_of
from app.errors import ProviderDown, ProviderRefused
from app.exchange.personas import HangUp, Silence, Speak, WaitForAgent
from app.ports import AudioChunk, Finish, Heard, Say
from app.providers.breaker import Rules
from app.providers.chain import ChainedSpeechToText, ChainedTextToSpeech
from app.providers.circuits import Circuits
from app.providers.scripted import (
    ScriptedDialogue,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    script,
)
from app.telephony import mulaw

GREETING = Say(("Hello, this is Northlight, how can I help you?",), "disclosure:recording")
ANSWER = Say(("A home system costs about twelve thousand dollars.", "Shall we come and look?"), "answer:price")
REPLIES = script({"what is it": (ANSWER,), "bye": (Finish("finished"),)})


def voice(name: str, **how) -> ScriptedTextToSpeech:
    made = ScriptedTextToSpeech(**how)
    made.name = name
    return made


def ears(name: str, *lines, **how) -> ScriptedSpeechToText:
    made = ScriptedSpeechToText(*lines, **how)
    made.name = name
    return made


def agent_lines(held) -> list[str]:
    return [line.text for line in transcript_of(held.entries) if line.by == "agent"]


def waits(held) -> list[int]:
    """From the end of each thing the caller said to the next sound of the agent's."""
    handset = held.record.handset
    return [
        min(heard.from_ms for heard in handset.heard if heard.to_ms > spoken.to_ms) - spoken.to_ms
        for spoken in handset.spoken
    ]


def longest_gap(held) -> int:
    """Silence inside what the agent said after the caller had spoken."""
    said = [heard for heard in held.record.handset.heard if heard.from_ms > held.record.handset.spoken[0].to_ms]
    return max((later.from_ms - sooner.to_ms for sooner, later in pairwise(said)), default=0)


def test_F12_a_voice_that_stalls_in_a_sentence_is_gone_on_from_by_the_next(scene):
    spoken = []

    class Second(ScriptedTextToSpeech):
        async def speak(self, line):
            spoken.append(line)
            async for speech in super().speak(line):
                yield speech

    second = Second()
    second.name = "second"
    tts = ChainedTextToSpeech([voice("first", stalls_at=5), second])
    held = scene(ScriptedDialogue((), REPLIES), ears("e", "what is it"), tts).hold(
        Speak("what is it"), WaitForAgent(1500), HangUp()
    )
    assert held.facts(ProviderFailed) == [
        ProviderFailed("tts", "first", "first sent no audio for 1.1 s", "second", "late")
    ]
    assert agent_lines(held) == [ANSWER.text]
    assert spoken[0] == ANSWER  # a whole part again, of which only the end is heard
    heard_ms = sum(heard.to_ms - heard.from_ms for heard in held.record.handset.heard)
    words = len(ANSWER.text.split())
    assert words * 300 - 100 <= heard_ms <= (words + 3) * 300  # nothing left out, at most three words twice
    assert longest_gap(held) <= 500
    assert waits(held)[0] <= 2500


def test_F12_a_voice_that_never_begins_is_replaced_within_the_turn(scene):
    tts = ChainedTextToSpeech([voice("first", delay_ms=60_000), voice("second")])
    held = scene(ScriptedDialogue((), REPLIES), ears("e", "what is it"), tts).hold(
        Speak("what is it"), WaitForAgent(1500), HangUp()
    )
    assert held.facts(ProviderFailed) == [
        ProviderFailed("tts", "first", "first sent no audio for 1.0 s", "second", "late")
    ]
    assert agent_lines(held) == [ANSWER.text]
    assert waits(held)[0] <= 2500


def test_a_call_stays_with_the_voice_that_works(scene):
    tts = ChainedTextToSpeech([voice("first", fails=True), voice("second")])
    held = scene(ScriptedDialogue((GREETING,), REPLIES), ears("e", "what is it"), tts).hold(
        WaitForAgent(), Speak("what is it"), WaitForAgent(1500), HangUp()
    )
    assert len(held.facts(ProviderFailed)) == 1
    assert agent_lines(held) == [GREETING.text, ANSWER.text]


def test_who_failed_in_three_calls_is_not_asked_in_the_fourth(scene):
    circuits, asked = Circuits(Rules(failures=3, rest_s=1e6)), []

    class First(ScriptedTextToSpeech):
        name = "first"

        async def speak(self, line):
            asked.append(line)
            raise ProviderDown("down")
            yield

    for _ in range(5):
        tts = ChainedTextToSpeech([First(), voice("second")], circuits)
        held = scene(ScriptedDialogue((GREETING,), REPLIES), tts=tts).hold(WaitForAgent(), HangUp())
        assert agent_lines(held) == [GREETING.text]
    assert len(asked) == 3


def test_a_text_one_voice_cannot_say_does_not_make_it_sick(scene):
    class Picky(ScriptedTextToSpeech):
        name = "picky"

        async def speak(self, line):
            if line == ANSWER:
                raise ProviderRefused("not in the pack")
            async for speech in super().speak(line):
                yield speech

    circuits = Circuits(Rules(failures=1))
    tts = ChainedTextToSpeech([Picky(), voice("second")], circuits)
    held = scene(ScriptedDialogue((GREETING,), REPLIES), ears("e", "what is it"), tts).hold(
        WaitForAgent(), Speak("what is it"), WaitForAgent(1500), HangUp()
    )
    assert agent_lines(held) == [GREETING.text, ANSWER.text]
    assert circuits.admits("picky", 0)


def test_without_any_voice_left_the_call_ends_politely(scene):
    tts = ChainedTextToSpeech([voice("first", fails=True), voice("second", fails=True)])
    held = scene(ScriptedDialogue((GREETING,), REPLIES), tts=tts).hold(WaitForAgent(), Silence(9000))
    assert held.reason == "provider_outage"
    first = held.facts(ProviderFailed)[:2]
    assert [(failed.provider, failed.fallback) for failed in first] == [("first", "second"), ("second", "again")]


def test_F08_what_one_recogniser_did_not_hear_the_next_hears_from_the_tape(scene):
    stt = ChainedSpeechToText([ears("first", fails_at=1), ears("second", "what is it")])
    held = scene(ScriptedDialogue((GREETING,), REPLIES), stt).hold(
        WaitForAgent(), Speak("what is it"), WaitForAgent(1500), HangUp()
    )
    assert held.facts(ProviderFailed) == [
        ProviderFailed("stt", "first", "the scripted speech to text went down", "second", "broken")
    ]
    [said] = held.facts(CallerSaid)
    assert (said.text, said.turn) == ("what is it", 1)
    spoken = held.record.handset.spoken[0]
    assert abs(said.started_ms - spoken.from_ms) <= 250
    assert agent_lines(held) == [GREETING.text, ANSWER.text]
    assert waits(held)[0] <= 2500
    assert held.facts(TurnTimed)


def test_F08_words_that_were_final_are_not_heard_twice(scene):
    replayed = []

    class Half:
        """Final words for what was said so far, and then down in mid-speech."""

        name = "half"

        async def listen(self, sound, expecting):
            async for piece in sound:
                if isinstance(piece, AudioChunk) and piece.at_ms >= 4000:
                    yield Heard("what", True, 0.9, 3200, 3600, self.name)
                    raise ProviderDown("reset")

    class Rest:
        name = "rest"

        async def listen(self, sound, expecting):
            async for piece in sound:
                replayed.append(piece)
                if False:
                    yield

    stt = ChainedSpeechToText([Half(), Rest()])
    scene(ScriptedDialogue((GREETING,), REPLIES), stt).hold(Silence(3000), Speak("what is it all about"), HangUp())
    chunks = [piece for piece in replayed if isinstance(piece, AudioChunk)]
    assert 3580 <= chunks[0].at_ms <= 3600
    ends = [chunk.at_ms + mulaw.duration_ms(chunk.mulaw) for chunk in chunks]
    assert [chunk.at_ms for chunk in chunks[1:]] == ends[:-1]  # all of the rest, each moment once


def test_F08_a_recogniser_without_a_stand_in_gets_the_sound_once_more(scene):
    class Forgetful(ScriptedSpeechToText):
        """Goes down in its first try."""

        async def listen(self, sound, expecting):
            hearing = ScriptedSpeechToText("what is it") if self.tried else ScriptedSpeechToText(fails_at=1)
            self.tried = True
            async for heard in hearing.listen(sound, expecting):
                yield heard

        tried = False

    held = scene(ScriptedDialogue((GREETING,), REPLIES), ChainedSpeechToText([Forgetful()])).hold(
        WaitForAgent(), Speak("what is it"), WaitForAgent(1500), HangUp()
    )
    assert agent_lines(held) == [GREETING.text, ANSWER.text]
    [failed] = held.facts(ProviderFailed)
    assert failed.provider == failed.fallback == "scripted"
    assert waits(held)[0] <= 2500


def test_F13_without_any_recogniser_left_we_apologise_and_end(scene):
    stt = ChainedSpeechToText([ears("first", fails_at=1), ears("second", fails_at=1)])
    held = scene(ScriptedDialogue((GREETING,), REPLIES), stt).hold(WaitForAgent(), Speak("what is it"))
    assert held.reason == "provider_outage"
    assert [(failed.provider, failed.fallback) for failed in held.facts(ProviderFailed)] == [
        ("first", "second"),
        ("second", "apology"),
    ]
    assert waits(held)[0] <= 2500
