"""Room for another call: by what callers hear now, and by what one more would cost."""

from __future__ import annotations

import pytest

from app.api.room import CALL_SHARE, Limits, Room

LIMITS = Limits(calls=100, lag_ms=50, window_s=5, busy=0.85, files_each=6, files_spare=100)


@pytest.fixture
def room() -> Room:
    return Room(LIMITS)


def test_never_more_calls_than_allowed(room: Room) -> None:
    assert room.why_not(99) is None
    assert room.why_not(100) == "calls"


def test_one_late_moment_is_forgiven_and_a_late_loop_is_not_until_it_is_over(room: Room) -> None:
    for n in range(100):
        room.lagged(400.0 if n == 50 else 2.0, now=n * 0.05)
    assert room.why_not(10) is None
    for n in range(3):
        room.lagged(60.0, now=5 + n * 0.05)
    assert room.why_not(10) == "lag"
    room.lagged(1.0, now=20.0)
    assert room.why_not(10) is None


def test_two_late_moments_a_tenth_of_a_second_apart_turn_nobody_away(room: Room) -> None:
    """Ten looks a second: one stop of 60 ms is the 99th percentile of five seconds, and harmless."""
    for n in range(50):
        room.lagged(60.0 if n in (20, 21) else 2.0, now=n * 0.1)
    assert room.why_not(10) is None


def test_C09_frames_that_go_out_late_turn_callers_away_however_punctual_the_loop_is(room: Room) -> None:
    for n in range(3):
        room.lagged(1.0, now=n * 0.1)
        room.paced(60.0, now=n * 0.1)
    assert room.why_not(10) == "frames"
    assert room.why_not(0) is None
    room.lagged(1.0, now=6.0)  # nothing has been played since
    assert room.why_not(10) is None


def test_lateness_at_the_start_turns_nobody_away_while_nobody_is_there_to_hear_it(room: Room) -> None:
    for n in range(10):
        room.lagged(200.0, now=n * 0.1)
    assert room.why_not(0) is None
    assert room.why_not(1) == "lag"


def test_F22_a_crowd_that_rings_at_once_is_let_in_only_as_far_as_it_can_be_served(room: Room) -> None:
    """Nobody of them costs anything yet: what counts is what they will."""
    room.measured(busy=0.5, talking=50, files=10_000)  # 1 % of a core each
    taken = 50
    while room.why_not(taken) is None:
        taken += 1
    assert taken == pytest.approx(85, abs=1)
    assert room.why_not(taken) == "processor"


def test_F22_before_a_call_has_shown_what_it_costs_it_is_guessed() -> None:
    room, taken = Room(Limits(calls=10_000)), 0
    while room.why_not(taken) is None:
        taken += 1
    assert taken == pytest.approx(0.85 / CALL_SHARE, abs=1)


def test_F26_a_call_without_descriptors_to_come_is_not_taken(room: Room) -> None:
    room.measured(busy=0.0, talking=20, files=112)  # a hundred are for webhooks
    assert room.why_not(20) is None
    assert room.why_not(22) == "files"
