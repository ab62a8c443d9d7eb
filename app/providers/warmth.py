"""Connections for calls that ring, so that the first word does not wait for one.

A call that is known to come is given a recogniser of its own, which connects at once and keeps the connection alive.
The call takes it with its first sound. It is given up after a while, or when the call does not come: nothing is then
counted, by a meter or by a circuit. A call that finds none, for whatever reason, connects as if this did not exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from app import logs
from app.dialog.events import Heard
from app.errors import ProviderError
from app.ports import CallerSound, Expectation, SpeechToText
from app.providers.meter import model_of

MOST = 16  # connections waiting at once; providers count them against what an account may have
LIMIT_S = 30.0  # a phone that we ring does so for 25 s; from an answer to the stream it takes two

log = logs.Log(__name__)


class Early(SpeechToText, Protocol):
    """One call's recogniser, connected before there is sound. It is listened with once."""

    async def wait(self) -> None:
        """Connects, keeps the connection alive until it is listened with, and returns when that is over. Raises
        ProviderError when it cannot be had or is lost; cancelled, it closes."""
        ...


@runtime_checkable
class ConnectsEarly(Protocol):
    """A recogniser whose calls each have a connection."""

    def early(self) -> Early: ...


@dataclass(frozen=True, slots=True)
class _Place:
    stt: SpeechToText
    early: Early
    waiting: asyncio.Task[None]
    timer: asyncio.TimerHandle


class Warmth:
    """Of one process. Used on the event loop only, as a context manager around all its calls."""

    def __init__(self, most: int = MOST, limit_s: float = LIMIT_S) -> None:
        self._most, self._limit_s = most, limit_s
        self._places: dict[str, _Place] = {}
        self._open = AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._group = await self._open.enter_async_context(asyncio.TaskGroup())
        self._open.callback(self._stop)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    @property
    def waiting(self) -> tuple[str, ...]:
        """The calls that have one waiting."""
        return tuple(self._places)

    def expect(self, call: str, stt: SpeechToText) -> None:
        """This call will come, and listen with `stt`. Told again, it has as long again. Never waits, never fails; does
        nothing for a recogniser that needs no connection, or when enough are waiting."""
        place = self._places.get(call)
        if self._group is None or not isinstance(stt, ConnectsEarly):
            return
        timer = asyncio.get_running_loop().call_later(self._limit_s, self.give_up, call)
        if place is not None:
            place.timer.cancel()
            self._places[call] = _Place(place.stt, place.early, place.waiting, timer)
        elif len(self._places) < self._most:
            early = stt.early()
            waiting = self._group.create_task(self._wait(call, early), name="early connection")
            self._tasks.add(waiting)
            waiting.add_done_callback(self._tasks.discard)
            self._places[call] = _Place(stt, early, waiting, timer)
        else:
            timer.cancel()

    def take(self, call: str, stt: SpeechToText) -> SpeechToText:
        """What this call shall listen with in place of `stt`, which it is itself when nothing is waiting."""
        place = self._places.get(call)
        if place is None or place.stt is not stt:
            return stt
        self._leave(call, place)
        return place.early

    def give_up(self, call: str) -> None:
        """It will not come, or not here. No such call is no error."""
        if place := self._places.get(call):
            self._leave(call, place)
            place.waiting.cancel()

    def _leave(self, call: str, place: _Place) -> None:
        place.timer.cancel()
        del self._places[call]

    async def _wait(self, call: str, early: Early) -> None:
        try:
            await early.wait()
        except ProviderError as error:  # the call opens its own, and hears for itself what is wrong
            log.info("a connection opened early was of no use", provider=early.name, kind=error.kind)
        finally:
            place = self._places.get(call)
            if place is not None and place.early is early:
                self._leave(call, place)

    def _stop(self) -> None:
        for place in self._places.values():
            place.timer.cancel()
        self._group = None
        for task in self._tasks:
            task.cancel()


class ExpectedSpeechToText:
    """The SpeechToText port around one that connects: a call's first `listen` goes to what is waiting for it."""

    def __init__(self, stt: SpeechToText, take: Callable[[SpeechToText], SpeechToText]) -> None:
        self._stt, self._take = stt, take

    @property
    def name(self) -> str:
        return self._stt.name

    @property
    def model(self) -> str:
        return model_of(self._stt)

    def listen(self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]) -> AsyncIterator[Heard]:
        return self._take(self._stt).listen(sound, expecting)
