"""The voice and the words of a speech-to-speech model behind the ports of text to speech and of a chat model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, cast

from app.dialog.events import ProviderFailed
from app.dialog.moves import HeardLine
from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.dialog.voice import USUAL, Voice
from app.errors import ProviderDown, ProviderError
from app.ports import Dialogue, HasStandIns, Say, Speech, TextToSpeech
from app.providers.language_model import Ended, LanguageModel, Piece, Tokens, ToolCall, Words
from app.providers.openai import Guide, LanguageModelDialogue
from app.providers.realtime import NAME, RealtimeSocket
from app.providers.realtime_answer import Answer, letters
from app.providers.realtime_wire import Account
from app.providers.rest_of_line import From, Spoken
from app.settings import Settings
from app.telephony.mulaw import BYTES_PER_MS

_READ_S = 1.2  # to have a written line read out and checked; then another voice says it
_READ_OUT = (
    "Read the text below aloud, word for word, in the tone of the conversation. Say nothing before it and nothing "
    "after it. The text:\n"
)
_ENDS = {"completed": "stop", "max_output_tokens": "length", "content_filter": "content_filter"}
_PIECE = 100 * BYTES_PER_MS


class RealtimeModel:
    """The LanguageModel port: its words. What it was not allowed to say stays unspoken."""

    name = NAME

    def __init__(self, socket: RealtimeSocket) -> None:
        self._socket = socket
        self.model = socket.model

    async def stream(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> AsyncGenerator[Piece, None]:
        """Raises ProviderError. Closing it early leaves the sound of what was checked to be spoken."""
        system, last = messages[0]["content"], messages[-1]["content"]
        functions = [
            {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.schema()}
            for tool in tools
        ]
        answer = await self._socket.answers.ask({"instructions": f"{system}\n{last}", "tools": functions})
        seen, wait_s = 0, self._socket.limits.first_s
        while True:
            if len(answer.text) > seen:
                seen, new = len(answer.text), answer.text[seen:]
                yield Words(new)
                continue  # more may have come while these were spoken
            if answer.text_done or answer.done:
                break
            await _progress(answer, wait_s)
            wait_s = self._socket.limits.gap_s
        while tools and not answer.done:  # a tool call comes after the words
            await _progress(answer, self._socket.limits.gap_s)
        if answer.failed and answer.reason not in _ENDS:
            raise ProviderDown(f"the reply ended: {answer.reason}")
        for call in answer.calls:
            yield ToolCall(call.name, call.arguments)
        yield Ended("tool_calls" if answer.calls else _ENDS.get(answer.reason, "stop"))
        if answer.tokens:
            yield Tokens(*answer.tokens)

    async def warm(self) -> None:
        """The call's socket is open, or it is not."""

    async def close(self) -> None:
        """It ends with the call."""


