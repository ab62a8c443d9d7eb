"""ElevenLabs through the real client, against the server that lives with the exchange."""

import asyncio
import json
from base64 import b64decode
from contextlib import aclosing

import pytest
from elevenlabs.client import ElevenLabs
from elevenlabs.types import (
    CloseContext,
    FlushContext,
    InitializeConnectionMulti,
    KeepContextAlive,
    RealtimeVoiceSettings,
    SendTextMulti,
)
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.dialog import voice as playbook
from app.errors import ProviderDown, ProviderRefused
from app.exchange.elevenlabs import MS_PER_CHAR, ElevenLabsServer, SpeechFaults
from app.ports import Say
from app.providers.elevenlabs import Account, ElevenLabsTextToSpeech, Limits, Voice, make, written
from app.settings import load
from app.telephony import mulaw

pytestmark = pytest.mark.realtime

LINE = Say(("We have a slot on Tuesday.", "Does that work for you?"), "offer")


def run(main):
    """For no longer than ten seconds: what hangs must fail here and not stop the suite."""

    async def limited():
        async with asyncio.timeout(10):
            return await main

    return asyncio.run(limited())


def speaker(server, limits=None, **account) -> ElevenLabsTextToSpeech:
    account = {"key": server.key, "base_url": server.url} | account
    return ElevenLabsTextToSpeech(Account(**account), Voice(server.voice), limits)


async def speak(tts, line=LINE) -> list:
    async with aclosing(tts.speak(line)) as pieces:
        return [speech async for speech in pieces]


def audio_ms(pieces) -> int:
    return sum(mulaw.duration_ms(piece.mulaw) for piece in pieces)


def words_of(pieces) -> list[tuple[str, int, int]]:
    found, at_ms = [], 0
    for piece in pieces:
        found += [(word.text, at_ms + word.started_ms, at_ms + word.ended_ms) for word in piece.words]
        at_ms += mulaw.duration_ms(piece.mulaw)
    return found


def test_a_line_comes_as_audio_with_the_times_of_its_words():
    async def main():
        async with ElevenLabsServer() as server:
            return await speak(speaker(server)), server.connections

    pieces, [connection] = run(main())
    assert audio_ms(pieces) == (len(LINE.text) + 1) * MS_PER_CHAR
    words = words_of(pieces)
    assert [text for text, _, _ in words] == LINE.text.split()
    at = 0
    for text, started_ms, ended_ms in words:
        assert ended_ms == (at + len(text)) * MS_PER_CHAR
        assert at * MS_PER_CHAR <= started_ms < ended_ms
        at += len(text) + 1
    assert connection.query["output_format"] == "ulaw_8000"
    assert connection.messages[0]["text"] == " "
    assert connection.messages[0]["voice_settings"]["stability"] == 0.5
    assert connection.messages[1]["text"].endswith(" ")


def test_the_playbooks_voice_comes_before_the_settings():
    """On the socket and over HTTP: voice, model, language and settings."""
    wished = playbook.Voice(
        ids=(("elevenlabs", "voice-1"), ("aura", "other")),
        model="eleven_turbo_v2_5",
        language="es",
        speed=1.1,
        style=0.3,
    )

    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(drop_after_ms=0)) as server:
            usual = load(ELEVENLABS_API_KEY=server.key, ELEVENLABS_BASE_URL=server.url, ELEVENLABS_VOICE_ID="somebody")
            await speak(make(usual, wished))
            return server.connections, server.requests

    [connection], [request] = run(main())
    settings = {"stability": 0.5, "similarity_boost": 0.75, "style": 0.3, "use_speaker_boost": False, "speed": 1.1}
    assert connection.messages[0]["voice_settings"] == request["voice_settings"] == settings
    assert connection.query["model_id"] == request["model_id"] == "eleven_turbo_v2_5"
    assert connection.query["language_code"] == request["language_code"] == "es"


def test_a_model_that_knows_no_languages_is_told_none():
    async def main():
        async with ElevenLabsServer() as server:
            voice = Voice(server.voice, model="eleven_multilingual_v2", language="es")
            await speak(ElevenLabsTextToSpeech(Account(server.key, server.url), voice))
            return server.connections

    [connection] = run(main())
    assert "language_code" not in connection.query


