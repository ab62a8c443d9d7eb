"""STROWGER_TTS=elevenlabs,aura: the second voice goes on where the first stopped, each through its real client."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from app.dialog.events import ProviderFailed
from app.exchange.aura import AuraServer
from app.exchange.elevenlabs import ElevenLabsServer, SpeechFaults
from app.ports import Say
from app.providers.aura import Account as DeepgramAccount
from app.providers.aura import AuraTextToSpeech
from app.providers.chain import ChainedTextToSpeech
from app.providers.elevenlabs import Account, ElevenLabsTextToSpeech, Voice

pytestmark = pytest.mark.realtime

LINE = Say(("We have a slot on Tuesday.", "Does that work for you?"), "offer")


async def speak(faults: SpeechFaults) -> tuple[list[str], list[ProviderFailed], AuraServer, str]:
    """The words the first voice placed, who failed, the second server, and whose voice it is in the end."""
    async with asyncio.timeout(20), ElevenLabsServer(faults=faults) as first, AuraServer() as second:
        voices = (
            ElevenLabsTextToSpeech(Account(first.key, first.url), Voice(first.voice)),
            AuraTextToSpeech(DeepgramAccount(second.key, second.url)),
        )
        chain, failed, said = ChainedTextToSpeech(voices), [], []
        chain.report_to(failed.append)
        async with aclosing(chain.speak(LINE)) as pieces:  # type: ignore[type-var]
            async for speech in pieces:
                said += [word.text for word in speech.words]
        version = chain.voice_version
        assert version in {voice.voice_version for voice in voices}
        for voice in voices:
            await voice.close()
        return said, failed, second, "aura" if version == voices[1].voice_version else "elevenlabs"


def asked(server: AuraServer) -> list[str]:
    return [message["text"] for seen in server.connections for message in seen.messages if "text" in message]


def test_F12_a_stall_in_mid_sentence_is_gone_on_from_in_the_second_voice() -> None:
    said, [failed], second, voice = asyncio.run(speak(SpeechFaults(stall_after_ms=900)))
    assert said
    assert said == LINE.text.split()[: len(said)]
    [rest] = asked(second)
    assert LINE.text.endswith(rest), "whole parts: some voices can say nothing else"
    assert len(said) + len(rest.split()) >= len(LINE.text.split()), "no word is left out"
    assert (failed.provider, failed.fallback, failed.kind) == ("elevenlabs", "aura", "late")
    assert voice == "aura"


@pytest.mark.parametrize("status", [401, 429, 503])
def test_F13_a_voice_that_is_not_to_be_had_is_replaced_for_the_whole_line(status: int) -> None:
    said, [failed], second, voice = asyncio.run(speak(SpeechFaults(status=status)))
    assert said == []
    assert asked(second) == [LINE.text]
    assert failed.fallback == voice == "aura"


def test_a_voice_that_is_well_keeps_the_line() -> None:
    said, failed, second, voice = asyncio.run(speak(SpeechFaults()))
    assert said == LINE.text.split()
    assert (failed, asked(second), voice) == ([], [], "elevenlabs")
