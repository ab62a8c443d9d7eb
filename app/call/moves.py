"""From a dialogue's moves to sound: lines go through text to speech one after the other, facts are passed on.

The dialogue is read ahead of the voice, so that a model is never kept waiting by it. What is only a *draft* gets as far
as the end of its first line; a fact of it is known to nobody, and nothing is made durable, before it is adopted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.dialog.events import Fact
from app.errors import ProviderError
from app.ports import Commit, Finish, Move, Note, Say, Speech, TextToSpeech


@dataclass(frozen=True, slots=True)
class LineBegan:
    line: Say


@dataclass(frozen=True, slots=True)
class LineEnded:
    """All its audio has come."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A fact for the log."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Committing:
    """A fact is being made durable; nothing else will come before it is."""


@dataclass(frozen=True, slots=True)
class Committed:
    """It is, or we stopped waiting for it."""


@dataclass(frozen=True, slots=True)
class Through:
    """There is no more. `finish` is the reason to end the call, if it shall."""

    finish: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no more because `stage` failed: "dialogue" or "tts"."""

    stage: str
    reason: str
    kind: str = ""


Output = LineBegan | Speech | LineEnded | Noted | Committing | Committed | Through | Failed


class Production:
    """One answer being made. `begin` it once; `outputs` come with the time they came at, Through or Failed last."""

    def __init__(
        self,
        moves: AsyncIterator[Move],
        tts: TextToSpeech,
        commit: Callable[[Fact], Awaitable[None]],
        clock: Callable[[], int],
        *,
        draft: bool = False,
    ) -> None:
        self._source, self._tts, self._commit, self._clock = moves, tts, commit, clock
        self.outputs: asyncio.Queue[tuple[int, Output]] = asyncio.Queue()
        self._moves: asyncio.Queue[Move | Failed | None] = asyncio.Queue()
        self._adopted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._lines = 0
        self.letters = 0  # handed to text to speech
        self.failed = False
        if not draft:
            self._adopted.set()

    def begin(self, group: asyncio.TaskGroup, name: str) -> None:
        self._task = group.create_task(self._run(), name=name)

    def adopt(self) -> None:
        """It is what will be said."""
        self._adopted.set()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def stopped(self) -> None:
        """Cancels it and waits until it has let go of everything."""
        self.cancel()
        if self._task is not None:
            await asyncio.wait([self._task])

    def left(self) -> Iterator[Note | Commit]:
        """What the dialogue wanted to be known and nobody has taken up. Only after the end."""
        while not self.outputs.empty():
            _, output = self.outputs.get_nowait()
            if isinstance(output, Noted):
                yield Note(output.fact)
        while not self._moves.empty():
            move = self._moves.get_nowait()
            if isinstance(move, Note | Commit):
                yield move

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read(), name="read the dialogue")
            await self._perform()
            reading.cancel()

    async def _read(self) -> None:
        try:
            async with _closing(self._source) as moves:
                async for move in moves:
                    self._moves.put_nowait(move)
                    if isinstance(move, Commit):
                        await self._moves.join()  # the dialogue goes on when it is durable
        except ProviderError as error:
            self._moves.put_nowait(Failed("dialogue", str(error), error.kind))
        else:
            self._moves.put_nowait(None)

    async def _perform(self) -> None:
        """The moves one by one, as far as they come. Never raises ProviderError."""
        finish: str | None = None
        while True:
            match await self._moves.get():
                case Say() as line:
                    if failed := await self._speak(line):
                        return self._fail(failed)
                case Note(fact):
                    self._put(Noted(fact))
                case Commit(fact):
                    await self._adopted.wait()
                    self._put(Committing())
                    await self._commit(fact)
                    self._put(Committed())
                case Finish(reason):
                    finish = reason
                case Failed() as failed:
                    return self._fail(failed)
                case None:
                    return self._put(Through(finish))
            self._moves.task_done()

    async def _speak(self, line: Say) -> Failed | None:
        if self._lines:
            await self._adopted.wait()
        self._lines += 1
        self.letters += len(line.text)
        self._put(LineBegan(line))
        try:
            async for speech in self._tts.speak(line):
                self._put(speech)
        except ProviderError as error:
            return Failed("tts", str(error), error.kind)
        self._put(LineEnded())
        return None

    def _fail(self, failed: Failed) -> None:
        self.failed = True
        self._put(failed)

    def _put(self, output: Output) -> None:
        self.outputs.put_nowait((self._clock(), output))


@asynccontextmanager
async def _closing(moves: AsyncIterator[Move]) -> AsyncIterator[AsyncIterator[Move]]:
    """What a dialogue still holds for an answer nobody waits for is let go now."""
    try:
        yield moves
    finally:
        close = getattr(moves, "aclose", None)
        if close is not None:
            await close()
