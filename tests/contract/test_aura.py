"""Deepgram's Aura through the real SDK, against the server that lives with the exchange."""

import asyncio
import json
from contextlib import aclosing

import pytest
from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from websockets.asyncio.client import connect

from app.dialog.voice import Voice as Wished
from app.errors import ProviderDown, ProviderRefused
from app.exchange.aura import MS_PER_CHAR, AuraServer, SpeechFaults
from app.ports import Say
from app.providers.aura import Account, AuraTextToSpeech, Limits, Voice, make
from app.providers.aura_socket import MOST_FLUSHES
from app.settings import load
from app.telephony import mulaw

pytestmark = pytest.mark.realtime

LINE = Say(("We have a slot on Tuesday.", "Does that work for you?"), "offer")
LENGTH_MS = len(LINE.text) * MS_PER_CHAR


def run(main):
    """For no longer than ten seconds: what hangs must fail here and not stop the suite."""

    async def limited():
        async with asyncio.timeout(10):
            return await main

    return asyncio.run(limited())


def speaker(server, limits=None, voice=None, **account) -> AuraTextToSpeech:
    account = {"key": server.key, "base_url": server.url} | account
    return AuraTextToSpeech(Account(**account), voice, limits or Limits(connect_s=5.0))


async def speak(tts, line=LINE) -> list:
    async with aclosing(tts.speak(line)) as pieces:
        return [speech async for speech in pieces]


def audio_ms(pieces) -> int:
    return sum(mulaw.duration_ms(piece.mulaw) for piece in pieces)


def kinds(connection) -> list[str]:
    return [message["type"] for message in connection.messages]


def test_a_line_is_spoken_and_flushed_and_comes_as_audio():
    async def main():
        async with AuraServer() as server:
            pieces = await speak(speaker(server))
            return pieces, server.connections

    pieces, [connection] = run(main())
    assert audio_ms(pieces) == LENGTH_MS
    assert connection.query == {"model": "aura-2-thalia-en", "encoding": "mulaw", "sample_rate": "8000"}
    assert connection.messages == [{"type": "Speak", "text": LINE.text}, {"type": "Flush"}]


def test_lines_share_a_socket():
    async def main():
        async with AuraServer() as server:
            tts = speaker(server)
            said = [await speak(tts) for _ in range(3)]
            return said, server.connections

    said, [connection] = run(main())
    assert [audio_ms(pieces) for pieces in said] == [LENGTH_MS] * 3
    assert kinds(connection) == ["Speak", "Flush"] * 3


def test_lines_at_the_same_time_have_sockets_of_their_own():
    async def main():
        async with AuraServer() as server:
            tts = speaker(server)
            lines = [Say((text,), "x") for text in ("one two three four five six", "seven eight", "nine")]
            said = await asyncio.gather(*(speak(tts, line) for line in lines))
            return [audio_ms(pieces) for pieces in said], lines, server.connections

    lengths, lines, connections = run(main())
    assert lengths == [len(line.text) * MS_PER_CHAR for line in lines]
    assert len(connections) == 3


def test_an_interruption_clears_and_what_was_on_its_way_is_not_heard_in_the_next_line():
    async def main():
        async with AuraServer() as server:
            tts = speaker(server)
            async with aclosing(tts.speak(Say(("word " * 60,), "long"))) as pieces:
                await anext(pieces)
            return await speak(tts), server.connections

    pieces, [connection] = run(main())
    assert audio_ms(pieces) == LENGTH_MS
    assert kinds(connection) == ["Speak", "Flush", "Clear", "Speak", "Flush"]


def test_a_cancelled_line_is_cleared_and_the_socket_kept():
    async def main():
        async with AuraServer(faults=SpeechFaults(stall_after_ms=300)) as server:
            tts = speaker(server)
            begun = asyncio.Event()

            async def listen():
                async for _ in tts.speak(LINE):
                    begun.set()

            speaking = asyncio.ensure_future(listen())
            await begun.wait()
            speaking.cancel()
            await asyncio.wait([speaking])
            server.faults = SpeechFaults()
            return await speak(tts), server.connections

    pieces, connections = run(main())
    assert audio_ms(pieces) == LENGTH_MS
    assert len(connections) == 1


