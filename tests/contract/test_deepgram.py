"""Deepgram through its own SDK, against the server that lives with the exchange."""

import asyncio
from contextlib import aclosing

import pytest

from app.errors import ProviderDown, ProviderRefused
from app.exchange.deepgram import DeepgramServer, ListenFaults
from app.exchange.sound import murmur
from app.ports import AudioChunk, Expectation, VoiceOff, VoiceOn
from app.providers.chain import ChainedSpeechToText
from app.providers.deepgram import Account, DeepgramSpeechToText, Limits, Wishes
from app.providers.deepgram_sockets import Sockets
from app.providers.scripted import ScriptedSpeechToText
from app.telephony import mulaw

pytestmark = pytest.mark.realtime

START_MS = 4000  # of the call: the provider's clock begins at 0
QUOTE = "I would like a quote please"


def run(main):
    """For no longer than ten seconds: what hangs must fail here and not stop the suite."""

    async def limited():
        async with asyncio.timeout(10):
            return await main

    return asyncio.run(limited())


def spoken(text: str, *, before_ms: int = 400, after_ms: int = 600) -> bytes:
    """As long as the server's ears take for so many words."""
    return mulaw.silence(before_ms) + murmur(300 * len(text.split())) + mulaw.silence(after_ms)


def sound_of(*clips: bytes, start_ms: int = START_MS):
    """20 ms at a time, with the voice's beginning noticed 120 ms and its end 240 ms late."""
    at_ms, voice_ms, quiet_ms = start_ms, None, 0
    for frame in mulaw.frames(b"".join(clips)):
        yield AudioChunk(frame, at_ms)
        at_ms += 20
        if mulaw.level(frame) > 200:
            voice_ms, quiet_ms = voice_ms or at_ms - 20, 0
            if at_ms - voice_ms == 120:
                yield VoiceOn(voice_ms)
        elif voice_ms is not None:
            quiet_ms += 20
            if quiet_ms == 240:
                yield VoiceOff(at_ms - quiet_ms)
                voice_ms = None


async def flowing(pieces, *, pace_s: float = 0.0, then_s: float = 0.0):
    """The sound as the line gives it: much faster than on the telephone, and open for `then_s` after the last."""
    for piece in pieces:
        yield piece
        await asyncio.sleep(pace_s)
    await asyncio.sleep(then_s)


def hearer(server, limits=None, **wishes) -> DeepgramSpeechToText:
    return DeepgramSpeechToText(Account(server.key, server.url), Wishes(**wishes), limits or Limits())


async def hear(stt, sound) -> list:
    async with aclosing(stt.listen(sound, Expectation)) as words:
        return [heard async for heard in words]


def finals(heard) -> list[str]:
    return [words.text for words in heard if words.final and words.text]


def test_words_come_with_times_of_the_call():
    async def main():
        async with DeepgramServer(QUOTE, "yes") as server:
            sound = flowing(sound_of(spoken(QUOTE), spoken("yes")), pace_s=0.001)
            return await hear(hearer(server, language="en-GB", keyterms=("Northlight",)), sound), server.connections

    heard, [connected] = run(main())
    assert finals(heard) == [QUOTE, "yes"]
    quote = next(words for words in heard if words.final and words.text)
    assert (quote.started_ms, quote.ended_ms, quote.provider) == (START_MS + 400, START_MS + 400 + 6 * 300, "deepgram")
    assert quote.confidence == 0.98
    interims = [words.text for words in heard[: heard.index(quote)]]
    assert interims[:3] == ["I", "I would", "I would like"]
    assert connected.query["keyterm"] == ["Northlight"]
    assert connected.query["language"] == ["en-GB"]
    assert connected.query["encoding"] == ["mulaw"]
    assert connected.controls == ["Finalize", "Finalize", "CloseStream"]
    assert bytes(connected.audio) == spoken(QUOTE) + spoken("yes")


