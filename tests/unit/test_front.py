"""Whom a call goes to: the process that has room and the fewest calls, those just handed over among them."""

from __future__ import annotations

from typing import Any, cast

from app.api.news import Standing
from app.front import SETTLING_S, Child


def child(calls: int, *, room: bool = True, stood_at: float = 0.0) -> Child:
    not_asked = cast(Any, None)  # neither its channel nor its process has a say in this
    found = Child(0, not_asked, not_asked, began=0.0)
    found.standing, found.stood_at = Standing(calls, room=room, ready=True), stood_at
    return found


def test_calls_that_ring_at_once_are_spread_also_when_a_process_tells_how_it_stands_in_between() -> None:
    one, other = child(0), child(0)
    for n in range(6):
        now = n * 0.01
        chosen = min((one, other), key=lambda each: each.burden(now))
        chosen.given.append(now)
        chosen.standing, chosen.stood_at = Standing(0, room=True, ready=True), now  # told before it heard of the call
    assert len(one.given) == len(other.given) == 3


def test_what_was_handed_over_is_forgotten_once_it_is_among_the_calls_told_of() -> None:
    process = child(2)
    process.given.extend((0.0, 0.1))
    assert process.burden(0.2) == (False, False, 4)
    assert process.burden(0.2 + SETTLING_S) == (True, False, 2)  # and it has not said for so long how it stands
