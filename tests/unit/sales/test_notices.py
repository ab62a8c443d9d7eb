"""Which rule makes a notice of what, and that each is told once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sales.notice_words import MOST, for_slack, words
from app.sales.notices import (
    USUAL,
    Channel,
    Happened,
    Kind,
    Moved,
    Notice,
    OnTheLine,
    Outage,
    Reached,
    Rule,
    Spent,
    Stopped,
    Wanted,
    due_at,
    notices,
    targets,
)
from app.sales.quiet import Quiet, held_until

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # Friday, ten in the morning in New York
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from(["America/New_York", "Europe/Madrid", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]).map(
    ZoneInfo
)


def told(rule: Rule, *happened: Happened, now: datetime = NOW) -> list[Notice]:
    return list(notices([rule], happened, now, NEW_YORK))


@pytest.mark.parametrize(
    ("line", "hot"),
    [
        (OnTheLine("CA1", probability=0.7), True),
        (OnTheLine("CA1", probability=0.69), False),
        (OnTheLine("CA1", tier="hot"), True),
        (OnTheLine("CA1", tier="warm"), False),
        (OnTheLine("CA1", probability=0.1, tier="hot"), False),  # the call itself says otherwise
    ],
)
def test_a_lead_is_hot_by_the_call_or_else_by_what_was_known(line: OnTheLine, hot: bool) -> None:
    assert bool(told(USUAL[Kind.HOT_LEAD], line)) is hot


def test_a_rule_that_is_off_tells_nothing() -> None:
    assert told(Rule(Kind.HOT_LEAD, on=False, threshold=0.1), OnTheLine("CA1", probability=0.9)) == []


@pytest.mark.parametrize(
    ("when", "due"),
    [
        ("today", NOW),
        ("tomorrow", datetime(2026, 11, 21, 14, 0, tzinfo=UTC)),  # nine in New York
        ("this_week", datetime(2026, 11, 22, 14, 0, tzinfo=UTC)),
        ("when the cows come home", NOW),
    ],
)
def test_a_call_back_is_due_when_it_was_promised(when: str, due: datetime) -> None:
    wanted, rule = Wanted("CA1", when, NOW), USUAL[Kind.CALL_BACK]
    assert due_at(wanted, NEW_YORK) == due
    assert [len(told(rule, wanted, now=due + timedelta(seconds=s))) for s in (-1, 0, 3600)] == [0, 1, 1]
    assert told(rule, wanted, now=due + timedelta(days=8)) == []


@pytest.mark.parametrize(
    ("usd", "percent"), [(79.99, None), (80.0, "80"), (99.0, "80"), (100.0, "100"), (250.0, "100")]
)
def test_a_budget_is_told_of_at_80_and_at_100_percent(usd: float, percent: str | None) -> None:
    found = told(Rule(Kind.BUDGET, threshold=100.0), Spent("2026-11", usd))
    assert [(one.about["percent"], one.subject) for one in found] == ([(percent, percent)] if percent else [])


def test_an_outage_that_goes_on_is_told_again_after_hours_not_minutes() -> None:
    rule, outage = USUAL[Kind.PROVIDER_DOWN], Outage("stt", "deepgram")
    keys = {told(rule, outage, now=NOW + timedelta(minutes=m))[0].key for m in range(0, 24 * 60, 5)}
    assert len(keys) == 5  # New York's day from ten to ten touches five quarters


def test_a_shift_is_told_once_for_as_long_as_its_alert_stands_and_other_alerts_are_not() -> None:
    rule = USUAL[Kind.DRIFT]
    first = told(rule, Moved("drift", "minutes", NOW))
    assert first[0].key == told(rule, Moved("drift", "minutes", NOW), now=NOW + timedelta(days=9))[0].key
    assert first[0].key != told(rule, Moved("drift", "minutes", NOW + timedelta(days=9)))[0].key
    assert told(rule, Moved("outcomes_refused", "2026-11-20", NOW)) == []


HAPPENED = st.one_of(
    st.builds(OnTheLine, st.sampled_from(["CA1", "CA2"]), probability=st.none() | st.floats(0, 1)),
    st.builds(Wanted, st.sampled_from(["CA1", "CA2"]), st.sampled_from(["today", "tomorrow", "?"]), MOMENTS),
    st.builds(Outage, st.sampled_from(["stt", "tts"]), st.sampled_from(["a", "b"])),
    st.builds(Spent, st.just("2026-11"), st.floats(0, 1e6)),
    st.builds(Moved, st.sampled_from(["drift", "other"]), st.sampled_from(["x", "y"]), MOMENTS),
)


@given(st.lists(HAPPENED, max_size=8), MOMENTS, ZONES)
def test_asked_twice_the_rules_answer_the_same_and_name_no_two_things_alike(
    happened: list[Happened], now: datetime, zone: ZoneInfo
) -> None:
    rules = [*USUAL.values(), Rule(Kind.BUDGET, threshold=10.0)]
    first = list(notices(rules, happened, now, zone))
    assert first == list(notices(rules, happened, now, zone))
    by_key: dict[str, set[tuple[str, str, str]]] = {}
    for one in first:
        by_key.setdefault(one.key, set()).add((one.kind, one.subject, one.window))
    assert all(len(subjects) == 1 for subjects in by_key.values())


@given(MOMENTS, ZONES, st.times(), st.times())
def test_quiet_hours_end_later_than_now_and_at_their_end_it_is_not_quiet(
    now: datetime, zone: ZoneInfo, begin: time, end: time
) -> None:
    quiet = Quiet(zone, begin, end)
    until = held_until(quiet, now)
    assert (until is not None) == quiet.at(now)
    if until is not None:
        assert now < until <= now + timedelta(hours=26)  # a day, and an hour that comes twice
        assert not quiet.at(until)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 11, 20, 1, 0, tzinfo=UTC), None),  # eight in the evening
        (datetime(2026, 11, 20, 3, 0, tzinfo=UTC), datetime(2026, 11, 20, 12, 0, tzinfo=UTC)),
        (datetime(2026, 11, 20, 11, 59, tzinfo=UTC), datetime(2026, 11, 20, 12, 0, tzinfo=UTC)),
        (datetime(2026, 11, 20, 12, 0, tzinfo=UTC), None),
        (
            datetime(2026, 3, 8, 4, 0, tzinfo=UTC),
            datetime(2026, 3, 8, 11, 0, tzinfo=UTC),
        ),  # a night of spring: an hour less
    ],
)
def test_quiet_hours_over_midnight(now: datetime, until: datetime | None) -> None:
    assert held_until(Quiet(NEW_YORK, time(22), time(7)), now) == until


def test_in_the_hour_that_comes_twice_quiet_hours_end_in_the_one_it_is() -> None:
    quiet = Quiet(NEW_YORK, time(22), time(1, 30))
    first, second = datetime(2026, 11, 1, 5, 10, tzinfo=UTC), datetime(2026, 11, 1, 6, 10, tzinfo=UTC)  # 1:10 both
    assert held_until(quiet, first) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert held_until(quiet, second) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_no_quiet_hours_hold_nothing() -> None:
    assert held_until(None, NOW) is None
    assert held_until(Quiet(NEW_YORK, time(7), time(7)), NOW) is None


def test_each_address_gets_it_once_on_the_channels_of_the_rule() -> None:
    rule = Rule(Kind.DRIFT, channels=frozenset({Channel.EMAIL, Channel.SLACK}))
    found = targets(rule, ["a@example.com", "a@example.com"], slack=True, browsers=["1"])
    assert found == ((Channel.EMAIL, "a@example.com"), (Channel.SLACK, ""))
    assert targets(rule, [], slack=False, browsers=["1"]) == ()


@pytest.mark.parametrize("locale", ["en", "es", "xx"])
@pytest.mark.parametrize("kind", [*Kind, "test"])
def test_every_notice_has_words_with_nothing_left_to_fill_in(kind: str, locale: str) -> None:
    found = words(kind, {}, locale)
    assert found.title
    assert "{" not in found.title + found.text


@given(st.text(max_size=300))
def test_T09_a_name_stays_on_its_line_and_means_itself(name: str) -> None:
    found = words("hot_lead", {"probability": "0.82"}, "en", who=name)
    assert found.text.isprintable()
    assert len(found.text) < MOST + 100
    assert "<" not in for_slack(found.text)
    assert "82 %" in found.text


@given(MOMENTS, st.integers(0, 72), st.sampled_from(["minute", "hour", "day", "messages", "spend"]))
def test_T06_a_limit_is_told_once_in_its_period(at: datetime, hours: int, cap: str) -> None:
    later = at + timedelta(hours=hours)
    keys = {notice.key for notice in told(USUAL[Kind.LIMIT], Reached(cap, at), Reached(cap, later))}
    if cap in ("minute", "hour"):
        same = at.replace(minute=0, second=0, microsecond=0) == later.replace(minute=0, second=0, microsecond=0)
    else:
        same = at.astimezone(NEW_YORK).date() == later.astimezone(NEW_YORK).date()
    assert len(keys) == (1 if same else 2)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("cap", ["minute", "hour", "day", "messages", "spend"])
def test_T06_a_limit_is_named_in_words(language: str, cap: str) -> None:
    said = words("limit", {"cap": cap}, language)
    assert said.text.split(":")[0].startswith(("Calls a", "Messages a", "USD a", "Llamadas", "Mensajes al", "USD al"))
    assert said.path == "/settings/limits"


def test_C09_a_campaign_that_stops_again_is_told_again() -> None:
    first, again = (Stopped("7", "Spring", 2, 9, NOW + timedelta(hours=hours)) for hours in (0, 1))
    assert len({notice.key for notice in told(USUAL[Kind.CAMPAIGN_STOPPED], first, first, again)}) == 2
    said = words("campaign_stopped", told(USUAL[Kind.CAMPAIGN_STOPPED], first)[0].about, "en")
    assert said.title == "Campaign stopped: Spring"
    assert said.text.startswith("2 of 9 answered calls")