def test_a_voice_without_words_is_answered_too():
    """So that turn-taking need not wait for words that will not come."""

    async def main():
        async with DeepgramServer("") as server:
            return await hear(hearer(server), flowing(sound_of(spoken("cough cough")), pace_s=0.001))

    [heard] = run(main())
    assert (heard.text, heard.final, heard.ended_ms) == ("", True, START_MS + 400 + 600)


def test_the_finals_come_at_the_end_of_our_voice_not_of_theirs():
    async def main():
        async with DeepgramServer(QUOTE) as server:
            stt = hearer(server, endpointing_ms=60_000)
            async with aclosing(stt.listen(flowing(sound_of(spoken(QUOTE)), then_s=60), Expectation)) as words:
                async for heard in words:
                    if heard.final:
                        return heard.text, server.connections[0].controls

    assert run(main()) == (QUOTE, ["Finalize"])


@pytest.mark.parametrize("fault", [{"malformed": True}, {"unknown": True}])
def test_what_cannot_be_read_is_passed_over(fault):
    async def main():
        async with DeepgramServer(QUOTE, faults=ListenFaults(**fault)) as server:
            return await hear(hearer(server), flowing(sound_of(spoken(QUOTE)), pace_s=0.001))

    assert finals(run(main())) == [QUOTE]


@pytest.mark.parametrize("reset_after_ms", [900, 1500, 2100])
def test_F07_a_reset_in_mid_utterance_loses_no_word_and_doubles_none(reset_after_ms):
    faults = ListenFaults(reset_after_ms=reset_after_ms)

    async def main():
        async with DeepgramServer(QUOTE, "yes", faults=faults) as server:
            server.freeze_ms = 800  # some words are final when the connection breaks
            sound = flowing(sound_of(spoken(QUOTE), spoken("yes")), pace_s=0.002)
            return await hear(hearer(server), sound), server.connections

    heard, connections = run(main())
    assert " ".join(finals(heard)) == f"{QUOTE} yes"
    first, second = connections
    whole = spoken(QUOTE) + spoken("yes")
    assert bytes(first.audio) == whole[: len(first.audio)]
    assert whole.endswith(second.audio)  # without a gap, from before the break on
    assert len(whole) - len(second.audio) <= (reset_after_ms - 100) * mulaw.BYTES_PER_MS
    said = [words for words in heard if words.final and words.text]
    assert said[-1].started_ms == START_MS + 400 + 1800 + 600 + 400  # the new connection's clock began later
    assert [words.started_ms for words in said] == sorted(words.started_ms for words in said)
    assert said[0].started_ms == START_MS + 400


def test_F08_voice_without_a_word_about_it_is_noticed():
    async def main():
        async with DeepgramServer(QUOTE, faults=ListenFaults(silent=True)) as server:
            stt = hearer(server, Limits(silent_s=0.3))
            with pytest.raises(ProviderDown, match=r"said nothing about 0\.3 s of voice"):
                await hear(stt, flowing(sound_of(spoken(QUOTE)), then_s=60))
            return server.connections

    assert len(run(main())) == 1  # the socket was fine all along


def test_F08_the_next_in_the_chain_hears_it_from_the_tape():
    async def main():
        async with DeepgramServer(QUOTE, faults=ListenFaults(silent=True)) as server:
            stand_in, reports = ScriptedSpeechToText(QUOTE, delay_ms=0), []
            chain = ChainedSpeechToText([hearer(server, Limits(silent_s=0.3)), stand_in])
            chain.report_to(reports.append)
            async with aclosing(chain.listen(flowing(sound_of(spoken(QUOTE)), then_s=60), Expectation)) as words:
                return await anext(words), reports, chain.name

    heard, [report], name = run(main())
    assert (heard.text, heard.provider, heard.started_ms) == (QUOTE, "scripted", START_MS + 400)
    assert (report.stage, report.provider, report.fallback, name) == ("stt", "deepgram", "scripted", "scripted")


