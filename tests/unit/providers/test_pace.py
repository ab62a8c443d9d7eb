import pytest

from app.providers.pace import Pace


def paced(*seconds: float) -> Pace:
    pace = Pace(slow_s=0.7)
    for each in seconds:
        pace.began(each)
    return pace


def test_nothing_is_usual_before_it_has_happened_a_few_times():
    assert paced().usual_s is None
    assert paced(0.3, 0.3, 0.3, 0.3).usual_s is None
    assert paced(*[0.3] * 5).usual_s == pytest.approx(0.33)


def test_one_late_answer_in_twenty_is_not_usual():
    assert paced(*[0.3] * 19, 1.2).usual_s == pytest.approx(0.33)
    assert paced(*[0.3] * 10, *[0.6] * 10).usual_s == pytest.approx(0.63)


def test_slow_is_who_was_slow_just_now():
    assert not paced(*[0.3] * 20, 1.2).slow
    assert paced(*[0.3] * 20, 1.2, 1.2).slow
    assert not paced(1.2, 1.2, 0.3, 0.3).slow


def test_giving_up_counts_as_slow_and_makes_nothing_usual():
    pace = paced(*[0.3] * 5)
    for _ in range(3):
        pace.failed(1.2)
    assert pace.slow
    assert pace.usual_s == pytest.approx(0.33)
