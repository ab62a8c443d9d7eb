"""Wishes to be left alone, and sentences that only look like one."""

from __future__ import annotations

import pytest

from app.api.messages import wants_to_stop


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", " Stop. ", "Stop!!!", "STOPALL", "stop all", "quit", "End", "revoke", "opt out", "Opt-out",
        "optout", "cancel", "unsubscribe", "Unsubscribe please", "please stop", "take me off your list",
        "Remove me from this list.", "don't contact me", "Don’t call me again", "do not text me", "dont message me",
        "never call me", "stop texting me", "stop calling", "leave me alone", "STOP NOW", "stop, thanks",
    ],
)  # fmt: skip
def test_C06_stop_in_many_spellings(text: str) -> None:
    assert wants_to_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "yes", "When does it end?", "Can I cancel the appointment and take Friday?", "The bus stop is near",
        "don't stop", "please call me back", "Is there an opt out later?", "we quit smoking", "at the end of May",
        "stop by on Tuesday", "nonstop", "I never got your call",
    ],
)  # fmt: skip
def test_look_alikes_are_not_stops(text: str) -> None:
    assert not wants_to_stop(text)
