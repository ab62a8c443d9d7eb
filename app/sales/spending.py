"""What the calls of a while cost together, from what they used and the price table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.sales.prices import Prices

# What is counted, and the units a price of it may be for. Calls' lines are already rounded up, call by call.
_PER = {
    "line_ms": ("started_minute",),
    "ms": ("minute", "started_minute"),
    "characters": ("thousand_characters",),
    "prompt": ("million_prompt_tokens",),
    "completion": ("million_completion_tokens",),
}


def spent_usd(used: Iterable[tuple[str, str, str, str, int]], prices: Prices) -> Decimal:
    """`used` as (stage, provider, model, unit, amount). What has no price counts nothing: the sum is a lower bound."""
    total = Decimal(0)
    for stage, provider, model, unit, amount in used:
        price = prices.find(stage, provider, model, *_PER.get(unit, ()))
        if price is not None:
            total += price.of(amount)
    return total


OPEN_MS = 5 * 60_000  # how long a call that goes on is taken to last


def open_call_usd(prices: Prices) -> Decimal:
    """What a placed call that has no bill yet is counted with: five minutes of the line."""
    line = (("carrier", "twilio", "outbound"), ("media", "twilio", "stream"))
    found = (prices.find(*what, "started_minute") for what in line)
    return sum((price.of(OPEN_MS) for price in found if price is not None), Decimal(0))


def month_of(now: datetime, zone: ZoneInfo) -> tuple[str, datetime]:
    """The calendar month there: its name and when it began, in UTC."""
    first = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    return f"{first:%Y-%m}", first.astimezone(UTC)
