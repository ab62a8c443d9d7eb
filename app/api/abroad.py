"""What a process asks of a call that another machine holds: to say goodbye, to hear a whisper. Through Redis.

Every process hears every wish; the one that holds the call does it and says so. No answer in time, or no Redis: not
done. Sound does not go this way.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app import observe
from app.api.news import AskedToEnd, PassedOn, read, write
from app.errors import BadInput

log = observe.log(__name__)

CHANNEL = "strowger:wishes"
ANSWER_S = 1.0
_KEPT_S = 10  # an answer that nobody fetched
_NOWHERE = -1  # other machines have no place behind this port

Wish = AskedToEnd | PassedOn


class Abroad:
    """`obey` does a wish for a call of this process; False when the call is not here."""

    def __init__(self, redis_url: str | None, obey: Callable[[Wish], bool]) -> None:
        self._redis_url, self._obey = redis_url, obey

    async def ask(self, wish: Wish) -> bool:
        """Whether somebody has done it."""
        if self._redis_url is None:
            return False
        from redis import asyncio as redis
        from redis.exceptions import RedisError

        answer = f"{CHANNEL}:{secrets.token_hex(8)}"
        try:
            async with asyncio.timeout(2 * ANSWER_S), redis.from_url(self._redis_url) as client:
                await client.publish(CHANNEL, f"{answer} ".encode() + write(wish, _NOWHERE))
                return await client.blpop([answer], timeout=ANSWER_S) is not None
        except (RedisError, OSError) as error:
            log.warning("other machines cannot be asked", error=type(error).__name__)
            return False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While inside, the wishes of other machines are obeyed."""
        if self._redis_url is None:
            yield
            return
        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(self._hear(self._redis_url), name="wishes")
            try:
                yield
            finally:
                hearing.cancel()

    async def _hear(self, redis_url: str) -> None:
        from redis import asyncio as redis
        from redis.exceptions import RedisError

        while True:
            try:
                async with redis.from_url(redis_url) as client, client.pubsub() as heard:
                    await heard.subscribe(CHANNEL)
                    async for one in heard.listen():
                        if one["type"] == "message" and (answer := self._done(one["data"])):
                            await client.rpush(answer, b"done")
                            await client.expire(answer, _KEPT_S)
            except (RedisError, OSError) as error:
                log.warning("no wishes from other machines", error=type(error).__name__)
                await asyncio.sleep(1.0)

    def _done(self, data: bytes) -> str | None:
        """Where to say so, if it was done here."""
        answer, _, written = data.partition(b" ")
        try:
            _, wish = read(written)
        except BadInput as error:
            log.warning("unreadable wish", error=str(error))
            return None
        if isinstance(wish, AskedToEnd | PassedOn) and self._obey(wish):
            return answer.decode()
        return None