def test_whatever_changes_the_sound_changes_the_version():
    def version(**changes) -> str:
        return ElevenLabsTextToSpeech(Account("key"), Voice(**{"voice_id": "v"} | changes)).voice_version

    changed = [{"voice_id": "w"}, {"model": "m"}, {"speed": 1.1}, {"style": 0.1}, {"language": "es"}]
    assert len({version(), *(version(**change) for change in changed)}) == 6
    assert version() == version()


def test_lines_share_a_socket_and_each_has_its_own_context():
    async def main():
        async with ElevenLabsServer() as server:
            tts = speaker(server)
            for _ in range(3):
                await speak(tts)
            return server.connections

    [connection] = run(main())
    assert len({message["context_id"] for message in connection.messages}) == 3
    assert sum(bool(message.get("close_context")) for message in connection.messages) == 3


def test_lines_at_the_same_time_do_not_get_each_others_audio():
    async def main():
        async with ElevenLabsServer() as server:
            tts = speaker(server)
            lines = [Say((text,), "x") for text in ("one two three four five six", "seven eight", "nine ten eleven")]
            said = await asyncio.gather(*(speak(tts, line) for line in lines))
            return lines, said, server.connections

    lines, said, connections = run(main())
    assert [[word for word, _, _ in words_of(pieces)] for pieces in said] == [line.text.split() for line in lines]
    assert len(connections) == 3


def test_an_interruption_closes_the_context_and_keeps_the_socket():
    """Audio that still comes for the line given up is not heard in the next."""

    async def main():
        async with ElevenLabsServer() as server:
            tts = speaker(server)
            async with aclosing(tts.speak(Say(("word " * 60,), "long"))) as pieces:
                await anext(pieces)
            return await speak(tts), server.connections

    pieces, [connection] = run(main())
    assert [word for word, _, _ in words_of(pieces)] == LINE.text.split()
    first = connection.messages[0]["context_id"]
    assert sum(bool(m.get("close_context")) and m["context_id"] == first for m in connection.messages) == 2


def test_a_cancelled_line_lets_its_context_go():
    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(stall_after_ms=300)) as server:
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
    assert [word for word, _, _ in words_of(pieces)] == LINE.text.split()
    assert len(connections) == 1


@pytest.mark.parametrize("fault", [{"unknown": True}, {"malformed": True}])
def test_what_cannot_be_read_is_passed_over(fault):
    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(**fault)) as server:
            return await speak(speaker(server))

    assert audio_ms(run(main())) == (len(LINE.text) + 1) * MS_PER_CHAR


def test_a_socket_lost_in_mid_line_is_continued_over_http():
    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(drop_after_ms=900)) as server:
            return await speak(speaker(server)), server.requests

    pieces, [request] = run(main())
    said = [word for word, _, _ in words_of(pieces)]
    assert said
    assert [*said, *request["text"].split()] == LINE.text.split()
    assert audio_ms(pieces) >= len(LINE.text) * MS_PER_CHAR


def test_without_sockets_there_is_http():
    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(drop_after_ms=0)) as server:
            return await speak(speaker(server)), server.requests

    pieces, [request] = run(main())
    assert request["text"] == LINE.text
    assert request["model_id"] == "eleven_flash_v2_5"
    assert audio_ms(pieces) == len(LINE.text) * MS_PER_CHAR


@pytest.mark.parametrize(("status", "error"), [(401, ProviderRefused), (404, ProviderRefused), (429, ProviderDown),
                                               (503, ProviderDown)])  # fmt: skip
def test_a_handshake_that_is_not_accepted(status, error):
    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(status=status)) as server:
            with pytest.raises(error, match=str(status)) as caught:
                await speak(speaker(server))
            return caught.value.provider_code

    assert run(main()) == status


@pytest.mark.parametrize(("name", "error"), [("quota_exceeded", ProviderRefused)])
def test_an_error_on_the_socket(name, error):
    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(error=name)) as server:
            with pytest.raises(error, match=name):
                await speak(speaker(server))

    run(main())


def test_F12_a_stall_in_mid_sentence_is_continued_over_http():
    """Meanwhile the context is kept alive, in case it was only slow."""

    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(stall_after_ms=900)) as server:
            pieces = await speak(speaker(server, Limits(stall_s=0.4, keep_alive_s=0.1)))
            return pieces, server.requests, server.connections

    pieces, [request], [connection] = run(main())
    assert [*(word for word, _, _ in words_of(pieces)), *request["text"].split()] == LINE.text.split()
    assert sum(message.get("text") == "" for message in connection.messages) >= 1


