"""When scheduled reports are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.sales.report_times import Times, next_at, span

MADRID = ZoneInfo("Europe/Madrid")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from(["America/New_York", "Europe/Madrid", "Asia/Kathmandu", "UTC"]).map(ZoneInfo)
TIMES = st.builds(Times, st.integers(0, 23), st.none() | st.integers(1, 7))


def test_daily_at_seven_there_in_winter_and_summer() -> None:
    daily = Times(7)
    assert next_at(daily, datetime(2026, 1, 10, 5, 59, tzinfo=UTC), MADRID) == datetime(2026, 1, 10, 6, tzinfo=UTC)
    assert next_at(daily, datetime(2026, 1, 10, 6, 0, tzinfo=UTC), MADRID) == datetime(2026, 1, 11, 6, tzinfo=UTC)
    assert next_at(daily, datetime(2026, 7, 10, 6, 0, tzinfo=UTC), MADRID) == datetime(2026, 7, 11, 5, tzinfo=UTC)


def test_a_week_ends_the_day_before_it_is_told_of() -> None:
    monday = Times(8, weekday=1)
    due = next_at(monday, datetime(2026, 11, 20, tzinfo=UTC), MADRID)
    assert due == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert span(monday, due, MADRID) == (datetime(2026, 11, 15, 23, tzinfo=UTC), datetime(2026, 11, 22, 23, tzinfo=UTC))


@given(TIMES, MOMENTS, ZONES)
def test_the_next_time_is_ahead_soon_and_on_its_day(times: Times, now: datetime, zone: ZoneInfo) -> None:
    due = next_at(times, now, zone)
    assert now < due <= now + timedelta(days=8)
    local = due.astimezone(zone)
    assert times.weekday in (None, local.isoweekday())
    assert local.hour in (times.hour, times.hour + 1)  # one later where that hour is left out


@given(TIMES, MOMENTS, ZONES)
def test_spans_follow_one_another_without_gap_or_overlap(times: Times, now: datetime, zone: ZoneInfo) -> None:
    first = next_at(times, now, zone)
    second = next_at(times, first, zone)
    assert span(times, first, zone)[1] == span(times, second, zone)[0]
    assert span(times, first, zone)[1] <= first
