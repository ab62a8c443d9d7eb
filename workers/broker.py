"""The queue as seen by those who put something in: does it answer, and send this. Every call is bounded to seconds."""

from __future__ import annotations

import redis
from celery import current_app
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError

ANSWER_S = 2.0


def queue_named(name: str, forget_s: float | None = None) -> Queue:
    """With an exchange of its own: in the shared one each message would reach every queue bound to it.

    `forget_s`: the broker drops the queue when nobody has used it that long.
    """
    return Queue(name, Exchange(name), routing_key=name, expires=forget_s)  # type: ignore[no-untyped-call]


class Broker:
    """Keeps one connection; open it after any fork. Nothing here raises: a broker that fails has not answered."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)

    def answers(self) -> bool:
        try:
            return bool(self._redis.ping())
        except redis.RedisError:
            return False

    def send(
        self, task: str, *arguments: str | int, queue: Queue | None = None, expires_s: float | None = None
    ) -> bool:
        """False when it is not known to have arrived."""
        try:
            current_app.send_task(task, args=arguments, queue=queue, expires=expires_s, retry=False)
        except OperationalError:
            return False
        return True

    def mark(self, name: str, number: int, keep_s: int) -> None:
        """Leave a number for another process to see. Lost marks do no harm."""
        try:
            self._redis.set(name, number, ex=keep_s)
        except redis.RedisError:
            return

    def marked(self, name: str) -> int | None:
        """The number under this name, 0 when there is none, None when the broker does not answer."""
        try:
            mark = self._redis.get(name)
        except redis.RedisError:
            return None
        return int(mark) if isinstance(mark, bytes) else 0