def test_silence_is_no_reason_to_doubt_it():
    async def main():
        async with DeepgramServer("yes", faults=ListenFaults(silent=True)) as server:
            return await hear(hearer(server, Limits(silent_s=0.1)), flowing([AudioChunk(b"\xff" * 160, 0)], then_s=0.5))

    assert run(main()) == []


@pytest.mark.parametrize(("status", "error"), [(401, ProviderRefused), (400, ProviderRefused), (429, ProviderDown),
                                               (503, ProviderDown)])  # fmt: skip
def test_a_handshake_that_is_not_accepted(status, error):
    async def main():
        async with DeepgramServer(faults=ListenFaults(status=status)) as server:
            with pytest.raises(error, match=str(status)) as caught:
                await hear(hearer(server), flowing(sound_of(spoken("yes")), then_s=60))
            return caught.value.provider_code

    assert run(main()) == status


def test_a_wrong_key_is_refused():
    async def main():
        async with DeepgramServer() as server:
            with pytest.raises(ProviderRefused, match="401"):
                await hear(DeepgramSpeechToText(Account("wrong", server.url)), flowing([], then_s=60))

    run(main())


def test_a_server_that_is_not_there():
    async def main():
        async with DeepgramServer() as server:
            url = server.url
        with pytest.raises(ProviderDown):
            await hear(DeepgramSpeechToText(Account("k", url)), flowing([], then_s=60))

    run(main())


def test_an_error_message_is_a_failure():
    async def main():
        async with DeepgramServer(QUOTE, faults=ListenFaults(error=True)) as server:
            with pytest.raises(ProviderDown, match="lost our way"):
                await hear(hearer(server), flowing(sound_of(spoken(QUOTE)), then_s=60))

    run(main())


def test_keep_alives_hold_the_connection_while_no_audio_flows():
    async def main():
        async with DeepgramServer("yes") as server:
            server.idle_s = 0.4

            async def held():
                for piece in sound_of(spoken("yes")):
                    yield piece
                await asyncio.sleep(1.0)
                for piece in sound_of(spoken("yes"), start_ms=START_MS + 3000):
                    yield piece

            await hear(hearer(server, Limits(keep_alive_s=0.1)), held())
            return server.connections

    [connected] = run(main())
    assert connected.controls.count("KeepAlive") >= 3
    assert connected.closed == (1000, "")


def test_without_a_sign_of_life_the_server_hangs_up():
    """The emulator keeps the rule the adapter's KeepAlives are there for."""

    async def main():
        async with DeepgramServer() as server:
            server.idle_s = 0.1
            with pytest.raises(ProviderDown):
                await hear(hearer(server, Limits(keep_alive_s=60)), flowing([], then_s=60))
            return server.connections

    assert [connected.closed for connected in run(main())] == [(1011, "NET-0001")] * 2


def test_hanging_up_does_not_wait_for_a_server_that_is_frozen():
    async def main():
        async with DeepgramServer(QUOTE, faults=ListenFaults(freeze_after_ms=500)) as server:
            asked = asyncio.Event()

            async def sound():
                async for piece in flowing(sound_of(spoken(QUOTE)), pace_s=0.001):
                    yield piece
                asked.set()
                await asyncio.sleep(60)

            listening = asyncio.ensure_future(hear(hearer(server), sound()))
            await asked.wait()
            listening.cancel()
            async with asyncio.timeout(5):  # the SDK's own closing would take 20 s
                await asyncio.wait([listening])
            return listening.cancelled()

    assert run(main())


# --- Flux -------------------------------------------------------------------------------------------------------------

FLUX = "flux-general-en"


