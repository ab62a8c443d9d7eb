"""The voice and the words of a speech-to-speech model behind the ports of text to speech and of a chat model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import cast

from app.dialog.events import ProviderFailed
from app.dialog.moves import HeardLine
from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.errors import ProviderDown, ProviderError
from app.ports import HasStandIns, Say, Speech, TextToSpeech
from app.providers.chat_protocol import Ended, Piece, Tokens, ToolCall, Words
from app.providers.openai import LanguageModelDialogue
from app.providers.realtime import NAME, RealtimeSocket
from app.providers.realtime_answer import Answer, letters
from app.telephony.mulaw import BYTES_PER_MS

_READ_S = 1.2  # to have a written line read out and checked; then another voice says it
_READ_OUT = (
    "Read the text below aloud, word for word, in the tone of the conversation. Say nothing before it and nothing after "
    "it. The text:\n"
)
_ENDS = {"completed": "stop", "max_output_tokens": "length", "content_filter": "content_filter"}
_PIECE = 100 * BYTES_PER_MS


class RealtimeModel:
    """Its words, in the form `LanguageModelDialogue` reads them. What it was not allowed to say stays unspoken."""

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
        answer = await self._socket.ask({"instructions": f"{system}\n{last}", "tools": functions})
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
        answer = self._socket.answer
        place = answer.claim(line.text) if answer is not None else None
        if answer is not None and place is not None:
            async with aclosing(self._own(answer, *place)) as own:
                async for speech in own:
                    yield speech
            return
        try:
            sound = await self._read_out(line.text)
        except (ProviderError, TimeoutError) as error:
            self._report(str(error) or f"not read out within {_READ_S:g} s")
            pieces = cast(AsyncGenerator[Speech, None], self._otherwise.speak(line))
            async with aclosing(pieces):
                async for speech in pieces:
                    yield speech
            return
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
            answer = await self._socket.ask({"instructions": _READ_OUT + text}, aside=True)
            try:
                while not answer.done:
                    await answer.changed()
            finally:
                await self._socket.cancel(answer)
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

    @property
    def name(self) -> str:
        return NAME

    def heard(self, line: HeardLine) -> None:
        super().heard(line)
        if not line.heard_text:
            return
        answer = self._socket.answer
        if answer is None or not answer.was_heard(line.line.text, line.heard_text):
            self._socket.remember(line.heard_text)


async def _progress(answer: Answer, wait_s: float) -> None:
    try:
        async with asyncio.timeout(wait_s):
            await answer.changed()
    except TimeoutError:
        raise ProviderDown(f"nothing for {wait_s:g} s") from None
