"""What happens on calls, told to whoever watches, as it happens.

A call only drops a value here: nothing of it waits, and with nobody watching nothing else is done. What was dropped is
written out once per message, however many watch, and handed out a few watchers at a time, so that the loop that
carries sound is never held for long. Who is too slow is told of a gap and looks at everything anew.

Several processes tell each other through Redis; without it each knows its own calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app import observe

log = observe.log(__name__)

KEPT = 2000  # messages of a workspace, for watchers that come back
WAITING = 400  # messages for one watcher before it is told of a gap
TOGETHER_S = 0.08  # messages that come so close together are handed out together
AT_ONCE = 20  # watchers between two turns of the event loop
CHANNEL = "strowger:feed"
HERE_S = 2.0  # how often a process with watchers says that it has some
WATCHED_S = 5.0  # what happens here is told abroad so long after another process has said so


@dataclass(frozen=True, slots=True)
class Message:
    """`seq` grows with time, in whole milliseconds times a thousand, so that messages of several processes have an
    order."""

    workspace_id: UUID
    seq: int
    kind: str
    call_sid: str | None
    body: Mapping[str, Any]

    def text(self) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.seq // 1_000_000)) + f".{self.seq // 1000 % 1000:03d}Z"
        told = {"seq": self.seq, "at": at, "kind": self.kind, "body": self.body}
        return json.dumps(told | ({"call_sid": self.call_sid} if self.call_sid else {}), ensure_ascii=False)


@dataclass(eq=False, slots=True)
class Watcher:
    """One socket. `news` are texts to send, in order; None ends it."""

    workspace_id: UUID
    news: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def hand(self, texts: list[str], gap: str) -> None:
        """Never waits. What does not fit is not sent in parts: everything that waits gives way to a gap."""
        if self.news.qsize() + len(texts) < WAITING:
            for text in texts:
                self.news.put_nowait(text)
            return
        while not self.news.empty():
            self.news.get_nowait()
        self.news.put_nowait(gap)


class Feed:
    """`tell` from the event loop only."""

    def __init__(self, redis_url: str | None = None, clock: Callable[[], float] = time.time) -> None:
        self._redis_url, self._clock = redis_url, clock
        self._name = secrets.token_hex(8)
        self._watchers: dict[UUID, set[Watcher]] = {}
        self._kept: dict[UUID, deque[tuple[int, str]]] = {}
        self._new: deque[Message] = deque(maxlen=20_000)
        self._abroad: deque[str] = deque(maxlen=20_000)
        self._stir = asyncio.Event()
        self._last = 0
        self._watched_abroad = float("-inf")

    @property
    def seq(self) -> int:
        """Of the last message told here; a snapshot read now has everything up to it."""
        self._last = max(self._last, int(self._clock() * 1000) * 1000)
        return self._last

    @property
    def watchers(self) -> int:
        return sum(len(found) for found in self._watchers.values())

    def wanted(self, workspace_id: UUID) -> bool:
        """Whether anybody would see it. Most calls are watched by nobody, and then cost nothing here."""
        return workspace_id in self._kept or self._abroad_wants()

    def _abroad_wants(self) -> bool:
        return self._clock() - self._watched_abroad < WATCHED_S

    def tell(self, workspace_id: UUID, kind: str, body: Mapping[str, Any], call_sid: str | None = None) -> None:
        """Never waits, never fails."""
        self._last = max(self._last + 1, int(self._clock() * 1000) * 1000)
        self._new.append(Message(workspace_id, self._last, kind, call_sid, body))
        self._stir.set()

    @contextlib.contextmanager
    def watching(self, workspace_id: UUID, after: int) -> Any:
        """A watcher that first gets what came after `after`, or a gap where that is not known any more."""
        watcher = Watcher(workspace_id)
        kept = self._kept.setdefault(workspace_id, deque(maxlen=KEPT))
        if after and kept and kept[0][0] <= after:
            watcher.hand([text for seq, text in kept if seq > after], self._gap(workspace_id))
        elif after and kept:
            watcher.hand([self._gap(workspace_id)], self._gap(workspace_id))
        self._watchers.setdefault(workspace_id, set()).add(watcher)
        try:
            yield watcher
        finally:
            self._watchers[workspace_id].discard(watcher)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._hand_out(), name="feed")]
            if self._redis_url is not None:
                tasks.append(group.create_task(self._hear_others(self._redis_url), name="feed of others"))
                tasks.append(group.create_task(self._tell_others(self._redis_url), name="feed to others"))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    async def _hand_out(self) -> None:
        while True:
            await self._stir.wait()
            await asyncio.sleep(TOGETHER_S)
            self._stir.clear()
            for workspace_id, texts in self._taken().items():
                for number, watcher in enumerate(list(self._watchers.get(workspace_id, ())), start=1):
                    watcher.hand(texts, self._gap(workspace_id))
                    if number % AT_ONCE == 0:
                        await asyncio.sleep(0)

    def _taken(self) -> dict[UUID, list[str]]:
        """What is new, written out once. Kept for those workspaces that somebody has watched."""
        found: dict[UUID, list[str]] = {}
        while self._new:
            message = self._new.popleft()
            kept = self._kept.get(message.workspace_id)
            abroad = self._abroad_wants()
            if kept is None and not abroad:
                continue
            text = message.text()
            if abroad:
                self._abroad.append(f"{self._name} {message.workspace_id} {message.seq} {text}")
            if kept is not None:
                kept.append((message.seq, text))
                found.setdefault(message.workspace_id, []).append(text)
        return found

    def _gap(self, workspace_id: UUID) -> str:
        return Message(workspace_id, self.seq, "gap", None, {}).text()

    async def _tell_others(self, redis_url: str) -> None:
        from redis import asyncio as redis
        from redis.exceptions import RedisError

        said_at = 0.0
        async with redis.from_url(redis_url) as client:
            while True:
                await asyncio.sleep(TOGETHER_S if self._abroad_wants() else HERE_S)
                with contextlib.suppress(RedisError, OSError):  # a screen is late then; a call never is
                    if self.watchers and self._clock() - said_at >= HERE_S:
                        said_at = self._clock()
                        await client.publish(CHANNEL, f"{self._name} watching")
                    while self._abroad:
                        await client.publish(CHANNEL, self._abroad.popleft())

    async def _hear_others(self, redis_url: str) -> None:
        from redis import asyncio as redis
        from redis.exceptions import RedisError

        while True:
            try:
                async with redis.from_url(redis_url) as client, client.pubsub() as heard:
                    await heard.subscribe(CHANNEL)
                    async for one in heard.listen():
                        if one["type"] == "message":
                            self._from_others(one["data"].decode())
            except (RedisError, OSError) as error:
                log.warning("no news from other processes", error=type(error).__name__)
                await asyncio.sleep(1.0)

    def _from_others(self, data: str) -> None:
        name, _, rest = data.partition(" ")
        if rest == "watching":
            if name != self._name:
                self._watched_abroad = self._clock()
            return
        workspace, seq, text = rest.split(" ", 2)
        workspace_id = UUID(workspace)
        kept = self._kept.get(workspace_id)
        if name == self._name or kept is None:
            return
        kept.append((int(seq), text))
        for watcher in self._watchers.get(workspace_id, ()):
            watcher.hand([text], self._gap(workspace_id))
