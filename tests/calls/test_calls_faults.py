import asyncio
import time
from itertools import count

import pytest

from app.call.bridge import Limits
from app.dialog.events import AgentHeard, CallEnded, ProviderFailed
from app.dialog.patience import Patience
from app.dialog.transcript import transcript_of
from app.errors import ProviderDown
from app.exchange.faults import Faults
from app.exchange.media import REAL_TIME
from app.exchange.personas import HangUp, HangUpMidWord, Silence, Speak, WaitForAgent
from app.ports import Closing, Finish, Say
from app.providers.scripted import (
    ScriptedDialogue,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    script,
)

GREETING = Say(("Hello, this is Northlight, how can I help you?",), "disclosure:recording")
END = (Say(("Goodbye then.",), "goodbye"), Finish("finished"))
ANSWER = (Say(("Here is your answer.",), "answer:it"),)


def gap_after_caller(held, nth: int = 0) -> int:
    """From the end of what the caller said to the next sound of the agent's."""
    spoken = held.record.handset.spoken[nth]
    return next(heard.from_ms for heard in held.record.handset.heard if heard.to_ms > spoken.to_ms) - spoken.to_ms


# --- the line ---------------------------------------------------------------------------------------------------------


def test_hanging_up_in_mid_word_of_the_caller(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue).hold(WaitForAgent(), HangUpMidWord("I would like to"))
    assert held.reason == "caller_hung_up"
    assert held.facts(CallEnded) == [CallEnded("caller_hung_up")]


def test_hanging_up_in_mid_word_of_the_agent_settles_the_ledger(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue).hold(Silence(1400), HangUp())
    assert held.reason == "caller_hung_up"
    [heard] = held.facts(AgentHeard)
    assert not heard.complete
    assert 1200 <= heard.heard_ms <= 1420
    assert heard.heard_text == "Hello, this is Northlight,"  # 300 ms a word
    assert dialogue.heard_lines[0].heard_text == heard.heard_text


def test_a_lost_stop_is_noticed_by_the_broken_socket(scene):
    held = scene(ScriptedDialogue((GREETING,), script({})), faults=Faults(lost_stop=True)).hold(
        WaitForAgent(), HangUp()
    )
    assert held.reason == "media_lost"


def test_F19_a_reset_socket_ends_the_conversation_as_lost(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue, faults=Faults(reset_socket_after_ms=1500)).hold()
    assert held.reason == "media_lost"
    assert not held.facts(AgentHeard)[0].complete


def test_F16_a_connection_that_died_without_a_word_is_noticed_in_five_seconds(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue, faults=Faults(freeze_socket_after_ms=6000)).hold(Silence(30_000), HangUp())
    assert held.reason == "media_lost"
    assert 10_500 <= held.entries[-1].at_ms <= 11_500


def test_F17_a_carrier_that_reads_slowly_has_five_seconds_in_front_of_it_at_most_and_a_clear_at_once_when_it_is_free(
    scene,
):
    long = Say((" ".join(["and so on"] * 120) + ".",), "answer:it")
    dialogue = ScriptedDialogue((long,), script({"stop": ANSWER}))
    faults = Faults(slow_read_ms=(2000, 42_000))
    held = scene(dialogue, ScriptedSpeechToText("stop please"), faults=faults).hold(
        Silence(38_000), Speak("stop please"), Silence(10_000), HangUp()
    )
    stream = held.record.streams[0]
    assert 20_000 < stream.piled_bytes < 5 * REAL_TIME
    assert [at for at in stream.clears_at if stream.freed_at <= at <= stream.freed_at + 0.3]
    assert held.facts(AgentHeard)[-1].complete  # the answer, which goes on from there


@pytest.mark.parametrize("hours", [-1, 1])
def test_F25_no_timer_of_a_call_goes_by_the_wall_clock(scene, monkeypatch, hours):
    """Which jumps there and back whenever somebody looks at it."""

    def call():
        dialogue = ScriptedDialogue((GREETING,), script({"hello": ANSWER, "bye": END}))
        stt = ScriptedSpeechToText("hello there", "bye")
        return scene(dialogue, stt).hold(WaitForAgent(), Speak("hello there"), WaitForAgent(), Silence(20_000)).entries

    usual = call()
    at, looks = time.time(), count()
    monkeypatch.setattr(time, "time", lambda: at + hours * 3600 * (next(looks) % 2))
    assert call() == usual