def test_a_socket_is_not_flushed_more_often_than_is_served():
    async def main():
        async with AuraServer() as server:
            tts = speaker(server)
            said = [await speak(tts, Say(("Yes.",), "x")) for _ in range(MOST_FLUSHES + 2)]
            return said, server.connections

    said, connections = run(main())
    assert {audio_ms(pieces) for pieces in said} == {4 * MS_PER_CHAR}
    assert [kinds(connection).count("Flush") for connection in connections] == [MOST_FLUSHES, 2]


@pytest.mark.parametrize("fault", [{"unknown": True}, {"malformed": True}])
def test_what_cannot_be_read_is_passed_over(fault):
    async def main():
        async with AuraServer(faults=SpeechFaults(**fault)) as server:
            return await speak(speaker(server))

    assert audio_ms(run(main())) == LENGTH_MS


def test_a_socket_lost_in_mid_line_is_continued_over_http():
    async def main():
        async with AuraServer(faults=SpeechFaults(drop_after_ms=900)) as server:
            pieces = await speak(speaker(server, voice=Voice("aura-2-orion-en", speed=1.1)))
            return pieces, server.requests, server.connections

    pieces, [request], [connection] = run(main())
    assert 0 < len(request["text"]) < len(LINE.text)
    assert LINE.text.endswith(request["text"])
    assert audio_ms(pieces) >= LENGTH_MS
    assert (request["model"], request["container"]) == ("aura-2-orion-en", "none")
    assert request["speed"] == connection.query["speed"] == "1.1"


def test_without_sockets_there_is_http_without_the_head_of_a_file():
    async def main():
        async with AuraServer(faults=SpeechFaults(drop_after_ms=0)) as server:
            return await speak(speaker(server)), server.requests

    pieces, [request] = run(main())
    assert request["text"] == LINE.text
    assert audio_ms(pieces) == LENGTH_MS


def test_F12_a_stall_in_mid_sentence_is_continued_over_http():
    async def main():
        async with AuraServer(faults=SpeechFaults(stall_after_ms=900)) as server:
            pieces = await speak(speaker(server, Limits(connect_s=5.0, stall_s=0.3)))
            return pieces, server.requests

    pieces, [request] = run(main())
    assert LINE.text.endswith(request["text"])
    assert audio_ms(pieces) >= LENGTH_MS


@pytest.mark.parametrize(("status", "error"), [(400, ProviderRefused), (401, ProviderRefused), (429, ProviderDown),
                                               (503, ProviderDown)])  # fmt: skip
def test_a_handshake_that_is_not_accepted(status, error):
    async def main():
        async with AuraServer(faults=SpeechFaults(status=status)) as server:
            with pytest.raises(error, match=str(status)) as caught:
                await speak(speaker(server))
            return caught.value.provider_code, server.requests

    assert run(main()) == (status, []), "HTTP would hear the same"


def test_an_error_on_the_socket_is_not_taken_for_the_end_of_the_line():
    """The SDK makes it an instance of its class for the end."""

    async def main():
        async with AuraServer(faults=SpeechFaults(error="NET-0001")) as server:
            return await speak(speaker(server)), server.requests

    pieces, [request] = run(main())
    assert request["text"] == LINE.text
    assert audio_ms(pieces) == LENGTH_MS


def test_the_line_after_a_lost_socket_has_a_new_one():
    async def main():
        async with AuraServer(faults=SpeechFaults(drop_after_ms=900)) as server:
            tts = speaker(server)
            await speak(tts)
            server.faults = SpeechFaults()
            return await speak(tts), server.connections

    pieces, connections = run(main())
    assert audio_ms(pieces) == LENGTH_MS
    assert len(connections) == 2


