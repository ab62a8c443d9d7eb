"""A whole call in real time over real sockets: Deepgram's SDK and the ElevenLabs client against their local servers."""

import asyncio

import pytest

from app.dialog.events import AgentHeard, CallerSaid, ProviderFailed, Underrun
from app.exchange.aura import AuraServer
from app.exchange.deepgram import DeepgramServer, ListenFaults
from app.exchange.elevenlabs import ElevenLabsServer, SpeechFaults
from app.exchange.personas import HangUp, Persona, Speak, WaitForAgent
from app.exchange.sound import murmured
from app.ports import Say
from app.providers import aura, deepgram, elevenlabs
from app.providers.chain import ChainedSpeechToText, ChainedTextToSpeech
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, ScriptedTextToSpeech, script

pytestmark = pytest.mark.realtime

ANSWER = Say(("About twelve thousand dollars.",), "answer:price")
QUESTION = "what does it cost"


async def call(scene, ears: DeepgramServer, mouth: ElevenLabsServer):
    async with asyncio.timeout(20), ears, mouth:
        stt = deepgram.DeepgramSpeechToText(deepgram.Account(ears.key, ears.url))
        tts = elevenlabs.ElevenLabsTextToSpeech(
            elevenlabs.Account(mouth.key, mouth.url), elevenlabs.Voice(mouth.voice), elevenlabs.Limits(stall_s=60)
        )
        await tts.warm()
        held = scene(
            ScriptedDialogue((), script({QUESTION: (ANSWER,)})),
            ChainedSpeechToText([stt, ScriptedSpeechToText()]),
            ChainedTextToSpeech([tts, ScriptedTextToSpeech()]),
        )
        script_of_caller = (Speak(QUESTION), WaitForAgent(600), HangUp())
        done = await held.hold_in_real_time(Persona("ask the price", "murmur", murmured, script_of_caller))
        await tts.close()
        return done


def test_F07_F12_a_reset_while_listening_and_a_stall_while_speaking(scene):
    ears = DeepgramServer(QUESTION, faults=ListenFaults(reset_after_ms=700))
    mouth = ElevenLabsServer(faults=SpeechFaults(stall_after_ms=900))
    held = asyncio.run(call(scene, ears, mouth))
    assert len(ears.connections) == 2
    assert [said.provider for said in held.facts(CallerSaid)] == ["deepgram"]  # the right words: the answer is to them
    [heard] = held.facts(AgentHeard)
    assert (heard.heard_text, heard.complete) == (ANSWER.text, True)
    [failed] = held.facts(ProviderFailed)
    assert (failed.stage, failed.provider, failed.fallback) == ("tts", "elevenlabs", "scripted")


def test_F12_the_second_voice_goes_on_where_the_first_stalled(scene):
    """Aura tells no word times: the ledger still knows that the whole line was heard."""

    async def main():
        mouth, second = ElevenLabsServer(faults=SpeechFaults(stall_after_ms=900)), AuraServer()
        async with asyncio.timeout(20), mouth, second:
            first = elevenlabs.ElevenLabsTextToSpeech(
                elevenlabs.Account(mouth.key, mouth.url), elevenlabs.Voice(mouth.voice)
            )
            other = aura.AuraTextToSpeech(aura.Account(second.key, second.url))
            await first.warm()
            held = scene(
                ScriptedDialogue((), script({QUESTION: (ANSWER,)})),
                ScriptedSpeechToText(QUESTION),
                ChainedTextToSpeech([first, other]),
            )
            caller = (Speak(QUESTION), WaitForAgent(600), HangUp())
            done = await held.hold_in_real_time(Persona("ask the price", "murmur", murmured, caller))
            await first.close()
            await other.close()
            return done

    held = asyncio.run(main())
    [heard] = held.facts(AgentHeard)
    assert (heard.heard_text, heard.complete) == (ANSWER.text, True)
    [failed] = held.facts(ProviderFailed)
    assert (failed.provider, failed.fallback, failed.kind) == ("elevenlabs", "aura", "late")
    assert all(underrun.gap_ms <= 2500 for underrun in held.facts(Underrun))
