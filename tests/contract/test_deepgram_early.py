"""Connections to Deepgram that are open before their call comes, against the server that lives with the exchange."""

import asyncio
from contextlib import aclosing
from datetime import date

import pytest

from app import playbooks
from app.dialog.playbook import parse
from app.exchange.deepgram import DeepgramServer, ListenFaults
from app.exchange.elevenlabs import ElevenLabsServer
from app.exchange.sound import murmur
from app.ports import AudioChunk, Expectation, VoiceOff, VoiceOn
from app.providers.deepgram import Account, DeepgramSpeechToText, Limits, Wishes
from app.providers.meter import Meter
from app.providers.registry import Providers
from app.providers.warmth import Warmth
from app.settings import load
from app.telephony import mulaw

pytestmark = pytest.mark.realtime

TEXT = "I would like a quote please"
VOICE_MS = 300 * len(TEXT.split())


def run(main):
    async def limited():
        async with asyncio.timeout(10):
            return await main

    return asyncio.run(limited())


async def sound():
    """From the first moment of a call; faster than on the telephone."""
    at_ms = 0
    for frame in mulaw.frames(mulaw.silence(400) + murmur(VOICE_MS) + mulaw.silence(600)):
        yield AudioChunk(frame, at_ms)
        at_ms += 20
        if at_ms == 520:
            yield VoiceOn(400)
        if at_ms == 400 + VOICE_MS + 240:
            yield VoiceOff(400 + VOICE_MS)
        await asyncio.sleep(0.001)


async def heard_by(stt) -> list:
    async with aclosing(stt.listen(sound(), Expectation)) as words:
        return [heard async for heard in words if heard.final and heard.text]


def hearer(server, model="nova-3", **limits) -> DeepgramSpeechToText:
    return DeepgramSpeechToText(Account(server.key, server.url), Wishes(model), Limits(**limits))


async def until(true) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize("model", ["nova-3", "flux-general-en"])
def test_the_connection_of_a_ringing_call_is_the_one_it_listens_with(model):
    async def main():
        async with DeepgramServer(TEXT) as server, Warmth() as warmth:
            server.idle_s = 0.3  # a connection nobody keeps alive is gone before the call comes
            stt = hearer(server, model, rest_s=0.05)
            warmth.expect("CA1", stt)
            await until(lambda: server.connections)
            await asyncio.sleep(0.6)
            [connection] = server.connections
            assert connection.closed is None
            signs, silence = list(connection.controls), bytes(connection.audio)
            heard = await heard_by(warmth.take("CA1", stt))
            return heard, len(server.connections), signs, silence

    [heard], connections, signs, silence = run(main())
    assert connections == 1
    assert (heard.text, heard.ended_ms) == (TEXT, 400 + VOICE_MS)  # the time of the call, not of the connection
    if model == "nova-3":
        assert set(signs) == {"KeepAlive"}
        assert silence == b""  # sound is paid for
    else:
        assert signs == []
        assert 40 <= mulaw.duration_ms(silence) <= 400
        assert silence == mulaw.silence(mulaw.duration_ms(silence))


def test_providers_connect_for_a_ringing_call_and_hand_over_what_they_opened(tmp_path):
    """And nothing that goes wrong meanwhile counts against anybody."""
    text = playbooks.text_of("northlight_solar")
    playbook = parse(text, "northlight_solar.yaml")

    async def main():
        async with DeepgramServer(TEXT) as server, ElevenLabsServer() as mouth:
            keys = {
                "DEEPGRAM_API_KEY": server.key,
                "DEEPGRAM_BASE_URL": server.url,
                "ELEVENLABS_API_KEY": mouth.key,
                "ELEVENLABS_BASE_URL": mouth.url,
                "ELEVENLABS_VOICE_ID": mouth.voice,
            }
            asked = {"STROWGER_STT": "deepgram", "STROWGER_TTS": "elevenlabs", "STROWGER_LLM": "playbook"}
            providers = Providers(load(**keys, **asked, data_dir=tmp_path))
            async with providers.warmth as warmth:
                server.faults = ListenFaults(status=503)
                await providers.expect(playbook, "CA0")
                await until(lambda: not warmth.waiting)
                server.faults = ListenFaults()
                await providers.expect(playbook, "CA1")
                await providers.expect(playbook, "CA1")
                await until(lambda: server.open == 1)
                opened = len(server.connections), len(mouth.connections)
                meter = Meter()
                trio = providers.trio(playbook, today=date(2026, 11, 21), direction="inbound", meter=meter, call="CA1")
                heard = await heard_by(trio.stt)
                await providers.close()
            return heard, opened, len(server.connections), providers.fuses.given_up(0.0), meter.used()

    [heard], opened, connections, given_up, used = run(main())
    assert heard.text == TEXT
    assert opened == (1, 1)
    assert connections == 1
    assert given_up == {}
    assert [(each.provider, each.amount) for each in used] == [("deepgram", 400 + VOICE_MS + 600)]


def test_a_call_that_comes_during_the_handshake_waits_for_it():
    async def main():
        async with DeepgramServer(TEXT) as server, Warmth() as warmth:
            stt = hearer(server)
            warmth.expect("CA1", stt)
            assert not server.connections
            return await heard_by(warmth.take("CA1", stt)), len(server.connections)

    [heard], connections = run(main())
    assert (heard.text, connections) == (TEXT, 1)


def test_a_call_that_does_not_come_leaves_nothing_behind():
    async def main():
        async with DeepgramServer(TEXT) as server, Warmth(limit_s=0.2) as warmth:
            warmth.expect("CA1", hearer(server))
            await until(lambda: server.open == 1)
            await until(lambda: server.open == 0)
            return warmth.waiting, server.connections

    waiting, [connection] = run(main())
    assert waiting == ()
    assert (bytes(connection.audio), connection.controls) == (b"", [])


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_handshake_that_fails_while_it_rings_changes_nothing_for_the_call(status):
    async def main():
        async with DeepgramServer(TEXT, faults=ListenFaults(status=status)) as server, Warmth() as warmth:
            stt = hearer(server, attempts=1)
            warmth.expect("CA1", stt)
            await until(lambda: not warmth.waiting)
            server.faults = ListenFaults()
            return await heard_by(warmth.take("CA1", stt))

    [heard] = run(main())
    assert heard.text == TEXT


def test_a_connection_lost_just_before_the_call_is_nobodys_failure():
    """Noticed by the call itself, which then connects as it would have done."""

    async def main():
        async with DeepgramServer(TEXT) as server, Warmth() as warmth:
            server.idle_s = 0.1
            stt = hearer(server, rest_s=60, attempts=1)
            warmth.expect("CA1", stt)
            await until(lambda: server.connections and server.connections[0].closed)
            server.idle_s = 10.0
            assert warmth.waiting == ("CA1",)
            return await heard_by(warmth.take("CA1", stt)), len(server.connections)

    [heard], connections = run(main())
    assert (heard.text, connections) == (TEXT, 2)