def test_flux_tells_the_words_of_a_turn_with_times_of_the_call():
    async def main():
        async with DeepgramServer(QUOTE, "yes") as server:
            sound = flowing(sound_of(spoken(QUOTE), spoken("yes")), pace_s=0.001)
            stt = hearer(server, model=FLUX, keyterms=("Northlight",))
            return await hear(stt, sound), server.connections

    heard, [connected] = run(main())
    assert finals(heard) == [QUOTE, "yes"]
    quote = next(words for words in heard if words.final and words.text)
    assert (quote.started_ms, quote.ended_ms) == (START_MS + 400, START_MS + 400 + 6 * 300)
    assert heard[0].text == "I"
    assert connected.query["model"] == [FLUX]
    assert connected.query["keyterm"] == ["Northlight"]
    assert connected.controls == ["CloseStream"], "it found the ends of both turns by itself"
    assert [words.mark for words in heard if words.mark in ("eager", "ended")] == ["eager", "ended"] * 2


def test_F07_flux_a_reset_in_mid_turn_loses_no_word_and_doubles_none():
    async def main():
        async with DeepgramServer(QUOTE, "yes", faults=ListenFaults(reset_after_ms=1500)) as server:
            sound = flowing(sound_of(spoken(QUOTE), spoken("yes")), pace_s=0.002)
            return await hear(hearer(server, model=FLUX), sound), server.connections

    heard, connections = run(main())
    assert finals(heard) == [QUOTE, "yes"]
    assert len(connections) == 2


def test_flux_is_kept_going_with_silence_where_no_audio_flows():
    """Its turns end with audio heard, not with time. Word times do not move with what we made up."""
    pause_ms = 3000

    async def main():
        async with DeepgramServer("yes", "no") as server:

            async def held():
                for piece in sound_of(spoken("yes", after_ms=0)):
                    yield piece
                await asyncio.sleep(1.2)
                for piece in sound_of(spoken("no"), start_ms=START_MS + pause_ms):
                    yield piece

            return await hear(hearer(server, model=FLUX), held()), server.connections

    heard, [connected] = run(main())
    assert finals(heard) == ["yes", "no"]
    assert len(connected.audio) > len(spoken("yes", after_ms=0) + spoken("no"))
    assert "KeepAlive" not in connected.controls
    assert [words.started_ms for words in heard if words.final and words.text][-1] == START_MS + pause_ms + 400


def test_flux_a_voice_without_words_is_answered_too():
    async def main():
        async with DeepgramServer("") as server:
            sound = flowing(sound_of(spoken("cough cough", after_ms=2500)), pace_s=0.001)
            return [(words.text, words.final) for words in await hear(hearer(server, model=FLUX), sound)]

    assert ("", True) in run(main())


@pytest.mark.parametrize("fault", [{"malformed": True}, {"unknown": True}])
def test_flux_what_cannot_be_read_is_passed_over(fault):
    async def main():
        async with DeepgramServer(QUOTE, faults=ListenFaults(**fault)) as server:
            return await hear(hearer(server, model=FLUX), flowing(sound_of(spoken(QUOTE)), pace_s=0.001))

    assert finals(run(main())) == [QUOTE]


def test_flux_the_server_guesses_eagerly_and_takes_it_back():
    """The adapter does not ask for this yet; the bench and whoever speculates will."""

    async def main():
        async with DeepgramServer("one two three") as server:
            sockets = Sockets(Account(server.key, server.url), Wishes(model=FLUX), 2.0)
            listen = sockets.dialect._listen.connect(
                model=FLUX, encoding="mulaw", sample_rate=8000, eager_eot_threshold=0.5
            )
            async with listen as socket:
                await socket.send_media(murmur(600) + mulaw.silence(200) + murmur(300) + mulaw.silence(400))
                await socket.send_close_stream()
                return [message async for message in socket]

    connected, *turns = run(main())
    assert connected.type == "Connected"
    told = [(turn.event, turn.transcript) for turn in turns if turn.event != "Update"]
    assert told == [
        ("StartOfTurn", "one"),
        ("EagerEndOfTurn", "one two three"),
        ("TurnResumed", "one two"),
        ("EagerEndOfTurn", "one two three"),
        ("EndOfTurn", "one two three"),
    ]
