"""How often somebody may ask (T18): a bucket each for the user or key, the workspace, and for routes that cost more.

Buckets are leaky (GCRA): a number that drops with every request and grows back evenly. They live in Redis, one round
trip for all of a request's buckets, so that all processes count together; while Redis is away each counts alone.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app import observe

log = observe.log(__name__)

ANSWER_S = 0.1  # Redis later than this: we count alone
LEFT_ALONE_S = 5.0  # before it is asked again
MOST_BUCKETS = 20_000  # of one process that counts alone

# Requests a minute, for routes that cost us or somebody else more than a read.
ROUTES: Final[dict[str, int]] = {
    "session_open": 20,
    "session_refresh": 60,
    "calls_create": 60,
    "calls_recording": 60,
    "calls_recording_file": 600,  # a player asks for one piece after the other
    "leads_import": 10,
    "leads_export": 10,
    "reports_get": 120,
    "webhooks_test": 20,
    "notifications_test": 20,
    "notifications_subscribe": 30,
    "providers_test": 20,
    "invitations_create": 30,
    "api_keys_create": 30,
}
WORKSPACE_USERS: Final = 20  # a workspace has room for this many users at their full rate

# keys: one per bucket. arguments: for each the interval in us and the burst. Nothing is taken unless all have room.
_SCRIPT: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local fresh, left, wait = {}, {}, 0
for i, key in ipairs(KEYS) do
  local every, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local at = math.max(tonumber(redis.call('GET', key) or '0'), now) + every
  fresh[i] = at
  left[i] = math.floor((now + every * burst - at) / every)
  wait = math.max(wait, at - every * burst - now)
end
if wait <= 0 then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', fresh[i]), 'PX', math.ceil((fresh[i] - now) / 1000) + 1000)
  end
end
return {string.format('%.0f', wait), unpack(left)}
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """`a_minute` requests a minute, and as many as that in one go."""

    name: str
    a_minute: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of the fullest bucket. `wait_s` is 0 when the request may go on."""

    limit: int
    remaining: int
    wait_s: float

    @property
    def headers(self) -> dict[str, str]:
        reset = 60 * (self.limit - self.remaining) / self.limit
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(max(1, round(max(reset, self.wait_s)))),
        }


class Limits:
    def __init__(self, redis_url: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._alone = Alone(clock)
        self._redis: Any = None
        self._ask: Any = None
        self._again_at = float("-inf")
        if redis_url is not None:
            import redis.asyncio as redis

            self._redis = redis.Redis.from_url(
                redis_url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, retry=None
            )
            self._ask = self._redis.register_script(_SCRIPT)

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()

    async def take(self, buckets: Sequence[Bucket]) -> Verdict:
        """Takes one from every bucket, or from none when one is empty."""
        wait_us, left = await self._shared(buckets) or self._alone.take(buckets)
        fullest = min(range(len(buckets)), key=lambda i: left[i] / buckets[i].a_minute)
        return Verdict(buckets[fullest].a_minute, max(0, left[fullest]), max(0.0, wait_us / 1e6))

    async def _shared(self, buckets: Sequence[Bucket]) -> tuple[float, list[int]] | None:
        if self._ask is None or self._clock() < self._again_at:
            return None
        from redis.exceptions import RedisError

        arguments = [number for one in buckets for number in (60_000_000 // one.a_minute, one.a_minute)]
        try:
            wait, *left = await self._ask(keys=[f"strowger:rate:{one.name}" for one in buckets], args=arguments)
            return float(wait), [int(number) for number in left]
        except (RedisError, OSError, TimeoutError) as error:
            self._again_at = self._clock() + LEFT_ALONE_S
            log.warning("requests are counted by each process alone", error=type(error).__name__)
            return None


class Alone:
    """The same arithmetic in this process. Buckets that were not touched for longest are forgotten first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, buckets: Sequence[Bucket]) -> tuple[float, list[int]]:
        """us to wait, and what is left in each."""
        now = self._clock() * 1e6
        fresh, left, wait = [], [], 0.0
        for one in buckets:
            every = 60_000_000 / one.a_minute
            at = max(self._full_at.get(one.name, 0.0), now) + every
            fresh.append(at)
            left.append(int((now + every * one.a_minute - at) / every))
            wait = max(wait, at - every * one.a_minute - now)
        if wait <= 0:
            for one, at in zip(buckets, fresh, strict=True):
                self._full_at[one.name] = at
                self._full_at.move_to_end(one.name)
            while len(self._full_at) > MOST_BUCKETS:
                self._full_at.popitem(last=False)
        return wait, left
