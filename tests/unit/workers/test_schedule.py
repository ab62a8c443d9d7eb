"""What is due when."""

from __future__ import annotations

import pytest

from workers.schedule import Every, due

RELAY = Every("relay", 1.0, lambda: None)
RECONCILE = Every("reconcile", 5.0, lambda: None)


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        ({}, 0.0, (RELAY, RECONCILE)),
        ({"relay": 10.0, "reconcile": 10.0}, 10.9, ()),
        ({"relay": 10.0, "reconcile": 10.0}, 11.0, (RELAY,)),
        ({"relay": 14.5, "reconcile": 10.0}, 15.0, (RECONCILE,)),
        ({"relay": 10.0, "reconcile": 10.0}, 500.0, (RELAY, RECONCILE)),  # after a pause each runs once, not many times
    ],
)
def test_due(last: dict[str, float], now: float, expected: tuple[Every, ...]) -> None:
    assert due((RELAY, RECONCILE), last, now) == expected