def test_T02_a_flood_closes_the_socket(scene):
    held = scene(ScriptedDialogue((GREETING,), script({})), limits=Limits(frames_per_s=20, burst=50)).hold()
    assert held.reason == "media_lost"
    assert held.entries[-1].at_ms <= 3000


# --- the parts --------------------------------------------------------------------------------------------------------


def test_F13_without_speech_to_text_we_apologise_and_end(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue, ScriptedSpeechToText("x", fails_at=1)).hold(WaitForAgent(), Speak("hello there"))
    assert held.reason == "provider_outage"
    assert held.facts(ProviderFailed)[0].stage == "stt"
    assert dialogue.turns == [Closing(1, "provider_outage")]
    assert gap_after_caller(held) <= 2500


def test_F10_a_slow_first_token_is_covered_by_a_filler_and_then_given_up(scene):
    dialogue = ScriptedDialogue((GREETING,), script({"what": ANSWER, "again": ANSWER}), delay_ms=8000)
    held = scene(dialogue, ScriptedSpeechToText("what")).hold(
        WaitForAgent(), Speak("what is it"), Silence(12_000), HangUp()
    )
    assert [line.text for line in transcript_of(held.entries)][1:4] == [
        "what",
        "One moment.",
        "Could you say that again?",
    ]
    assert gap_after_caller(held) <= 2500
    assert held.facts(ProviderFailed)[0].stage == "dialogue"
    assert "Here is your answer." not in [line.text for line in transcript_of(held.entries)]
    assert max_dead_air(held) <= 4000


def test_F10_a_reply_that_was_given_up_is_over_and_does_not_hold_the_call(scene):
    class Hanging(ScriptedDialogue):
        async def answer(self, turn):
            if not self.turns:
                self.turns.append(turn)
                await asyncio.get_running_loop().create_future()
            async for move in ScriptedDialogue.answer(self, turn):
                yield move

    held = scene(Hanging((GREETING,), script({})), ScriptedSpeechToText("what")).hold(
        WaitForAgent(), Speak("what is it")
    )
    assert held.reason == "silence"
    assert held.record.tape.ms <= 45_000


def test_P2_a_reply_in_time_needs_no_filler(scene):
    dialogue = ScriptedDialogue((GREETING,), script({"what": END}), delay_ms=900)
    held = scene(dialogue, ScriptedSpeechToText("what"), ScriptedTextToSpeech(delay_ms=300)).hold(
        WaitForAgent(), Speak("what is it")
    )
    assert [line.text for line in transcript_of(held.entries)] == [GREETING.text, "what", "Goodbye then."]


def test_F12_text_to_speech_that_stalls_in_a_sentence_is_replaced(scene):
    dialogue = ScriptedDialogue((), script({"what": ANSWER}))
    held = scene(dialogue, ScriptedSpeechToText("what"), ScriptedTextToSpeech(stalls_at=2)).hold(
        Speak("what is it"), Silence(6000), HangUp()
    )
    assert [line.text for line in transcript_of(held.entries)] == ["Here is", "Could you say that again?"]
    assert held.facts(ProviderFailed)[0].stage == "tts"
    assert max_dead_air(held) <= 2500


def test_F13_text_to_speech_down_ends_the_call_with_ready_lines(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue, ScriptedSpeechToText("what"), ScriptedTextToSpeech(fails=True)).hold(
        WaitForAgent(), Speak("what is it"), Silence(9000)
    )
    assert held.reason == "provider_outage"
    assert [line.text for line in transcript_of(held.entries) if line.by == "agent"] == [
        "Could you say that again?",
        "We will call you back. Goodbye.",
    ]
    assert gap_after_caller(held) <= 2500


