from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.dictation import Stretch, chance_complete, own_pauses, pause_quantile, spoken_digits, wait_ms
from app.dialog.events import Heard

LEAST, MOST, RISK = 350, 1800, 0.03


def voice(*bursts: int, pause_ms: int = 700) -> list[Stretch]:
    """Stretches of so many bursts, 400 ms each, with pauses between them."""
    found: list[Stretch] = []
    at = 1000
    for count in bursts:
        found.append(Stretch(at, at + 400 * count, count))
        at += 400 * count + pause_ms
    return found


def words(stretches: Sequence[Stretch], *texts: str, confidence: float = 0.97) -> list[Heard]:
    return [
        Heard(text, True, confidence, stretch.began_ms, stretch.ended_ms)
        for stretch, text in zip(stretches, texts, strict=False)
    ]


def wait(stretches: Sequence[Stretch], heard: Sequence[Heard] = (), expected: int = 10) -> int:
    return wait_ms(stretches, heard, expected, least_ms=LEAST, most_ms=MOST, risk=RISK)


def test_a_telephone_number_is_not_over_after_its_first_groups():
    assert wait(voice(3)) >= 1500
    assert wait(voice(3, 3)) >= 1500
    assert wait(voice(3, 3, 4)) <= 600


@pytest.mark.parametrize("groups", [(2, 2, 2, 2, 2), (5, 5), (1,) * 10, (4, 3, 3), (3, 3, 4)])
def test_the_groups_may_be_any(groups):
    waits = [wait(voice(*groups[:said])) for said in range(1, len(groups) + 1)]
    assert min(waits[:-1]) >= 1000
    assert waits[-1] <= 700


def test_good_words_settle_what_the_sound_leaves_open():
    fluent = voice(2, 2, 3)  # ten digits that run together
    heard = words(fluent, "five five five", "zero one two", "three four five six")
    assert wait(fluent) >= 1500
    assert wait(fluent, heard) <= 900


def test_words_that_contradict_the_sound_are_not_believed_blindly():
    stretches = voice(3, 3)
    ten = words(stretches, "one two three four five", "six seven eight nine zero", confidence=0.6)
    assert wait(stretches, ten) >= 1000


def test_words_that_are_late_or_empty_change_nothing():
    stretches = voice(3, 3, 4)
    assert wait(stretches, words(stretches, "", "", "")) == wait(stretches)
    assert wait(stretches, words(stretches, "five five five")) <= 600


def test_other_words_are_not_counted_as_digits():
    stretches = voice(6, 3)
    heard = words(stretches, "my number is five five five", "zero one two")
    assert wait(stretches, heard) >= 1500


def test_words_without_a_time_belong_to_the_voice_there_was():
    assert wait([Stretch(1000, 3000)], [Heard("nine four one one zero")], expected=5) == LEAST
    assert wait([Stretch(1000, 3000)], [Heard("nine four")], expected=5) >= 1500


def test_where_nobody_counted_bursts_the_length_of_the_voice_tells():
    assert wait([Stretch(0, 1600)]) >= 1500
    assert wait([Stretch(0, 1600), Stretch(2400, 4000), Stretch(4800, 7000)]) < 1200


def test_a_caller_who_pauses_long_is_given_that_much_again():
    slow = voice(2, 2, 2, 2, pause_ms=1700)
    assert own_pauses(slow) == (1700,) * 3
    assert wait(slow) >= 1.25 * 1700


def test_a_gap_inside_a_group_is_no_pause():
    assert own_pauses(voice(1, 1, 1, pause_ms=300)) == ()


def test_short_pauses_so_far_do_not_promise_a_short_one():
    assert pause_quantile(0.9, (400, 400)) == pause_quantile(0.9)
    assert pause_quantile(0.9, (1400, 1400)) > pause_quantile(0.9)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("", 0),
        ("two oh two, 555", 6),
        ("double seven triple one", 5),
        ("my number is nine", 1),
        ("ought tone", 0),
        ("eight hundred five five five", 6),
        ("forty two fifty", 4),
        ("nineteen twelve", 4),
        ("cinco cinco cero uno", 4),
    ],
)
def test_spoken_digits(text, digits):
    assert spoken_digits(text) == digits


bursts = st.lists(st.integers(1, 6), min_size=1, max_size=8)


@given(bursts, st.integers(3, 16))
def test_the_wait_keeps_its_limits(counts, expected):
    assert LEAST <= wait(voice(*counts, pause_ms=500), expected=expected) <= MOST


@given(bursts, st.integers(3, 12))
def test_the_more_is_missing_the_longer_we_wait(counts, expected):
    stretches = voice(*counts)
    expected = max(expected, sum(counts))
    assert chance_complete(stretches, (), expected) + 1e-9 >= chance_complete(stretches, (), expected + 1)
    assert wait(stretches, expected=expected) <= wait(stretches, expected=expected + 1)


@given(bursts, st.lists(st.text(alphabet="one two", max_size=12), max_size=8), st.floats(0, 1))
def test_a_chance_is_a_chance_whatever_is_heard(counts, texts, confidence):
    stretches = voice(*counts)
    heard = words(stretches, *texts, confidence=confidence)
    assert 0 <= chance_complete(stretches, heard, 10) <= 1
