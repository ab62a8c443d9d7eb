"""Spoken by the voice pack's own digits, which are product: a number in groups, with pauses longer than a turn's."""

import pytest

from app.dialog.events import Heard, VoiceOff, VoiceOn
from app.dialog.moves import Expectation
from app.dialog.patience import Patience
from app.evaluation.turns import Case, Result, digits_in, measure, taken_ms, with_good_words, without_words

EXPECTING = Patience().expecting(Expectation("ask:phone", "digits", digits=10))


def case(*spans: tuple[int, int, int], digits: str = "5550123456", pauses: tuple[int, ...] = ()) -> Case:
    """Stretches of voice (from, to, bursts), each noticed 250 ms late, without a word."""
    signals = []
    for began_ms, ended_ms, bursts in spans:
        signals += [(began_ms + 60, VoiceOn(began_ms)), (ended_ms + 250, VoiceOff(ended_ms, bursts))]
        signals.append((ended_ms + 300, Heard("", True, 0.0, began_ms, ended_ms)))
    return Case("one", tuple(signals), digits, spans[-1][1], pauses)


THREE_THREE_FOUR = case(
    (500, 1700, 3), (2700, 3900, 3), (4900, 6500, 4), pauses=(50, 50, 1000, 50, 50, 1000, 50, 50, 50)
)


def test_counting_waits_for_the_last_group_where_a_fixed_silence_does_not():
    assert taken_ms(THREE_THREE_FOUR.signals, EXPECTING) > 6500
    assert taken_ms(THREE_THREE_FOUR.signals, Patience(pause_ms=800)) < 2700


def test_who_was_cut_off_does_not_count_as_quickly_answered():
    result = measure("fixed", [THREE_THREE_FOUR], Patience(pause_ms=800))
    assert result == Result("fixed", 1, 1, ())
    assert result.wait_ms(0.5) is None


def test_the_waits_are_those_after_the_end_of_the_turn():
    result = measure("fixed", [THREE_THREE_FOUR], Patience(pause_ms=1400))
    assert result.cut == 0
    assert 1400 <= (result.wait_ms(0.5) or 0) <= 1450


@pytest.mark.parametrize(
    ("gaps", "pauses", "counts"),
    [
        ((1000, 1000), (50, 50, 1000, 50, 50, 1000, 50, 50, 50), (3, 3, 4)),
        ((300, 900), (290, 100, 100, 880, 100), (1, 3, 2)),
        ((), (100, 100), (3,)),
        ((500, 500), (100,), None),
    ],
)
def test_the_digits_of_each_stretch_follow_from_the_pauses(gaps, pauses, counts):
    at, stretches = 0, [(0, 500)]
    for gap in gaps:
        at += 500 + gap
        stretches.append((at, at + 500))
    assert digits_in(stretches, pauses) == counts


def test_good_words_come_after_the_voice_with_the_true_digits():
    heard = [(at, one) for at, one in with_good_words(THREE_THREE_FOUR).signals if isinstance(one, Heard)]
    assert [(at, one.text) for at, one in heard] == [(1970, "5 5 5"), (4170, "0 1 2"), (6770, "3 4 5 6")]
    assert all(not one.text for _, one in without_words(THREE_THREE_FOUR).signals if isinstance(one, Heard))
