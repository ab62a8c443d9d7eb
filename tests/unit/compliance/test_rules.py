"""The rules file: every row complete, every fault refused, nothing reviewed that was not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from app.compliance.gate import Campaign, Channel, Consent, Contact, Purpose, decide
from app.compliance.holidays import Holiday, is_holiday
from app.compliance.number import normalise, place
from app.compliance.rules import Window, load, parse
from app.errors import BadInput

TEXT = resources.files("app.compliance").joinpath("rules.yaml").read_text(encoding="utf-8")
RULES = load()
US = RULES.countries["US"]


def test_every_state_of_the_union_has_an_area_code_and_every_restricted_one_a_source() -> None:
    states = {state for states in US.area_codes.values() for state in states}
    assert len(states) == 51
    assert set(US.regions) <= states
    assert all(region.rule.source for region in US.regions.values())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version:", "versoin:"),
        ("  reviewed: false", "  reviewed: maybe"),
        ("08:00-21:00", "21:00-08:00"),
        ("per_24h: 3", "per_24h: three"),
        ("fixed: [1, 1]", "fixd: [1, 1]"),
        ("countries:", "countries: ["),
    ],
)
def test_a_fault_in_the_file_is_refused(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(BadInput, match="Nobody is called"):
        parse(TEXT.replace(old, new, 1))


@pytest.mark.parametrize("state", sorted(US.regions))
def test_C03_each_states_window_to_the_minute(state: str) -> None:
    """Generated from the table: one minute outside each end is refused, the ends inside are allowed."""
    region = US.regions[state]
    code = next(code for code, states in sorted(US.area_codes.items()) if states == {state})
    where = place(f"+1{code}5550111")
    assert where is not None
    wednesday = date(2026, 11, 18)
    window = region.hours.mon_fri
    assert window is not None

    def allowed(at: datetime) -> bool:
        phone = f"+1{code}5550111"
        consent = Consent(phone, "s", "written", "marketing", "text", "proof", datetime(2025, 1, 1, tzinfo=at.tzinfo))
        contact = Contact(phone, (consent,), suppressed=False, attempts=())
        campaign = Campaign("s", Purpose.MARKETING, "+12025550100", frozenset({"+12025550100"}))
        return decide(contact, campaign, Channel.VOICE, at, RULES).allowed

    zones = [ZoneInfo(name) for name in where.zones | US.split_zones.get(code, frozenset())]
    opens = max(datetime.combine(wednesday, window.opens, zone) for zone in zones)
    closes = min(datetime.combine(wednesday, window.closes, zone) for zone in zones)
    minute, may = timedelta(minutes=1), not region.forbidden
    assert [allowed(opens - minute), allowed(opens), allowed(closes - minute), allowed(closes)] == [
        False,
        may,
        may,
        False,
    ]


def test_texas_sunday_is_from_noon() -> None:
    assert US.regions["TX"].hours.sun == Window(*(datetime(2026, 1, 1, hour).time() for hour in (12, 21)))


@pytest.mark.parametrize(
    ("holiday", "day"),
    [
        (Holiday("Thanksgiving", nth=(11, 3, 4)), date(2026, 11, 26)),
        (Holiday("Memorial Day", nth=(5, 0, -1)), date(2026, 5, 25)),
        (Holiday("Last Monday of December", nth=(12, 0, -1)), date(2026, 12, 28)),
        (Holiday("Good Friday", easter=-2), date(2027, 3, 26)),
        (Holiday("New Year", fixed=(1, 1)), date(2027, 12, 31)),  # 1 January 2028 is a Saturday
        (Holiday("Independence Day", fixed=(7, 4)), date(2027, 7, 5)),  # a Sunday: observed on Monday
    ],
)
def test_holidays(holiday: Holiday, day: date) -> None:
    assert is_holiday(day, [holiday])
    assert not is_holiday(day + timedelta(days=2), [holiday])


@pytest.mark.parametrize("text", ["+1 202 555 0111", "+1 (202) 555-0111", "+12025550111", "tel:+1-202-555-0111"])
def test_numbers_are_one_number_however_they_are_written(text: str) -> None:
    assert normalise(text) == "+12025550111"


def test_what_is_no_number() -> None:
    assert normalise("anonymous") is None
    assert normalise("202 555 0111") is None
    assert normalise("202 555 0111", "US") == "+12025550111"
    assert place("+1 202 555 0111") is None
