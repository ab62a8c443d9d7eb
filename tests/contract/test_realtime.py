"""Speech to speech through the real SDK, against the server that lives with the exchange."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from app.dialog.events import ProviderFailed, TokensUsed
from app.dialog.moves import Expectation, HeardLine, Note, Pressed, Said, Say
from app.dialog.playbook import parse
from app.dialog.state import Understanding
from app.dialog.toolbox import Tool
from app.dialog.voice import Voice
from app.errors import ProviderDown, ProviderError, ProviderRefused
from app.exchange.realtime import Call, RealtimeServer, Reply
from app.exchange.sound import murmur, murmured
from app.ports import AudioChunk, Speech, VoiceOff, VoiceOn
from app.providers.openai import Guide
from app.providers.realtime import RealtimeSocket
from app.providers.realtime_answer import Answer
from app.providers.realtime_speech import RealtimeDialogue, RealtimeEngine, RealtimeModel, RealtimeTextToSpeech
from app.providers.realtime_wire import Account, Limits
from app.telephony import mulaw

pytestmark = pytest.mark.realtime

PRICE = "how much does it cost"
WORDS = "It depends on your roof. Most homes pay between ten and twenty eight thousand dollars. Do you own your home?"
PATIENT = Limits(connect_s=10, silent_s=8, first_s=10, gap_s=10)  # on a busy machine nothing is late by accident


@cache
def guide() -> Guide:
    path = Path(__file__).parents[2] / "app" / "playbooks" / "northlight_solar.yaml"
    book = parse(path.read_text(encoding="utf-8"), path.name)

    def understand(text: str, expecting: Expectation) -> Understanding:
        return Understanding("price", 0.9, "question:price", 0.9) if text == PRICE else Understanding()

    return Guide.by(book, understand)


class OtherVoice:
    """Says everything, and we can tell."""

    name = "other"

    def __init__(self) -> None:
        self.said: list[str] = []

    async def speak(self, line: Say):
        self.said.append(line.text)
        yield Speech(mulaw.silence(100))


class Talk:
    """A call's three parts over one socket, with the caller's sound at hand."""

    def __init__(self, server: RealtimeServer, limits: Limits = PATIENT) -> None:
        self.socket = RealtimeSocket(Account(server.key, server.url), limits)
        self.other = OtherVoice()
        self.voice = RealtimeTextToSpeech(self.socket, self.other)
        self.reports: list[ProviderFailed] = []
        self.voice.report_to(self.reports.append)
        dialogue = RealtimeDialogue(guide(), RealtimeModel(self.socket), today=date(2026, 11, 20))
        self.dialogue = dialogue.listens_to(self.socket)
        self.sound: asyncio.Queue[object] = asyncio.Queue()
        self.words: asyncio.Queue[object] = asyncio.Queue()
        self.turn = 0
        self._at_ms = 4000

    async def _flow(self):
        while (piece := await self.sound.get()) is not None:
            yield piece

    async def listen(self) -> None:
        try:
            async with aclosing(self.socket.listen(self._flow(), Expectation)) as heard:
                async for each in heard:
                    self.words.put_nowait(each)
        except ProviderError as error:
            self.words.put_nowait(error)
        else:
            self.words.put_nowait(None)

    def says(self, ms: int = 1200) -> None:
        """Voice of this length; noticed 120 ms after it began."""
        began = self._at_ms
        for place, frame in enumerate(mulaw.frames(mulaw.silence(600) + murmur(ms) + mulaw.silence(200))):
            self.sound.put_nowait(AudioChunk(frame, self._at_ms))
            self._at_ms += 20
            if place == 36:
                self.sound.put_nowait(VoiceOn(began + 600))
        self.sound.put_nowait(VoiceOff(began + 600 + ms))

    async def heard(self) -> object:
        return await self.words.get()

    async def answered(self, text: str, *, to: float = 1.0) -> list[tuple[str, int]]:
        """The reply's lines with the length of their sound; all heard, or the first of them as far as `to`."""
        self.turn += 1
        lines = []
        async with aclosing(self.dialogue.answer(Said(self.turn, text))) as moves:
            async for move in moves:
                if isinstance(move, Note):
                    self.reports += [move.fact] if isinstance(move.fact, ProviderFailed) else []
                    self.tokens = move.fact if isinstance(move.fact, TokensUsed) else None
                if isinstance(move, Say):
                    lines.append((move.text, await self.spoken(move)))
                    reached = move.text if to == 1.0 else move.text[: round(len(move.text) * to)]
                    self.dialogue.heard(HeardLine(move, reached, to == 1.0))
                    if to < 1.0:
                        break
        return lines

    async def spoken(self, line: Say) -> int:
        return sum([mulaw.duration_ms(speech.mulaw) async for speech in self.voice.speak(line)])

    async def at_prices(self) -> None:
        """The menu is behind us: questions are answered freely."""
        for move in [move async for move in self.dialogue.begin()]:
            if isinstance(move, Say):
                self.dialogue.heard(HeardLine(move, move.text, True))
        self.turn += 1
        for move in [move async for move in self.dialogue.answer(Pressed(self.turn, "1"))]:
            if isinstance(move, Say):
                self.dialogue.heard(HeardLine(move, move.text, True))