def test_an_underrun_is_in_the_log(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue, tts=ScriptedTextToSpeech(ms_per_word=300, pace_ms=400)).hold(WaitForAgent(1500), HangUp())
    kinds = [type(entry.fact).__name__ for entry in held.entries]
    assert "Underrun" in kinds
    assert len(held.gaps) == 8


def test_audio_that_comes_at_the_pace_of_speech_has_no_gaps(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue, tts=ScriptedTextToSpeech(ms_per_word=300, pace_ms=280)).hold(WaitForAgent(1500), HangUp())
    assert held.gaps == []
    assert "Underrun" not in [type(entry.fact).__name__ for entry in held.entries]


# --- ending from outside ----------------------------------------------------------------------------------------------


def test_F20_a_drain_says_goodbye_even_in_mid_word(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue, end_after_s=(1.0, "drained")).hold(Silence(20_000))
    assert held.reason == "drained"
    assert [line.text for line in transcript_of(held.entries)] == ["Hello, this is", "Goodbye."]
    assert dialogue.heard_lines[-1].complete


def test_F20_a_drain_that_cannot_wait_closes_the_log(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue, cancel_after_s=1.3).hold(Silence(20_000))
    assert held.reason == "cancelled"
    assert held.entries[-1].fact == CallEnded("drained")
    assert 1000 <= held.facts(AgentHeard)[0].heard_ms <= 1300


@pytest.mark.parametrize("goodbye_ms", [3000])
def test_a_goodbye_has_a_limit_too(scene, goodbye_ms):
    endless = ScriptedDialogue((GREETING,), lambda turn: (Say(("word " * 100,), "goodbye"), Finish("finished")))
    held = scene(endless, end_after_s=(5.0, "drained"), patience=Patience(goodbye_ms=goodbye_ms)).hold(Silence(60_000))
    assert held.reason == "drained"
    assert held.entries[-1].at_ms <= 8100


def max_dead_air(held) -> int:
    """The longest silence on both sides between the caller's first word and the agent's last."""
    first = held.record.handset.spoken[0].to_ms
    sounds = sorted(
        (stretch.from_ms, stretch.to_ms) for stretch in (*held.record.handset.heard, *held.record.handset.spoken)
    )
    longest, quiet_from = 0, first
    for from_ms, to_ms in sounds:
        if to_ms > first:
            longest = max(longest, from_ms - quiet_from)
            quiet_from = max(quiet_from, to_ms)
    return longest


def test_without_voice_activity_keys_and_hanging_up_are_still_noticed(scene):
    class Deaf:
        async def watch(self, audio):
            async for chunk in audio:
                if chunk.at_ms > 2000:
                    raise ProviderDown("the model is gone")
                yield chunk

    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue, voice=Deaf()).hold(Silence(2150), HangUp())
    assert held.reason == "caller_hung_up"
    assert held.facts(ProviderFailed)[0].stage == "vad"
    assert dialogue.turns == [Closing(1, "provider_outage")]


def test_F09_a_dialogue_that_fails_asks_again_once_and_then_apologises(scene):
    def down(turn):
        raise ProviderDown("429")

    held = scene(ScriptedDialogue((GREETING,), down), ScriptedSpeechToText("what", "what")).hold(
        WaitForAgent(), Speak("what is it"), WaitForAgent(), Speak("what is it"), Silence(9000)
    )
    assert held.reason == "provider_outage"
    assert [line.text for line in transcript_of(held.entries) if line.by == "agent"][1:] == [
        "Could you say that again?",
        "We will call you back. Goodbye.",
    ]
    assert [gap_after_caller(held, nth) <= 2500 for nth in (0, 1)] == [True, True]


def test_F08_speech_to_text_that_says_nothing_is_asked_around_and_given_up(scene):
    dialogue = ScriptedDialogue((GREETING,), script({}))
    held = scene(dialogue, ScriptedSpeechToText(*[None] * 20)).hold(
        *[step for _ in range(10) for step in (WaitForAgent(), Speak("can you hear me"))]
    )
    assert held.reason == "silence"
    assert [turn.text for turn in dialogue.turns[:-1]] == [""] * 6
    assert max_dead_air(held) <= 2500