def test_a_wrong_key_and_a_wrong_voice_are_refused():
    async def main():
        async with AuraServer() as server:
            with pytest.raises(ProviderRefused, match="401"):
                await speak(speaker(server, key="wrong"))
            with pytest.raises(ProviderRefused, match="400"):
                await speak(speaker(server, voice=Voice("nobody")))

    run(main())


def test_a_server_that_is_not_there():
    async def main():
        async with AuraServer() as server:
            tts = speaker(server)
        with pytest.raises(ProviderDown):
            await speak(tts)

    run(main())


def test_the_playbooks_voice_comes_before_the_settings():
    async def main():
        async with AuraServer() as server:
            usual = load(DEEPGRAM_API_KEY=server.key, AURA_BASE_URL=server.url, AURA_VOICE="aura-2-luna-en")
            for wished in (Wished(), Wished(ids=(("aura", "aura-2-zeus-en"),), speed=0.9)):
                tts = make(usual, wished)
                await tts.warm()
                await tts.close()
            return [(seen.query["model"], seen.query.get("speed")) for seen in server.connections]

    assert run(main()) == [("aura-2-luna-en", None), ("aura-2-zeus-en", "0.9")]


def test_whatever_changes_the_sound_changes_the_version():
    versions = {
        AuraTextToSpeech(Account("key"), voice).voice_version
        for voice in (Voice(), Voice("aura-2-zeus-en"), Voice(speed=0.9))
    }
    assert len(versions) == 3


# --- what else the local server does as the real one -----------------------------------------------------------------


def test_the_server_serves_the_sdks_own_way_of_use():
    """With the head of a WAV file when nobody asks to leave it out, and a goodbye."""

    async def main():
        async with AuraServer() as server:
            rest = server.url.replace("ws", "http", 1)
            place = DeepgramClientEnvironment(base=rest, production=server.url, agent=server.url, agent_rest=rest)
            sdk = AsyncDeepgramClient(api_key=server.key, environment=place)
            request = sdk.speak.v1.audio.generate(
                text="Hi.", model="aura-2-thalia-en", encoding="mulaw", sample_rate=8000
            )
            whole = b"".join([piece async for piece in request])
            async with sdk.speak.v1.connect(model="aura-2-thalia-en", encoding="mulaw", sample_rate="8000") as socket:
                await socket.send_close()
                said = [getattr(message, "type", "") async for message in socket]
            return whole, said, server.connections

    whole, said, [connection] = run(main())
    assert whole[:4] + whole[8:12] == b"RIFFWAVE"
    assert len(whole) == 44 + 3 * MS_PER_CHAR * 8
    assert said == ["Metadata"]
    assert connection.closed == (1000, "")


async def frames_until(socket, kind: str) -> list[dict]:
    """Text frames up to the first of a kind."""
    found: list[dict] = []
    while not found or found[-1]["type"] != kind:
        frame = await socket.recv()
        if isinstance(frame, str):
            found.append(json.loads(frame))
    return found


def test_the_server_ignores_flushes_beyond_its_limit_and_says_so():
    async def main():
        async with AuraServer() as server:
            url = f"{server.url}/v1/speak?model=aura-2-thalia-en&encoding=mulaw&sample_rate=8000"
            headers = {"Authorization": f"Token {server.key}"}
            async with connect(url, additional_headers=headers, max_queue=None) as socket:
                for _ in range(MOST_FLUSHES + 1):
                    await socket.send('{"type":"Speak","text":"a"}')
                    await socket.send('{"type":"Flush"}')
                return await frames_until(socket, "Warning")

    assert run(main())[-1]["description"] == "Flushed too often."


def test_the_server_hangs_up_on_nonsense():
    async def main():
        async with AuraServer() as server:
            url = f"{server.url}/v1/speak?model=aura-2-thalia-en&encoding=mulaw&sample_rate=8000"
            async with connect(url, additional_headers={"Authorization": f"Token {server.key}"}) as socket:
                await socket.send('{"type":"Sing"}')
                await frames_until(socket, "Error")
                await socket.wait_closed()
                return socket.close_code

    assert run(main()) == 1008
