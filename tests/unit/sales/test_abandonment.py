"""C09: who answered and had nobody on the line within two seconds, and when a campaign stops because of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.events import AgentHeard, AnsweredBy, CallEnded, CallerVoice, Entry, Fact, TurnTimed
from app.sales.abandonment import LIMIT_MS, Answer, Judged, Leg, Standing, judge, must_stop


def log(*facts: tuple[int, Fact]) -> list[Entry]:
    return [Entry(seq, at_ms, fact) for seq, (at_ms, fact) in enumerate(facts, start=1)]


def heard_at(at_ms: int, turn: int = 0) -> tuple[int, Fact]:
    return at_ms, TurnTimed(turn, 0, 0, None, 0, 0, at_ms, at_ms)


def voice(started_ms: int, ended_ms: int) -> tuple[int, Fact]:
    return ended_ms, CallerVoice(started_ms, ended_ms)


def answered_by(kind: str, at_ms: int = 0) -> tuple[int, Fact]:
    return at_ms, AnsweredBy(kind, 0.9, at_ms)


LEFT = CallEnded("caller_hung_up")
TALKING = Leg("completed", connect_ms=300, lasted_ms=30_000)


@given(st.integers(0, 3000), st.integers(50, 3000), st.integers(-3000, 6000))
def test_C09_the_wait_is_from_the_end_of_the_greeting_to_our_first_sound(start: int, length: int, wait: int) -> None:
    end = start + length
    first = max(start + 1, end + wait)
    judged = judge(TALKING, log(voice(start, end), heard_at(first)))
    expected = max(0, first - end)
    assert judged == Judged(Answer.ABANDONED if expected > LIMIT_MS else Answer.CONNECTED, expected)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_C09_where_no_greeting_was_heard_it_is_from_the_answer(connect_ms: int, first: int) -> None:
    judged = judge(Leg("completed", connect_ms, 30_000), log(heard_at(first), voice(first + 100, first + 900)))
    late = connect_ms + first > LIMIT_MS
    assert judged == Judged(Answer.ABANDONED if late else Answer.CONNECTED, connect_ms + first)


def test_C09_a_second_hello_does_not_start_the_clock_anew() -> None:
    again = log(voice(200, 600), voice(2300, 2700), heard_at(2800))
    assert judge(TALKING, again) == Judged(Answer.ABANDONED, 2200)
    one_greeting = log(voice(200, 600), voice(900, 2700), heard_at(2800))
    assert judge(TALKING, one_greeting) == Judged(Answer.CONNECTED, 100)


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_C09_nobody_answered_and_nobody_was_abandoned(status: str) -> None:
    assert judge(Leg(status), []).answer is Answer.NOT_COUNTED


@pytest.mark.parametrize("status", ["queued", "initiated", "ringing", "in-progress", "completed"])
def test_C09_an_answer_without_a_conversation_is_abandoned_and_so_is_what_nobody_reported_on(status: str) -> None:
    assert judge(Leg(status), []).answer is Answer.ABANDONED
    assert judge(Leg("completed", None, 3000), []).answer is Answer.ABANDONED
    assert judge(Leg("completed", None, 2000), []).answer is Answer.ABANDONED  # by whole seconds: may be three
    assert judge(Leg("completed", None, 1000), []).answer is Answer.NOT_COUNTED  # surely gone before the two seconds


def test_C09_a_conversation_that_never_made_a_sound_is_abandoned_unless_they_left_at_once() -> None:
    assert judge(TALKING, log(voice(0, 500), (900, LEFT))).answer is Answer.NOT_COUNTED
    assert judge(TALKING, log(voice(0, 500), (2600, LEFT))) == Judged(Answer.ABANDONED, 2100)
    assert judge(TALKING, log(voice(0, 500), (900, CallEnded("error")))).answer is Answer.ABANDONED
    assert judge(TALKING, log(voice(0, 500))).answer is Answer.ABANDONED  # the process died
    assert judge(Leg("completed", 400), []).answer is Answer.ABANDONED  # a stream, and no log at all


def test_C09_machines_are_not_people_but_a_person_taken_for_one_is() -> None:
    slow = [voice(0, 500), heard_at(4000)]
    assert judge(TALKING, log(answered_by("voicemail"), *slow)).answer is Answer.NOT_COUNTED
    assert judge(TALKING, log(answered_by("voicemail"), answered_by("human"), *slow)).answer is Answer.ABANDONED
    assert judge(TALKING, log(answered_by("ivr"), answered_by("human"), *slow)).answer is Answer.NOT_COUNTED
    assert judge(TALKING, log(answered_by("not_sure"), *slow)).answer is Answer.ABANDONED


def test_C09_who_was_never_heard_counts_only_against_us() -> None:
    assert judge(TALKING, log(heard_at(100))).answer is Answer.NOT_COUNTED
    assert judge(TALKING, log(heard_at(2000))).answer is Answer.ABANDONED


def test_C09_a_log_that_broke_off_in_the_opening_still_tells_when_it_began() -> None:
    broken = log(voice(0, 500), (3000, AgentHeard(1, "Hello, this", 1500, 4000, False)))
    assert judge(TALKING, broken) == Judged(Answer.CONNECTED, 1000)


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 2000))
def test_C09_no_campaign_goes_on_at_two_percent_or_more_of_fifty(good: int, abandoned: int, old: int) -> None:
    standing = Standing(good + abandoned, abandoned, max(0, abandoned - old))
    share_reached = abandoned / max(1, standing.answered) >= 0.02
    counts = abandoned >= 2 or standing.answered >= 50
    assert (must_stop(standing) is not None) == (share_reached and counts and standing.fresh > 0)


@given(st.integers(0, 2000), st.integers(2, 100))
def test_C09_one_more_abandoned_call_never_lets_a_stopped_campaign_go_on(good: int, abandoned: int) -> None:
    if must_stop(Standing(good + abandoned, abandoned, abandoned)):
        assert must_stop(Standing(good + abandoned + 1, abandoned + 1, abandoned + 1))
    else:
        assert abandoned / (good + abandoned) < 0.02


def test_C09_the_small_numbers() -> None:
    assert must_stop(Standing(0, 0, 0)) is None
    assert must_stop(Standing(1, 1, 1)) is None
    assert must_stop(Standing(49, 1, 1)) is None
    assert must_stop(Standing(50, 1, 1)) is not None
    assert must_stop(Standing(51, 1, 1)) is None
    assert "2 of 2" in (must_stop(Standing(2, 2, 2)) or "")
    assert must_stop(Standing(2, 2, 0)) is None  # a person has let it go on since
