"""What a workspace's own calls teach: which call counts, from when on, and as what.

A call counts from `SETTLED` after it. Sales are heard of sooner than their absence: a table of all that is known today
would hold this week's buyers and last month's refusals, and promise every lead too much. So younger calls are left out,
whatever is known of them.

Its label is what people or their CRM say of the lead in the end, the newest word counting; else whether the lead came
back within that time and booked. What was booked in the call itself teaches nothing: the model reads it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.sales.lead import Tier

SETTLED = timedelta(days=30)
FROZEN_EVERY = 10  # one call in so many is never trained on: challengers are tried on these


@dataclass(frozen=True, slots=True)
class Known:
    """A call whose end is known: `row` is what the model looked at, `known_at` when its label was settled."""

    call_id: UUID
    called_at: datetime
    known_at: datetime
    converted: bool
    row: Mapping[str, Any]

    @property
    def frozen(self) -> bool:
        return self.call_id.int % FROZEN_EVERY == 0


@dataclass(frozen=True, slots=True)
class Opinion:
    """A person's word on the tier of a call whose end is not known yet: `row` is what the model had looked at. Once the
    end is known it is a Known, whatever the word was: outcomes teach, opinions only until then."""

    call_id: UUID
    at: datetime
    tier: Tier
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Night:
    """What came in between `known_from` and `known_to`, and whether it may be learned from."""

    target: str
    night: str
    known_from: datetime
    known_to: datetime
    outcomes: int
    positives: int
    learned: bool
    why: str
    decided_by: str | None = None
    found: Mapping[str, Any] | None = None

    def holds(self, at: datetime) -> bool:
        return self.known_from < at <= self.known_to


def learnable(known: Iterable[Known], nights: Iterable[Night]) -> tuple[Known, ...]:
    """Without what came in on nights that were refused."""
    refused = [night for night in nights if not night.learned]
    return tuple(one for one in known if not any(night.holds(one.known_at) for night in refused))
