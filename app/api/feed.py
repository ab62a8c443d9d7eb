"""What happens on calls, told to whoever watches, as it happens.

A call only drops a value here: nothing of it waits, and with nobody watching nothing else is done. What was dropped is
written out once per message, however many watch. What comes close together goes out in one frame, a message a line, and
is handed out a few watchers at a time, so that the loop that carries sound is never held for long. Who is too slow is
told of a gap and looks at everything anew.

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
from app.rounds import next_round

log = observe.log(__name__)

KEPT = 2000  # messages of a workspace, for watchers that come back
WAITING = 100  # frames for one watcher before it is told of a gap
AT_FIRST_S = 0.01  # after a quiet time: what one event leads to is told together
TOGETHER_S = 0.08  # from one frame to the next
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


@dataclass(frozen=True, slots=True)
class _Heard:
    """A message of another process, as it wrote it."""

    workspace_id: UUID
    seq: int
    written: str

    def text(self) -> str:
        return self.written


@dataclass(eq=False, slots=True)
class Watcher:
    """One socket. `news` are frames to send, in order: messages, a line each. None ends it."""

    workspace_id: UUID
    news: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def hand(self, frame: str, gap: str) -> None:
        """Never waits. What does not fit is not kept for later: everything that waits gives way to a gap."""
        if self.news.qsize() < WAITING - 1:
            self.news.put_nowait(frame)
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
        self._new: deque[Message | _Heard] = deque(maxlen=20_000)
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
            missed = [text for seq, text in kept if seq > after]
            if missed:
                watcher.news.put_nowait("\n".join(missed))
        elif after and kept:
            watcher.news.put_nowait(self._gap(workspace_id))
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
            await asyncio.sleep(AT_FIRST_S)
            self._stir.clear()
            for workspace_id, texts in self._taken().items():
                frame, gap = "\n".join(texts), self._gap(workspace_id)
                for number, watcher in enumerate(list(self._watchers.get(workspace_id, ())), start=1):
                    watcher.hand(frame, gap)
                    if number % AT_ONCE == 0:
                        await asyncio.sleep(0)
            await asyncio.sleep(TOGETHER_S)

    def _taken(self) -> dict[UUID, list[str]]:
        """What is new, written out once. Kept for those workspaces that somebody has watched."""
        found: dict[UUID, list[str]] = {}
        while self._new:
            message = self._new.popleft()
            kept = self._kept.get(message.workspace_id)
            abroad = isinstance(message, Message) and self._abroad_wants()
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
                await next_round(TOGETHER_S if self._abroad_wants() else HERE_S)
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
        if name != self._name and UUID(workspace) in self._kept:
            self._new.append(_Heard(UUID(workspace), int(seq), text))
            self._stir.set()
