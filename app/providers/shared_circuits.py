"""Open circuits known to all processes, through Redis: what one has learned about a provider the others need not.

One sorted set holds what is open, by when it stops to be believed; whoever has it open says so again in time. One
script, one round trip and one request at a time: a Redis that is down or frozen costs nobody anything, and each process
then goes by what it sees itself. Nothing here is worth keeping.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from app.providers.circuits import Circuit, FuseBox, Service
from app.rounds import next_round

KEY = "strowger:circuits"
BELIEVED_S = 20.0
EVERY_S = 1.0
ANSWER_S = 0.5
_MOST = 500  # circuits looked at

# keys: the set. arguments: ms to be believed, then how many are new, how many are known, and those, and those closed.
_SCRIPT = f"""
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local fresh, known = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for i = 4, #ARGV do
  if i < 4 + fresh then redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i])
  elseif i < 4 + fresh + known then redis.call('ZADD', KEYS[1], 'XX', now + ARGV[1], ARGV[i])
  else redis.call('ZREM', KEYS[1], ARGV[i]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
local found = redis.call('ZRANGE', KEYS[1], 0, {_MOST - 1}, 'WITHSCORES')
for i = 2, #found, 2 do found[i] = tostring(found[i] - now) end
return found
"""


class SharedCircuits:
    """One process's view. Makes no connection before `keep_in_step` or `may_probe`."""

    def __init__(self, url: str) -> None:
        import redis.asyncio as redis
        from redis.exceptions import RedisError

        self._redis: Any = redis.Redis.from_url(
            url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, decode_responses=True, retry=None
        )
        self._errors = (RedisError, OSError, TimeoutError)
        self._told: frozenset[Circuit] = frozenset()  # what the others know from us

    async def keep_in_step(self, box: FuseBox) -> None:
        """Until it is cancelled."""
        try:
            while True:
                await self.exchange(box)
                await next_round(EVERY_S)
        finally:
            await self._redis.aclose()

    async def exchange(self, box: FuseBox) -> bool:
        """Says what is open here, learns what is elsewhere. False when Redis did not answer: then nothing changes."""
        here = frozenset(box.opened_here())
        fresh, known, closed = here - self._told, here & self._told, self._told - here
        numbers = (round(BELIEVED_S * 1000), len(fresh), len(known))
        found = await self._ask(*numbers, *_written(fresh), *_written(known), *_written(closed))
        if found is None:
            return False
        now = asyncio.get_running_loop().time()
        everywhere = {
            circuit: now + float(ms) / 1000
            for text, ms in zip(found[::2], found[1::2], strict=True)
            if (circuit := _read(text)) is not None
        }
        for circuit in known - everywhere.keys():  # another process found it well
            box.worked(circuit)
        self._told = frozenset(box.opened_here()) & here
        box.told_of({one: until for one, until in everywhere.items() if one not in here})
        return True

    async def may_probe(self, service: Service, for_s: float) -> bool:
        """True for one process in `for_s`; for each of them when Redis does not answer."""
        name = f"{KEY}:probe:{service.stage}:{service.provider}"
        try:
            async with asyncio.timeout(ANSWER_S):
                return bool(await self._redis.set(name, "1", nx=True, px=round(for_s * 900)))
        except self._errors:
            return True

    async def _ask(self, *arguments: int | str) -> Sequence[str] | None:
        try:
            async with asyncio.timeout(2 * ANSWER_S):
                found: Sequence[str] = await self._redis.eval(_SCRIPT, 1, KEY, *arguments)
                return found
        except self._errors:
            return None


def open_now(url: str) -> tuple[Circuit, ...]:
    """What any process has open, for somebody who only looks; nothing where Redis does not answer."""
    import redis

    client = redis.Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, decode_responses=True)
    try:
        seconds, micros = client.time()
        found = client.zrangebyscore(KEY, seconds * 1000 + micros // 1000, "+inf", start=0, num=_MOST)
    except redis.RedisError:
        return ()
    finally:
        client.close()
    return tuple(circuit for text in found if (circuit := _read(str(text))) is not None)


def _written(circuits: Collection[Circuit]) -> list[str]:
    return sorted(f"{one.stage}|{one.provider}|{one.tenant}" for one in circuits)


def _read(text: str) -> Circuit | None:
    """None for what a newer version may have put there."""
    parts = text.split("|")
    return Circuit(*parts) if len(parts) == 3 else None
