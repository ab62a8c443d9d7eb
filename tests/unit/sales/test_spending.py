"""The bill of a month."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.sales.prices import Price, Prices
from app.sales.spending import month_of, spent_usd

PRICES = Prices(
    "test",
    "USD",
    (
        Price("carrier", "twilio", "inbound", "started_minute", Decimal("0.01"), "test"),
        Price("tts", "acme", "*", "thousand_characters", Decimal("0.1"), "test"),
        Price("dialogue", "acme", "m", "million_prompt_tokens", Decimal(2), "test"),
        Price("dialogue", "acme", "m", "million_completion_tokens", Decimal(8), "test"),
    ),
)


def test_the_bill_is_the_sum_of_what_has_a_price() -> None:
    used = [
        ("carrier", "twilio", "inbound", "line_ms", 120_000),
        ("tts", "acme", "v", "characters", 5_000),
        ("dialogue", "acme", "m", "prompt", 1_000_000),
        ("dialogue", "acme", "m", "completion", 500_000),
        ("stt", "unknown", "x", "ms", 60_000),
        ("tts", "acme", "v", "a unit of tomorrow", 60_000),
    ]
    assert spent_usd(used, PRICES) == Decimal("6.52")


def test_a_month_begins_at_midnight_there() -> None:
    name, began = month_of(datetime(2026, 11, 1, 2, 0, tzinfo=UTC), ZoneInfo("America/New_York"))
    assert (name, began) == ("2026-10", datetime(2026, 10, 1, 4, 0, tzinfo=UTC))
