"""What the door of the API needs, made once by the composition root."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.api.v1.claims import Tokens
from app.api.v1.limits import Limits
from app.api.v1.principal import Principal

REMEMBERED_S = 10.0  # how long a role or key is believed that may have been taken away meanwhile (T15 allows 300)
MOST_REMEMBERED = 10_000


class Remembered:
    """Answers that stay true for some seconds, so that not every request asks who somebody is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[Any, tuple[float, Principal]] = {}

    def get(self, name: Any) -> Principal | None:
        until, known = self._known.get(name, (0.0, None))
        return known if until > self._clock() else None

    def put(self, name: Any, principal: Principal) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[name] = (self._clock() + REMEMBERED_S, principal)

    def forget(self, user_id: UUID) -> None:
        """Their role changed or ended, and this process at least knows at once."""
        for name in [name for name, (_, who) in self._known.items() if who.user_id == user_id]:
            del self._known[name]


@dataclass(frozen=True, slots=True)
class Doors:
    """`rate` is requests a minute of one user or key; `origins` are other sites whose pages may use the API."""

    tokens: Tokens
    limits: Limits
    remembered: Remembered
    rate: int
    origins: frozenset[str] = frozenset()
