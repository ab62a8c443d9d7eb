"""Processes that recognise speech, so that the one with the calls never waits for a decoder.

    async with recognising(processes=2) as pool:
        stt = OfflineSpeechToText(source, pool)

They are started by spawn, warmed before the first call, ignore the signals meant for their parent (which drains its
calls first) and end with it, also when it is killed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from functools import partial

from app.errors import ProviderDown
from app.providers.offline import recogniser
from app.providers.offline.language import Language
from app.providers.offline.recogniser import Recognised
from app.telephony import mulaw

START_S = 30.0
SOME_SILENCE = mulaw.silence(200)


class RecogniserPool:
    """Recognises in other processes. A process that dies costs the stretches it had; new ones are started."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._closed = False
        self._pool = self._start()

    async def warm(self, languages: Iterable[Language] = ()) -> frozenset[int]:
        """Returns the ids of processes that are ready. Raises ProviderDown when none comes up in 30 s."""
        wanted = tuple(languages)
        loop = asyncio.get_running_loop()
        ready = [loop.run_in_executor(self._pool, _warm, wanted) for _ in range(self._processes)]
        try:
            async with asyncio.timeout(START_S):
                return frozenset(await asyncio.gather(*ready))
        except (TimeoutError, BrokenProcessPool) as error:
            raise ProviderDown(f"the speech recognisers did not start: {error or 'too slow'}") from error

    def begin(self, sound: bytes, language: Language) -> asyncio.Future[Recognised]:
        """The future fails with ProviderDown when the process dies over it."""
        pool, loop = self._pool, asyncio.get_running_loop()
        answer: asyncio.Future[Recognised] = loop.create_future()
        try:
            work = loop.run_in_executor(pool, recogniser.recognise, sound, language)
        except (BrokenProcessPool, RuntimeError):  # RuntimeError: it was shut down
            self._replace(pool)
            answer.set_exception(ProviderDown("the speech recogniser had died"))
            return answer
        work.add_done_callback(partial(self._settle, answer, pool))
        return answer

    def _settle(
        self, answer: asyncio.Future[Recognised], pool: ProcessPoolExecutor, work: asyncio.Future[Recognised]
    ) -> None:
        error = None if work.cancelled() else work.exception()
        if isinstance(error, BrokenProcessPool):
            self._replace(pool)
        if answer.done():  # the caller has hung up meanwhile
            return
        if error is None and not work.cancelled():
            answer.set_result(work.result())
        else:
            answer.set_exception(ProviderDown(f"the speech recogniser failed: {error or 'stopped'}"))

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        """Once, by whoever notices first."""
        if broken is self._pool and not self._closed:
            broken.shutdown(wait=False)
            self._pool = self._start()

    def close(self) -> None:
        """Waits for what is being decoded, at most some 100 ms."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._processes, mp_context=spawn, initializer=_begin)


class InlineRecogniser:
    """Recognises on a thread of this process, or at once on a virtual loop: for tests and whole calls without time."""

    def begin(self, sound: bytes, language: Language) -> asyncio.Future[Recognised]:
        return asyncio.get_running_loop().run_in_executor(None, _exclusive, sound, language)


@asynccontextmanager
async def recognising(processes: int = 1, languages: Iterable[Language] = ()) -> AsyncIterator[RecogniserPool]:
    """A warm pool; closed at the end. One process keeps up with some fifteen people talking at once."""
    pool = RecogniserPool(processes)
    try:
        await pool.warm(languages)
        yield pool
    finally:
        await asyncio.to_thread(pool.close)


_one_at_a_time = threading.Lock()


def _exclusive(sound: bytes, language: Language) -> Recognised:
    with _one_at_a_time:
        return recogniser.recognise(sound, language)


def _begin() -> None:
    """First thing in a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    recogniser.shared()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)  # nobody is left to hear an answer


def _warm(languages: tuple[Language, ...]) -> int:
    for language in languages:
        recogniser.recognise(SOME_SILENCE, language)
    return os.getpid()
