"""The store from the event loop: each piece of work is one transaction on a thread of its own, with a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from typing import Any, TypeVar
from uuid import UUID

from app.api import acts
from app.errors import StoreDown
from app.store.connect import Connection, Database

Work = TypeVar("Work")

# Promise P4: a webhook is answered within 1 s also while the database is gone. What was begun may still finish later;
# every piece of work may therefore be done twice.
PATIENCE_S = 0.9
READING_PATIENCE_S = 10.0  # a person waits for a report longer than a carrier for an answer
THREADS = 8


class Records:
    """Not asyncio's default threads: audio work must never queue behind a slow database, nor the other way round."""

    def __init__(self, database: Database, people: Database | None = None, *, patience_s: float = PATIENCE_S) -> None:
        """`people` has connections of its own for whoever looks at a dashboard: calls never queue behind them."""
        self.database = database
        self._people = people or database
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store")
        self._reading = ThreadPoolExecutor(THREADS, thread_name_prefix="read")
        self._patience_s = patience_s

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._reading.shutdown(wait=False, cancel_futures=True)
        self.database.close()
        self._people.close()

    async def system(self, work: Callable[[Connection], Work], *, patience_s: float | None = None) -> Work:
        """In a transaction without a workspace. Raises StoreDown, also when it takes too long."""
        return await self._run(self._threads, self.database.system, work, patience_s)

    async def user(
        self, claims: Mapping[str, Any], work: Callable[[Connection], Work], *, patience_s: float = READING_PATIENCE_S
    ) -> Work:
        """In a transaction under the verified claims of a person or key: row-level security decides what it sees.
        What it changes is in the audit log by the same transaction.

        Raises StoreDown, also when it takes too long.
        """
        act = acts.current.get()

        def noted(db: Connection) -> tuple[Work, bool]:
            done = work(db)
            return done, act is not None and not act.written and act.write_if_done(db)

        done, written = await self._run(self._reading, lambda: self._people.user(claims), noted, patience_s)
        if act is not None and written:
            act.written = True
        return done

    async def door(self, work: Callable[[Connection], Work]) -> Work:
        """Like `system`, for whoever asks to be let in: on the connections of people, not of calls."""
        return await self._run(self._reading, self._people.system, work, READING_PATIENCE_S)

    async def desk(self, workspace_id: UUID, work: Callable[[Connection], Work]) -> Work:
        """Like `worker`, on the connections of people: what the API itself notes about a caller it has let in."""
        return await self._run(self._reading, lambda: self._people.worker(workspace_id), work, READING_PATIENCE_S)

    async def worker(
        self, workspace_id: UUID, work: Callable[[Connection], Work], *, patience_s: float | None = None
    ) -> Work:
        """In a transaction of this workspace. Raises StoreDown, also when it takes too long."""
        return await self._run(self._threads, lambda: self.database.worker(workspace_id), work, patience_s)

    async def _run(
        self,
        threads: ThreadPoolExecutor,
        begin: Callable[[], AbstractContextManager[Connection]],
        work: Callable[[Connection], Work],
        patience_s: float | None,
    ) -> Work:
        def transaction() -> Work:
            with begin() as db:
                return work(db)

        loop, here = asyncio.get_running_loop(), copy_context()
        try:
            async with asyncio.timeout(self._patience_s if patience_s is None else patience_s):
                return await loop.run_in_executor(threads, here.run, transaction)
        except TimeoutError as error:
            raise StoreDown("the database did not answer in time") from error
