"""What a language model is to us: asked with messages and tools, it answers in pieces, each in time or not at all.

Behind it stand chat completions (chat.py), the Responses API (responses.py) and Anthropic's Messages (anthropic.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from app.dialog.deadlines import DEADLINES
from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.errors import ProviderDown, ProviderError

_FORGIVEN_S = 1.0
GULP_S = 0.05
_AT_ONCE_S = 0.001  # sooner a piece was there already
MOST_TOKENS = 300  # of one reply, thinking included; what is spoken is shorter


@dataclass(frozen=True, slots=True)
class Words:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` as the model wrote them: nobody has looked at them yet."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Ended:
    """`reason` in the words of chat completions: stop, length, tool_calls, content_filter."""

    reason: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """As the server counted. A chain says whose they are."""

    prompt: int
    completion: int
    provider: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """A chain went on to another model before anybody had said a word: from whom, why, and to whom."""

    provider: str
    error: ProviderError
    to: str


@dataclass(frozen=True, slots=True)
class Unheard:
    """A model of a chain that was asked and not waited for: it read the request all the same, and will charge."""

    provider: str
    model: str


Piece = Words | ToolCall | Ended | Tokens | Passed | Unheard


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: from the request to the first word, between two pieces, and for the figures after the last. Words that
    come at fewer than `slowest_cps` letters a second would be waited for in mid-sentence."""

    first_s: float = DEADLINES.first_token_s
    gap_s: float = DEADLINES.token_gap_s
    usage_s: float = 0.2
    slowest_cps: float = DEADLINES.slowest_cps


class LanguageModel(Protocol):
    """One model at one server, shared by all calls of a process."""

    @property
    def name(self) -> str:
        """The provider's, as the settings have it."""
        ...

    @property
    def model(self) -> str: ...

    def stream(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> AsyncGenerator[Piece, None]:
        """Words as they come; tool calls whole, then `Ended`, then `Tokens` if the server counts.

        Raises ProviderError when anything is late, missing or wrong. Closing it closes the connection.
        """
        ...

    async def warm(self) -> None:
        """Leaves a connection open. Raises ProviderError."""
        ...

    async def close(self) -> None: ...


class Reader(Protocol):
    """Makes pieces of a server's events. `grew`: the last event brought something on, even without a piece."""

    grew: bool

    def read(self, event: Any) -> list[Piece]: ...


class Events(Protocol):
    def __aiter__(self) -> AsyncIterator[Any]: ...

    async def close(self) -> None: ...


async def in_time(
    open_: Callable[[], Awaitable[Events]],
    reader: Reader,
    limits: Limits,
    translated: Callable[[], AbstractContextManager[None]],
) -> AsyncGenerator[Piece, None]:
    """Pieces of one answer. `translated` makes ProviderErrors of what its library raises, and of TimeoutError.

    Raises ProviderError. What goes wrong after the end is nobody's business.
    """
    ended = False
    try:
        with translated():
            async with aclosing(_timed(open_, reader, limits)) as pieces:
                async for piece in pieces:
                    ended = ended or isinstance(piece, Ended)
                    yield piece
    except ProviderError:
        if not ended:
            raise
    if not ended:
        raise ProviderDown("the stream ended in the middle")


async def in_gulps(pieces: AsyncGenerator[Piece, None], unhurried: Callable[[], bool]) -> AsyncGenerator[Piece, None]:
    """The same pieces; while nobody is in a hurry for them, what comes within GULP_S at once. To be woken for every
    word costs several times what is done with it."""
    now = asyncio.get_running_loop().time
    while True:
        asked_at = now()
        try:
            piece = await anext(pieces)
        except StopAsyncIteration:
            return
        waited = now() - asked_at > _AT_ONCE_S
        yield piece
        if waited and unhurried():
            await asyncio.sleep(GULP_S)


@dataclass(slots=True)
class _WordPace:
    """How fast words come, from the first on. The first second is forgiven."""

    letters: int = 0
    first_at: float | None = None

    def drips(self, letters: int, now: float, slowest_cps: float) -> bool:
        """True when they come slower than they are spoken."""
        if self.first_at is None:
            self.first_at = now
        self.letters += letters
        since_s = now - self.first_at
        return since_s > _FORGIVEN_S and self.letters < slowest_cps * since_s


async def _timed(open_: Callable[[], Awaitable[Events]], reader: Reader, limits: Limits) -> AsyncGenerator[Piece, None]:
    """Raises TimeoutError when a limit passes; an event that brings nothing on is no sign of life."""
    loop = asyncio.get_running_loop()
    due, ended, pace = loop.time() + limits.first_s, False, _WordPace()
    async with asyncio.timeout_at(due):
        events = await open_()
    try:
        stream = aiter(events)
        while True:
            try:
                async with asyncio.timeout_at(due):
                    event = await anext(stream)
            except StopAsyncIteration:
                return
            pieces = reader.read(event)
            for piece in pieces:
                ended = ended or isinstance(piece, Ended)
                if isinstance(piece, Words) and pace.drips(len(piece.text), loop.time(), limits.slowest_cps):
                    raise TimeoutError
                yield piece
            if pieces or reader.grew:
                due = loop.time() + (limits.usage_s if ended else limits.gap_s)
    finally:
        await events.close()