def test_the_line_after_a_lost_socket_has_a_new_one():
    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(drop_after_ms=900)) as server:
            tts = speaker(server)
            await speak(tts)
            server.faults = SpeechFaults()
            return await speak(tts), server.connections

    pieces, connections = run(main())
    assert [word for word, _, _ in words_of(pieces)] == LINE.text.split()
    assert len(connections) == 2


def test_a_wrong_key_and_a_wrong_voice_are_refused():
    async def main():
        async with ElevenLabsServer() as server:
            with pytest.raises(ProviderRefused, match="401"):
                await speak(speaker(server, key="wrong"))
            with pytest.raises(ProviderRefused, match="404"):
                await speak(ElevenLabsTextToSpeech(Account(server.key, server.url), Voice("nobody")))

    run(main())


def test_a_server_that_is_not_there():
    async def main():
        async with ElevenLabsServer() as server:
            tts = speaker(server)
        with pytest.raises(ProviderDown):
            await speak(tts)

    run(main())


@pytest.mark.parametrize(
    "message",
    [
        InitializeConnectionMulti(text=" ", voice_settings=RealtimeVoiceSettings(stability=0.5), context_id="c1"),
        SendTextMulti(text='He said "yes", naïvely. ', context_id="c1"),
        FlushContext(context_id="c1", flush=True),
        CloseContext(context_id="c1", close_context=True),
        KeepContextAlive(text="", context_id="c1"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_is_sent_is_what_the_sdk_would_write(message):
    """Our own server, which the other tests talk to, might take too much."""
    assert json.loads(written(message)) == json.loads(message.json())


# --- what else the local server does as the real one -----------------------------------------------------------------


def test_the_server_talks_to_the_sdks_own_realtime_client():
    async def main():
        async with ElevenLabsServer() as server:
            sdk = ElevenLabs(api_key=server.key)
            sdk.text_to_speech._ws_base_url = server.url.replace("ws", "http", 1)  # otherwise wss:// whatever we say

            def convert() -> int:
                texts = iter(["We have a slot. ", "Does that work? "])
                parts = sdk.text_to_speech.convert_realtime(
                    server.voice, text=texts, model_id="eleven_flash_v2_5", output_format="ulaw_8000"
                )
                return sum(len(part) for part in parts)

            return await asyncio.to_thread(convert), server.connections

    size, [connection] = run(main())
    assert size >= len("We have a slot. Does that work?") * MS_PER_CHAR * 8
    assert connection.messages[0]["text"] == " "
    assert connection.closed == (1000, "")


async def frames_of(socket, count: int) -> list[dict]:
    return [json.loads(await socket.recv()) for _ in range(count)]


def test_the_server_waits_for_enough_text_unless_it_is_flushed():
    async def main():
        async with ElevenLabsServer() as server:
            url = f"{server.url}/v1/text-to-speech/{server.voice}/multi-stream-input?output_format=ulaw_8000"
            async with connect(url, additional_headers={"xi-api-key": server.key}) as socket:
                await socket.send('{"text":" ","context_id":"a"}')
                await socket.send('{"text":"abc ","context_id":"a"}')
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await socket.recv()
                await socket.send('{"context_id":"a","flush":true}')
                await socket.send('{"context_id":"a","close_context":true}')
                return await frames_of(socket, 2)

    audio, final = run(main())
    assert audio["alignment"]["chars"] == ["a", "b", "c", " "]
    assert len(b64decode(audio["audio"])) == 4 * MS_PER_CHAR * 8
    assert final == {"isFinal": True, "contextId": "a"}


def test_the_server_hangs_up_on_the_inactive():
    async def main():
        async with ElevenLabsServer() as server:
            url = f"{server.url}/v1/text-to-speech/{server.voice}/multi-stream-input"
            query = "?output_format=ulaw_8000&inactivity_timeout=0.1"
            async with connect(url + query, additional_headers={"xi-api-key": server.key}) as socket:
                await socket.wait_closed()
                return socket.close_code, socket.close_reason

    assert run(main()) == (1008, "inactivity")


def test_the_server_says_why_it_refuses():
    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(status=429)) as server:
            with pytest.raises(InvalidStatus) as refused:
                async with connect(f"{server.url}/v1/text-to-speech/{server.voice}/multi-stream-input"):
                    pass
            return refused.value.response

    answer = run(main())
    assert answer.status_code == 429
    assert json.loads(answer.body)["detail"]["status"] == "too_many_concurrent_requests"
