"""Is the worker really working? A task is sent through the broker to one worker and must be seen to have run.

A Celery worker can reconnect to Redis, look healthy and never consume again (Celery issues 8030, 8091, 8384, 10205).
Only work that gets done shows that work gets done. The supervisor sends probes, looks for their mark in Redis, and
replaces a worker that stays silent while the broker answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from celery import current_app
from kombu.entity import Queue

from workers.broker import Broker, queue_named

PROBE_EVERY_S = 5.0
PATIENCE_S = 45.0  # more than the longest task (limits.TASK_LIMIT_S) and the start of a worker
FORGET_S = 600


@dataclass(frozen=True, slots=True)
class Pulse:
    """When a worker last showed life, and since when the broker has answered without a break. Seconds, monotonic."""

    alive_at: float
    broker_since: float | None = None
    seen: int = 0

    def looked(self, now: float, seen: int | None) -> Pulse:
        """`seen` is the number of the last probe that ran (0: none), or None when the broker did not answer."""
        if seen is None:
            return replace(self, broker_since=None)
        since = now if self.broker_since is None else self.broker_since
        if seen > self.seen:
            return Pulse(now, since, seen)
        return replace(self, broker_since=since)

    def silent(self, now: float, patience_s: float = PATIENCE_S) -> bool:
        """Only while the broker answers: without it no worker can show life."""
        return self.broker_since is not None and now - max(self.alive_at, self.broker_since) >= patience_s


def probe_queue(node: str) -> Queue:
    """Of one worker alone; gone by itself when that worker is."""
    return queue_named(f"probe.{node}", forget_s=FORGET_S)


class Prober:
    """Sends numbered probes to one worker and reads which of them ran last."""

    def __init__(self, node: str, broker: Broker) -> None:
        self._node = node
        self._queue = probe_queue(node)
        self._broker = broker
        self._sent = 0

    def look(self) -> int | None:
        """The number of the last probe that ran, then sends the next; None when the broker does not answer."""
        seen = self._broker.marked(_mark(self._node))
        if seen is None:
            return None
        self._sent += 1
        sent = self._broker.send("liveness.seen", self._node, self._sent, queue=self._queue, expires_s=FORGET_S)
        return seen if sent else None


def seen(node: str, number: int) -> None:
    """The task: runs in the pool of the worker that is being watched."""
    _broker().mark(_mark(node), number, FORGET_S)


@cache
def _broker() -> Broker:
    """One per process: first used after the pool has forked."""
    return Broker(current_app.conf.broker_url)


def _mark(node: str) -> str:
    return f"strowger:seen:{node}"
