"""From a dialogue's moves to sound: lines go through text to speech one after the other, facts go to the log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from app.call.log import CallLog
from app.call.setup import Parts
from app.dialog.events import Fact
from app.errors import ProviderError
from app.ports import Commit, Finish, Move, Note, Say, Speech


@dataclass(frozen=True, slots=True)
class LineBegan:
    line: Say


@dataclass(frozen=True, slots=True)
class LineEnded:
    """All its audio has come."""


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


Output = LineBegan | Speech | LineEnded | Committing | Committed | Through | Failed


async def perform(
    moves: AsyncIterator[Move], parts: Parts, log: CallLog, commit: Callable[[Fact], Awaitable[None]]
) -> AsyncIterator[Output]:
    """The moves one by one, as far as they come. Never raises ProviderError; ends with Through or Failed."""
    finish: str | None = None
    try:
        async for move in moves:
            match move:
                case Say():
                    yield LineBegan(move)
                    try:
                        async for speech in parts.tts.speak(move):
                            yield speech
                    except ProviderError as error:
                        yield Failed("tts", str(error), error.kind)
                        return
                    yield LineEnded()
                case Note(fact):
                    log.write(fact)
                case Commit(fact):
                    yield Committing()
                    await commit(fact)
                    yield Committed()
                case Finish(reason):
                    finish = reason
    except ProviderError as error:
        yield Failed("dialogue", str(error), error.kind)
        return
    yield Through(finish)
