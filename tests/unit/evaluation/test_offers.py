"""The figures of `strowger evaluate offers`."""

from __future__ import annotations

from app.evaluation.offers import Found, figures_of

FOUND = [
    Found("a", "a", True),
    Found("a", "b", True),
    Found("b", "b", True),
    Found("b", None, False),
    Found("a", None, True),
]


def test_a_package_not_named_is_neither_right_nor_left_out() -> None:
    figures = figures_of(("a", "b"), FOUND)
    assert (figures.calls, figures.named, figures.not_known) == (5, 3, 0.4)
    assert figures.right == 2 / 3
    assert figures.right_of_all == 2 / 5
    assert (figures.told, figures.right_of_told) == (4, 2 / 4)


def test_each_package_has_its_own_figures() -> None:
    a, b = figures_of(("a", "b"), FOUND).packages
    assert (a.callers, a.named, a.precision, a.recall) == (3, 1, 1.0, 0.5)
    assert (b.callers, b.named, b.precision, b.recall) == (2, 2, 0.5, 1.0)


def test_no_calls_are_no_fault() -> None:
    assert figures_of(("a",), []).right == 0.0
