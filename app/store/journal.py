"""The way of a call's log from the audio path into the database: a queue, one thread, a transaction every 250 ms.

`record` never waits and never fails: the database may be slow or away, the call goes on, and what was recorded is
written when it is back. Only memory is a limit; beyond it entries are dropped, counted and shouted about.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from app.dialog.events import Entry
from app.errors import StoreDown, StoreError
from app.store import call_events, promises
from app.store.calls import CallRow
from app.store.connect import Connection, Database

_log = logging.getLogger(__name__)

Done = Callable[[StoreError | None], None]


@dataclass(frozen=True, slots=True)
class _Item:
    """One entry of a call, or none: then `done` is called once everything before it is written. `at` is wall time."""

    call: CallRow
    entry: Entry | None
    at: datetime
    done: Done | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """For metrics: entries waiting, entries lost since the start, and whether the database is away."""

    waiting: int
    dropped: int
    down: bool


class EventWriter:
    """Writes the logs of all calls of this process. `start` once, `stop` at the end; safe to use from any thread."""

    def __init__(self, database: Database, *, pause_s: float = 0.25, retry_s: float = 0.5, most: int = 100_000) -> None:
        self._database = database
        self._pause_s, self._retry_s, self._most = pause_s, retry_s, most
        self._waiting: deque[_Item] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._given_up = False
        self._urgent = False
        self._down = False
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Writes what is waiting. False when the database stayed away so long that entries were lost."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_s)
        with self._changed:
            self._given_up = True
            lost = sum(item.entry is not None for item in self._waiting)
        if lost:
            _log.error("the database stayed away: log entries lost", extra={"entries": lost})
        return not lost

    def backlog(self) -> Backlog:
        with self._changed:
            return Backlog(len(self._waiting), self._dropped, self._down)

    def put(self, call: CallRow, entry: Entry | None, done: Done | None = None) -> None:
        """Queues an entry. With `done` it is written at once, and `done` is called on the writer's thread: with None
        when it is durable, with the error when it never will be."""
        item = _Item(call, entry, datetime.now(UTC), done)
        with self._changed:
            # A promise is never dropped: there are few, and each has somebody waiting.
            if len(self._waiting) >= self._most and done is None:
                self._dropped += 1
                if self._dropped == 1:
                    _log.error("log entries are being dropped: too many wait for the database")
                return
            self._waiting.append(item)
            if done is not None:
                self._urgent = True
            if done is not None or len(self._waiting) == 1:
                self._changed.notify()

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                self._write(batch)
            except StoreDown as error:
                self._wait_for_database(error)
            else:
                self._forget(batch)

    def _next_batch(self) -> list[_Item]:
        """What waits, left in the queue until it is written. Empty only when we are to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            self._changed.wait_for(lambda: self._urgent or self._stopping, self._pause_s)
            self._urgent = False
            return [] if self._given_up else list(self._waiting)

    def _forget(self, batch: Sequence[_Item]) -> None:
        with self._changed:
            for _ in batch:
                self._waiting.popleft()
            self._down = False

    def _wait_for_database(self, error: StoreDown) -> None:
        with self._changed:
            if not self._down:
                waiting = {"entries": len(self._waiting), "error": str(error)}
                _log.warning("log entries wait for the database", extra=waiting)
            self._down = True
            self._changed.wait_for(lambda: self._given_up, self._retry_s)

    def _write(self, batch: Sequence[_Item]) -> None:
        """Raises StoreDown with nothing, or a part that may be written again, written."""
        in_order = sorted(batch, key=lambda item: item.call.workspace_id)  # stable: each call stays in order
        for _, items in groupby(in_order, key=lambda item: item.call.workspace_id):
            self._write_workspace(list(items))

    def _write_workspace(self, items: Sequence[_Item]) -> None:
        try:
            self._transaction(items)
        except StoreDown:
            raise
        except StoreError:
            # One bad call must not hold up its neighbours (P11).
            by_call = sorted(items, key=lambda item: item.call.id)
            for _, one_call in groupby(by_call, key=lambda item: item.call.id):
                self._write_call(list(one_call))

    def _write_call(self, items: Sequence[_Item]) -> None:
        try:
            self._transaction(items)
        except StoreDown:
            raise
        except StoreError as error:
            _log.exception("log entries refused", extra={"call": items[0].call.call_sid, "entries": len(items)})
            with self._changed:
                self._dropped += len(items)
            _tell(items, error)

    def _transaction(self, items: Sequence[_Item]) -> None:
        with self._database.worker(items[0].call.workspace_id) as db:
            _append(db, items)
        _tell(items, None)


class StoreJournal:
    """The journal of one call (`ports.Journal`)."""

    def __init__(self, writer: EventWriter, call: CallRow) -> None:
        self._writer = writer
        self._call = call

    def record(self, entry: Entry) -> None:
        self._writer.put(self._call, entry)

    async def commit(self, entry: Entry) -> None:
        """Waits for as long as the database is away; a caller that gives up waiting leaves the entry in the queue.
        Raises StoreError when the database refuses it for good."""
        await self._written(entry)

    async def settle(self) -> None:
        await self._written(None)

    async def _written(self, entry: Entry | None) -> None:
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()

        def settle(error: StoreError | None) -> None:
            if written.done():
                return
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

        def done(error: StoreError | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, error)

        self._writer.put(self._call, entry, done)
        await written


def _append(db: Connection, items: Sequence[_Item]) -> None:
    """Entries and, in the same transaction, what they promise."""
    entries = [(item.call.id, item.entry) for item in items if item.entry is not None]
    new = call_events.append_all(db, entries)
    for item in items:
        if item.entry is not None and (item.call.id, item.entry.seq) in new:
            promises.keep(db, item.call, (item.entry,), item.at)


def _tell(items: Sequence[_Item], error: StoreError | None) -> None:
    for item in items:
        if item.done is not None:
            item.done(error)
