"""The store from the event loop: each piece of work is one transaction on a thread of its own, with a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar
from uuid import UUID

from app.errors import StoreDown
from app.store.connect import Connection, Database

Work = TypeVar("Work")

# Promise P4: a webhook is answered within 1 s also while the database is gone. What was begun may still finish later;
# every piece of work may therefore be done twice.
PATIENCE_S = 0.9


class Records:
    """Not asyncio's default threads: audio work must never queue behind a slow database, nor the other way round."""

    def __init__(self, database: Database, *, threads: int = 8, patience_s: float = PATIENCE_S) -> None:
        self.database = database
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self._patience_s = patience_s

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def system(self, work: Callable[[Connection], Work], *, patience_s: float | None = None) -> Work:
        """In a transaction without a workspace. Raises StoreDown, also when it takes too long."""
        return await self._run(self.database.system, work, patience_s)

    async def worker(
        self, workspace_id: UUID, work: Callable[[Connection], Work], *, patience_s: float | None = None
    ) -> Work:
        """In a transaction of this workspace. Raises StoreDown, also when it takes too long."""
        return await self._run(lambda: self.database.worker(workspace_id), work, patience_s)

    async def _run(
        self,
        begin: Callable[[], AbstractContextManager[Connection]],
        work: Callable[[Connection], Work],
        patience_s: float | None,
    ) -> Work:
        def transaction() -> Work:
            with begin() as db:
                return work(db)

        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience_s if patience_s is None else patience_s):
                return await loop.run_in_executor(self._threads, transaction)
        except TimeoutError as error:
            raise StoreDown("the database did not answer in time") from error
