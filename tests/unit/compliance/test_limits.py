"""Caps on what goes out: each stops at its figure and says when it frees (T06)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.compliance.limits import Limits, Used, calls_over, messages_over
from app.sales.prices import shipped
from app.sales.spending import open_call_usd

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
LIMITS = Limits(10, 100, 500, 50, Decimal("20.00"), ("+1",))
IDLE = Used(0, 0, 0, 0, Decimal(0), NIGHT)


@pytest.mark.parametrize(
    ("used", "rule", "until"),
    [
        (replace(IDLE, minute=10, minute_since=NOW - timedelta(seconds=40)), "T06.minute", NOW + timedelta(seconds=20)),
        (replace(IDLE, hour=100, hour_since=NOW - timedelta(minutes=50)), "T06.hour", NOW + timedelta(minutes=10)),
        (replace(IDLE, day=500), "T06.day", NIGHT),
        (replace(IDLE, spent_usd=Decimal("20.00")), "T06.spend", NIGHT),
    ],
)
def test_T06_each_cap_stops_calls_at_its_figure_and_says_until_when(used: Used, rule: str, until: datetime) -> None:
    assert [(one.rule, one.until) for one in calls_over(LIMITS, used, NOW)] == [(rule, until)]


def test_T06_one_below_each_cap_goes_out() -> None:
    almost = Used(9, 99, 499, 49, Decimal("19.99"), NIGHT)
    assert calls_over(LIMITS, almost, NOW) == messages_over(LIMITS, almost, NOW) == ()


def test_T06_messages_have_a_cap_of_their_own_and_share_the_money() -> None:
    full = replace(IDLE, messages=50, spent_usd=Decimal(21))
    assert [one.rule for one in messages_over(LIMITS, full, NOW)] == ["T06.messages", "T06.spend"]
    assert [one.rule for one in calls_over(LIMITS, replace(IDLE, messages=50), NOW)] == []


def test_T06_a_limit_of_nothing_lets_nothing_out() -> None:
    nothing = Limits(0, 0, 0, 0, Decimal(0), ())
    found = calls_over(nothing, IDLE, NOW)
    assert [one.rule for one in found] == ["T06.minute", "T06.hour", "T06.day", "T06.spend"]
    assert all(one.until is not None and one.until > NOW for one in found)


def test_T06_a_call_that_goes_on_is_counted_before_its_bill_is_there() -> None:
    assert open_call_usd(shipped()) > Decimal("0.01")