class RealtimeTextToSpeech:
    """The TextToSpeech port: the sound the model made for its own words, and written lines read out by it.

    A written line is spoken only when it was read word for word; `otherwise` speaks what was not, and everything once
    the socket is gone.
    """

    name = NAME

    def __init__(self, socket: RealtimeSocket, otherwise: TextToSpeech) -> None:
        self._socket, self._otherwise = socket, otherwise
        self._write: Callable[[ProviderFailed], None] | None = None

    def report_to(self, write: Callable[[ProviderFailed], None]) -> None:
        self._write = write
        if isinstance(self._otherwise, HasStandIns):
            self._otherwise.report_to(write)

    async def speak(self, line: Say) -> AsyncIterator[Speech]:
        """Raises what `otherwise` raises."""
        spoken = Spoken(line)
        try:
            async with aclosing(self._by_the_model(line)) as pieces:
                async for speech in pieces:
                    spoken.add(speech)
                    yield speech
            return
        except (ProviderError, TimeoutError) as error:
            self._report(str(error) or f"not read out within {_READ_S:g} s")
        rest, from_word = spoken.left()
        entry = From(rest, from_word)
        if rest.parts:
            others = cast(AsyncGenerator[Speech, None], self._otherwise.speak(rest))
            async with aclosing(others):
                async for speech in others:
                    if (heard := entry.take(speech)) is not None:
                        yield heard

    async def _by_the_model(self, line: Say) -> AsyncGenerator[Speech, None]:
        answer = self._socket.answers.current
        place = answer.claim(line.text) if answer is not None else None
        if answer is not None and place is not None:
            async with aclosing(self._own(answer, *place)) as own:
                async for speech in own:
                    yield speech
            return
        sound = await self._read_out(line.text)
        for at in range(0, len(sound), _PIECE):
            yield Speech(sound[at : at + _PIECE])

    async def _own(self, answer: Answer, first: int, last: int) -> AsyncGenerator[Speech, None]:
        """As it comes, up to the phrase's end. Raises ProviderDown when it stops coming."""
        at_ms = began_ms = answer.begins_ms(first)
        while (end_ms := answer.ends_ms(last)) is None:
            ready_ms = answer.surely_before_ms(last)
            if ready_ms > at_ms:
                yield Speech(bytes(answer.audio[at_ms * BYTES_PER_MS : ready_ms * BYTES_PER_MS]))
                at_ms = ready_ms
            if answer.failed:
                raise ProviderDown(f"the sound ended: {answer.reason}")
            await _progress(answer, self._socket.limits.gap_s)
        if end_ms <= began_ms:
            raise ProviderDown("words came without their sound")
        answer.claimed(last, max(at_ms, end_ms))
        if end_ms > at_ms:
            yield Speech(bytes(answer.audio[at_ms * BYTES_PER_MS : end_ms * BYTES_PER_MS]))

    async def _read_out(self, text: str) -> bytes:
        """Raises ProviderError or TimeoutError."""
        async with asyncio.timeout(_READ_S):
            answer = await self._socket.answers.ask({"instructions": _READ_OUT + text}, aside=True)
            try:
                while not answer.done:
                    await answer.changed()
            finally:
                await self._socket.answers.cancel(answer)
        if answer.failed:
            raise ProviderDown(f"reading out ended: {answer.reason}")
        if letters(answer.text) != letters(text):
            raise ProviderDown("a written line was not read word for word")
        return bytes(answer.audio)

    def _report(self, reason: str) -> None:
        if self._write is not None:
            self._write(ProviderFailed("tts", NAME, reason, fallback=self._otherwise.name))


class RealtimeDialogue(LanguageModelDialogue):
    """The same conversation, whose model remembers sound: it is told how much of each reply was heard."""

    def listens_to(self, socket: RealtimeSocket) -> RealtimeDialogue:
        self._socket = socket
        return self

    def fork(self) -> None:
        """One socket holds one conversation."""
        return None

    def heard(self, line: HeardLine) -> None:
        super().heard(line)
        if not line.heard_text:
            return
        answer = self._socket.answers.current
        if answer is None or not answer.was_heard(line.line.text, line.heard_text):
            self._socket.answers.remember(line.heard_text)

    def overheard(self, text: str, by: Literal["caller", "colleague"] = "caller") -> None:
        """What the caller says it hears itself, whoever it is said to."""
        super().overheard(text, by)
        if by == "colleague":
            self._socket.answers.remember(f"(A colleague of mine, who had taken the call over:) {text}")


class RealtimeCall:
    """The parts of one call that share a socket."""

    def __init__(self, account: Account, otherwise: TextToSpeech) -> None:
        self.socket = RealtimeSocket(account)
        self.model = RealtimeModel(self.socket)
        self.voice = RealtimeTextToSpeech(self.socket, otherwise)

    def dialogue(self, guide: Guide, models: LanguageModel, *, today: date, direction: str) -> Dialogue:
        return RealtimeDialogue(guide, models, today=today, direction=direction).listens_to(self.socket)


@dataclass(frozen=True, slots=True)
class RealtimeEngine:
    """What begins calls."""

    account: Account

    def begin(self, otherwise: TextToSpeech, wished: Voice = USUAL) -> RealtimeCall:
        """`otherwise` speaks what the model cannot. What the playbook wishes comes before the settings."""
        voice = wished.id_for(NAME) or self.account.voice
        return RealtimeCall(replace(self.account, voice=voice, speed=wished.speed), otherwise)


def make(settings: Settings) -> RealtimeEngine:
    key = settings.openai_api_key
    return RealtimeEngine(
        Account(
            key=key.get_secret_value() if key else "",
            base_url=settings.openai_base_url,
            model=settings.openai_realtime_model,
            voice=settings.openai_realtime_voice,
        )
    )


async def _progress(answer: Answer, wait_s: float) -> None:
    try:
        async with asyncio.timeout(wait_s):
            await answer.changed()
    except TimeoutError:
        raise ProviderDown(f"nothing for {wait_s:g} s") from None
