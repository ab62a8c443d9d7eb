"""ElevenLabs through the real client, against the server that lives with the exchange."""

import asyncio
from contextlib import aclosing

import pytest

from app.errors import ProviderDown, ProviderRefused
from app.exchange.elevenlabs import MS_PER_CHAR, ElevenLabsServer, SpeechFaults
from app.ports import Say
from app.providers.elevenlabs import Account, ElevenLabsTextToSpeech, Limits, Voice
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
    async def main():
        async with ElevenLabsServer(faults=SpeechFaults(stall_after_ms=900)) as server:
            return await speak(speaker(server, Limits(stall_s=0.2))), server.requests

    pieces, [request] = run(main())
    assert [*(word for word, _, _ in words_of(pieces)), *request["text"].split()] == LINE.text.split()


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