@asynccontextmanager
async def talking(server: RealtimeServer, limits: Limits = PATIENT):
    talk = Talk(server, limits)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(talk.listen())
        yield talk
        talk.sound.put_nowait(None)
        async with asyncio.timeout(10):
            await listening


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await main()

    asyncio.run(limited())


async def connected(talk: Talk) -> None:
    """A word of the caller's has come back."""
    talk.says(400)
    await talk.heard()


def test_the_callers_voice_becomes_words_with_times_of_the_call_and_silence_is_not_sent():
    async def main():
        async with RealtimeServer(PRICE) as server, talking(server) as talk:
            talk.says(1200)
            heard = await talk.heard()
            assert (heard.text, heard.final, heard.started_ms, heard.ended_ms) == (PRICE, True, 4600, 5800)
            assert server.heard_bytes // 8 <= 1200 + 200 + 420, "voice, a little before and after"

    run(main)


def test_the_playbooks_voice_comes_before_the_settings():
    async def main():
        async with RealtimeServer(PRICE) as server:
            engine = RealtimeEngine(Account(server.key, server.url, voice="cedar"))
            for wished in (Voice(), Voice(ids=(("realtime", "sage"), ("elevenlabs", "dana")), speed=1.1)):
                call = engine.begin(OtherVoice(), wished)
                async with aclosing(call.socket.listen(_nothing(), Expectation)) as heard:
                    assert [each async for each in heard] == []
            updates = [
                event["session"]["audio"]["output"] for event in server.events if event["type"] == "session.update"
            ]
            assert [(each["voice"], each.get("speed")) for each in updates] == [("cedar", None), ("sage", 1.1)]

    run(main)


async def _nothing():
    for piece in ():
        yield piece


def test_a_reply_is_spoken_phrase_by_phrase_in_its_own_sound():
    async def main():
        async with RealtimeServer(PRICE, replies=[Reply(WORDS, piece_s=0.005)]) as server, talking(server) as talk:
            await connected(talk)
            await talk.at_prices()
            lines = await talk.answered(PRICE)
            assert " ".join(text for text, _ in lines) == WORDS
            total = mulaw.duration_ms(murmured(WORDS))
            assert sum(ms for _, ms in lines) == total, "all of its sound, and nothing else"
            share = [ms / total for _, ms in lines]
            assert all(
                abs(part - len(text) / len(WORDS)) < 0.08 for part, (text, _) in zip(share, lines, strict=True)
            ), "each phrase with its own"
            assert not talk.other.said
            assert not talk.reports
            assert (talk.tokens.prompt, talk.tokens.completion) == (20, 10)

    run(main)


def test_T08_what_may_not_be_said_is_not_heard_although_its_sound_is_there():
    async def main():
        bad = Reply("It depends on your roof. We guarantee that it pays for itself in two years.")
        async with RealtimeServer(replies=[bad]) as server, talking(server) as talk:
            await connected(talk)
            await talk.at_prices()
            lines = await talk.answered(PRICE)
            assert not any("guarantee" in text for text, _ in lines)
            assert any("may not be said" in report.reason for report in talk.reports)

    run(main)


def test_a_written_line_is_read_out_only_word_for_word():
    line = Say(("This call is recorded.",), "disclosure:recording")

    async def main():
        read = Reply("This call is recorded.")
        free = Reply("By the way we record.")
        async with RealtimeServer(replies=[read, free]) as server, talking(server) as talk:
            await connected(talk)
            assert await talk.spoken(line) == mulaw.duration_ms(murmured(line.text))
            assert not talk.other.said
            await talk.spoken(line)
            assert talk.other.said == [line.text]
            assert [report.fallback for report in talk.reports] == ["other"]
            assert all(request["response"]["conversation"] == "none" for request in server.of_type("response.create"))

    run(main)


