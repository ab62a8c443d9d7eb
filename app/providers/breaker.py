"""A circuit breaker as a value: who fails too often is left alone for a while, then tried with one request.

    closed     -- `failures` within `window_s` -->  open
    open       -- after `rest_s`, one probe is let through (half open)
    half open  -- it worked --> closed;  it failed --> open

Times are seconds on any clock that does not go back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Rules:
    """A probe nobody reports on (the caller hung up) is forgotten after `probe_s`."""

    failures: int = 3
    window_s: float = 60.0
    rest_s: float = 10.0
    probe_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Breaker:
    rules: Rules = field(default_factory=Rules)
    failed_at: tuple[float, ...] = ()
    opened_at: float | None = None
    probed_at: float | None = None

    def admits(self, now: float) -> bool:
        """Whether a request may be made. Who makes it says so with `tried`."""
        if self.opened_at is None:
            return True
        if now - self.opened_at < self.rules.rest_s:
            return False
        return self.probed_at is None or now - self.probed_at >= self.rules.probe_s

    def tried(self, now: float) -> Breaker:
        return self if self.opened_at is None else replace(self, probed_at=now)

    def worked(self) -> Breaker:
        return Breaker(self.rules)

    def opened(self, now: float) -> Breaker:
        """Open from now on, however often it has failed."""
        return Breaker(self.rules, opened_at=now)

    def failed(self, now: float) -> Breaker:
        if self.probed_at is not None:
            return self.opened(now)
        if self.opened_at is not None:  # of a request made before it opened
            return self
        recent = (*(at for at in self.failed_at if now - at < self.rules.window_s), now)
        if len(recent) >= self.rules.failures:
            return self.opened(now)
        return replace(self, failed_at=recent)
