"""The yardsticks of `python -m app.chaos` against calls whose sound is known to the millisecond."""

from types import SimpleNamespace

import pytest

from app.chaos.figures import Figure, worst
from app.chaos.measures import Resumption, doubled, pauses, present, resumption, sounds, waits
from app.exchange.phones import Stretch
from app.exchange.sound import murmur
from app.telephony import mulaw

LINE = [120, 420, 120, 240, 300]  # ms of each word


def record(spoken=(), heard=(), now_ms: int = 20_000, tape: bytes = b""):
    handset = SimpleNamespace(
        spoken=[Stretch(*each) for each in spoken], heard=[Stretch(*each) for each in heard], now_ms=now_ms
    )
    return SimpleNamespace(handset=handset, tape=SimpleNamespace(heard=tape))


def test_a_wait_is_from_the_callers_last_sound_to_the_agents_next():
    held = record(spoken=[(1000, 2000), (6000, 7000)], heard=[(0, 900), (2600, 5000), (9000, 9500)])
    assert waits(held) == [600, 2000]


def test_an_agent_who_is_speaking_already_keeps_nobody_waiting():
    assert waits(record(spoken=[(1000, 2000)], heard=[(1500, 3000)])) == [0]


def test_a_question_nobody_answers_counts_to_the_end_of_the_call():
    assert waits(record(spoken=[(1000, 2000), (6000, 7000)], heard=[(8000, 9000)])) == [6000, 1000]
    assert waits(record(spoken=[(1000, 2000), (6000, 7000)], heard=[], now_ms=9000)) == [7000]


def test_pauses_are_those_of_the_agent_alone():
    held = record(spoken=[(3000, 4000)], heard=[(0, 1000), (2500, 2900), (4500, 5000)])
    assert pauses(held) == [1500]
    assert pauses(held, from_ms=1500) == []


def test_sounds_are_runs_without_a_break():
    tape = b"".join((mulaw.silence(60), murmur(120), mulaw.silence(60), murmur(20), mulaw.silence(40)))
    assert list(sounds(record(tape=tape))) == [(60, 120), (240, 20)]
    assert list(sounds(record(tape=tape), from_ms=200)) == [(240, 20)]


@pytest.mark.parametrize(
    ("heard", "found"),
    [
        (LINE, Resumption(0, 0)),
        ([120, 420, 420, 120, 240, 300], Resumption(1, 0)),  # a whole word twice
        ([120, 180, 420, 120, 240, 300], Resumption(1, 0)),  # the first half of one, and the word again
        ([120, 420, 60, 420, 120, 240, 300], Resumption(2, 0)),
        ([120, 420, 240, 300], Resumption(0, 1)),  # one left out
        ([120, 420], Resumption(0, 3)),  # the end is missing
        ([60, 420, 120, 240, 300], Resumption(0, 1)),  # a word in half that nobody said again
        ([120, 420, 120, 240, 300, 300, 60], None),
        ([130, 420, 120, 240, 300], None),
    ],
)
def test_what_two_voices_made_of_one_line(heard, found):
    assert resumption(LINE, heard) == found


def test_words_are_counted_as_they_were_said():
    assert present("what does it cost", "what it cost") == 0.75
    assert present("what does it cost", "cost it does what") == 0.25
    assert doubled("what does it cost", "what does does it cost") == 1
    assert doubled("so so", "so so") == 0


def test_the_worst_seed_counts():
    small, big = Figure("x", 1.0, 2.0), Figure("x", 3.0, 2.0)
    many, few = Figure("y", 100, 99, "%", True), Figure("y", 90, 99, "%", True)
    found = worst([(1, small), (1, many), (2, big), (2, few), (3, small)])
    assert found == [(2, big), (2, few)]
    assert [figure.holds for figure in (small, big, many, few)] == [True, False, True, False]
    assert few.written() == ("y", ">= 99 %", "90 %")