def test_an_interrupted_reply_is_remembered_by_the_server_as_far_as_it_was_heard():
    async def main():
        async with RealtimeServer(replies=[Reply(WORDS), Reply("I see.")]) as server, talking(server) as talk:
            await connected(talk)
            await talk.at_prices()
            lines = await talk.answered(PRICE, to=0.5)
            await talk.answered("no wait")
            (cut,) = server.of_type("conversation.item.truncate")
            assert 0 < cut["audio_end_ms"] < lines[0][1]
            told = [event["item"]["content"][0]["text"] for event in server.of_type("conversation.item.create")]
            assert told, "the playbook's own lines are made known to the model"
            assert not any(line in WORDS for line in told)

    run(main)


def test_what_a_colleague_said_and_whispered_reaches_the_model_before_its_next_reply():
    async def main():
        async with RealtimeServer(replies=[Reply("I see.")]) as server, talking(server) as talk:
            await connected(talk)
            await talk.at_prices()
            talk.dialogue.overheard("i have a slate roof")
            talk.dialogue.overheard("slate is no trouble", "colleague")
            talk.dialogue.hint("she has two dogs")
            await talk.answered("what now")
            told = [event["item"]["content"][0]["text"] for event in server.of_type("conversation.item.create")]
            assert "(A colleague of mine, who had taken the call over:) slate is no trouble" in told
            asked = [request["response"]["instructions"] for request in server.of_type("response.create")]
            assert any('A colleague whispered to you: "she has two dogs"' in text for text in asked)

    run(main)


def test_a_reply_nobody_heard_is_taken_out_of_the_conversation():
    async def main():
        replies = [Reply(WORDS, piece_s=0.2), Reply("I see.")]
        async with RealtimeServer(replies=replies) as server, talking(server) as talk:
            await connected(talk)
            await talk.at_prices()
            draft = talk.dialogue.answer(Said(9, PRICE))
            async for move in draft:
                if isinstance(move, Say):
                    break
            await draft.aclose()
            await talk.answered("no wait")
            assert len(server.of_type("conversation.item.delete")) == 1
            assert len(server.of_type("response.cancel")) == 1

    run(main)


@pytest.mark.parametrize("trouble", ["stalls", "drops", "fails", "mute"])
def test_F13_when_the_model_fails_in_a_reply_the_playbook_and_the_other_voice_go_on(trouble):
    async def main():
        limits = Limits(connect_s=10, silent_s=8, first_s=0.5, gap_s=0.3)
        server = RealtimeServer(replies=[Reply(WORDS, trouble=trouble)])
        async with server, talking(server, limits) as talk:
            await connected(talk)
            await talk.at_prices()
            lines = await talk.answered(PRICE)
            assert lines
            assert talk.reports
            assert talk.other.said, "in the other voice"

    run(main)


def test_F08_a_voice_without_words_is_noticed_in_three_seconds():
    async def main():
        async with RealtimeServer(PRICE) as server:
            server.silent = True
            async with talking(server, Limits(connect_s=10, silent_s=0.4)) as talk:
                talk.says()
                assert isinstance(await talk.heard(), ProviderDown)

    run(main)


@pytest.mark.parametrize(("key", "model"), [("wrong", "gpt-realtime"), ("openai-key", "gpt-none")])
def test_a_key_or_a_model_that_is_not_to_be_had_is_refused(key, model):
    async def main():
        async with RealtimeServer() as server:
            socket = RealtimeSocket(Account(key, server.url, model=model))

            async def quiet():
                yield AudioChunk(mulaw.silence(20), 0)

            async with aclosing(socket.listen(quiet(), Expectation)) as words:
                with pytest.raises(ProviderRefused):
                    await anext(words)

    run(main)


def test_a_tool_call_is_told_after_the_words():
    async def main():
        reply = Reply("It depends on your roof.", calls=(Call("offer_visit", "{}"),))
        async with RealtimeServer(replies=[reply]) as server, talking(server) as talk:
            await connected(talk)
            messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
            pieces = [piece async for piece in RealtimeModel(talk.socket).stream(messages, (Tool("t", "d", {}),))]
            assert [type(piece).__name__ for piece in pieces][-3:] == ["ToolCall", "Ended", "Tokens"]

    run(main)


def test_sound_is_cut_where_it_is_quiet():
    answer = Answer("1")
    answer.text, answer.text_done, answer.audio_done = "ten letter words here", True, True
    loud, quiet = murmur(900), mulaw.silence(200)
    answer.audio += loud + quiet + loud
    place = answer.claim("ten letter")
    assert place == (0, 9)
    end_ms = answer.ends_ms(9)
    assert end_ms is not None
    assert 900 <= end_ms <= 1100
    assert answer.claim("nothing like it") is None
