"""Seats: nobody is accepted and then dropped, and nobody is left behind."""

from __future__ import annotations

import pytest

from app.api.switchboard import FAREWELL_S, RING_S, Switchboard


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Switchboard:
    return Switchboard(2, clock)


def talk(board: Switchboard, sid: str) -> None:
    board.reserve(sid)
    board.connected(sid, lambda reason: None)


def test_F22_a_seat_is_taken_from_the_ring_on(board: Switchboard) -> None:
    board.reserve("CA1")
    board.reserve("CA2")
    assert board.why_not("CA3") == "full"
    assert board.why_not("CA1") is None  # the carrier asks again about a call that has its seat


def test_a_seat_nobody_came_to_is_free_again(board: Switchboard, clock: Clock) -> None:
    board.reserve("CA1")
    board.reserve("CA2")
    clock.now += RING_S
    assert board.why_not("CA3") is None
    assert board.live() == 0


def test_a_conversation_keeps_its_seat_however_long_it_lasts(board: Switchboard, clock: Clock) -> None:
    talk(board, "CA1")
    clock.now += 10 * RING_S
    assert board.live() == 1
    assert board.talking() == ("CA1",)


def test_a_call_that_has_ended_frees_its_seat_but_is_waited_for(board: Switchboard, clock: Clock) -> None:
    """The carrier still asks what comes after the stream; a process that left at once would answer nothing."""
    talk(board, "CA1")
    talk(board, "CA2")
    board.left("CA1", "finished")
    assert board.why_not("CA3") is None
    assert board.end_reason("CA1") == "finished"
    assert board.live() == 2
    board.gone("CA1")
    assert board.live() == 1
    board.left("CA2", "finished")
    clock.now += FAREWELL_S
    assert board.live() == 0


def test_F20_draining_takes_no_new_call_and_keeps_the_ones_it_has(board: Switchboard) -> None:
    talk(board, "CA1")
    board.drain()
    assert board.why_not("CA2") == "draining"
    assert board.why_not("CA1") is None
    assert board.live() == 1


def test_F19_a_lost_stream_may_be_opened_again_even_while_draining(board: Switchboard) -> None:
    talk(board, "CA1")
    board.left("CA1", "media_lost")
    board.drain()
    assert board.why_not("CA1") is None
    board.reserve("CA1")
    assert board.end_reason("CA1") is None
    talk(board, "CA1")
    assert board.talking() == ("CA1",)


def test_gone_never_ends_a_conversation_that_goes_on(board: Switchboard) -> None:
    talk(board, "CA1")
    board.gone("CA1")
    assert board.live() == 1


def test_at_the_drain_limit_every_conversation_is_asked_to_say_goodbye(board: Switchboard) -> None:
    asked: list[str] = []
    board.connected("CA1", asked.append)
    board.reserve("CA2")
    board.end_all("drained")
    assert asked == ["drained"]
