"""Seats: nobody is accepted and then dropped, and nobody is left behind."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from app.api.news import AskedToEnd, Joined, Lost, News, read, write
from app.api.room import Limits, Room
from app.api.switchboard import FAREWELL_S, PROMISED_S, RING_S, Switchboard
from app.dialog.events import CarrierReport, HandedBack, Overheard, TakenOver, Whispered


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Switchboard:
    return Switchboard(Room(Limits(calls=2)), clock)


def talk(board: Switchboard, sid: str) -> None:
    board.reserve(sid)
    board.connected(sid, lambda reason: None)


def test_what_the_carrier_reports_reaches_the_conversation_while_it_goes_on(board: Switchboard) -> None:
    told: list[CarrierReport] = []
    board.report("CA1", CarrierReport("human"))  # nobody here holds it
    board.connected("CA1", lambda reason: None, told.append)
    board.report("CA1", CarrierReport("machine_start"))
    board.left("CA1", "voicemail")
    board.report("CA1", CarrierReport("unknown"))
    assert told == [CarrierReport("machine_start")]


def test_F22_a_seat_is_taken_from_the_ring_on(board: Switchboard) -> None:
    board.reserve("CA1")
    board.reserve("CA2")
    assert board.why_not("CA3") == "full"
    assert board.why_not("CA1") is None  # the carrier asks again about a call that has its seat


def test_F22_who_rings_counts_as_taken_before_the_conversation_and_who_leaves_does_not(
    board: Switchboard, clock: Clock
) -> None:
    board.reserve("CA1")
    assert (board.taken(), board.talking()) == (1, ())
    board.connected("CA1", lambda reason: None)
    assert board.taken() == 1
    board.left("CA1", "finished")
    assert board.taken() == 0
    board.reserve("CA2")
    clock.now += RING_S + 1
    assert board.taken() == 0


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


def test_C09_a_promised_seat_is_the_calls_that_was_placed_for_it(board: Switchboard) -> None:
    board.reserve("CA1")
    assert board.promise("attempt") is None
    assert board.promise("another") == "full"
    assert board.why_not("CA2") == "full"
    board.came("attempt", "CA3")
    assert board.why_not("CA3") is None
    assert board.live() == 2


def test_C09_a_promised_seat_is_free_when_nobody_is_dialled_or_nobody_comes(board: Switchboard, clock: Clock) -> None:
    board.reserve("CA1")
    assert board.promise("busy") is None
    board.gone("busy")
    assert board.promise("lost") is None
    clock.now += PROMISED_S
    board.came("lost", "CA2")
    assert board.why_not("CA2") is None
    board.reserve("CA2")
    assert board.why_not("CA3") == "full"


def test_C09_a_process_that_drains_promises_nothing_and_keeps_what_it_promised(board: Switchboard) -> None:
    assert board.promise("attempt") is None
    board.drain()
    assert board.promise("another") == "draining"
    board.came("attempt", "CA1")
    assert board.why_not("CA1") is None


# --- two processes behind one port ---


class Pair:
    """Two boards that hear each other at once, through the wire's spelling."""

    def __init__(self, clock: Clock, seats: int = 2) -> None:
        self.boards = [Switchboard(Room(Limits(calls=seats)), clock, partial(self.pass_on, place)) for place in (0, 1)]
        for place, board in enumerate(self.boards):
            self.pass_on(place, board.standing(ready=True))

    def pass_on(self, place: int, news: News) -> None:
        for other in (0, 1):
            if other != place:
                self.boards[other].told(*read(write(news, place)))


@pytest.fixture
def pair(clock: Clock) -> Pair:
    return Pair(clock)


def test_C09_a_seat_promised_here_is_taken_by_a_call_answered_there(clock: Clock) -> None:
    here, there = Pair(clock, seats=1).boards
    assert here.promise("attempt") is None
    there.came("attempt", "CA1")
    assert (here.live(), there.live()) == (1, 1)
    assert here.why_not("CA1") is None
    here.gone("CA1")
    assert (here.live(), there.live()) == (0, 0)


def test_a_call_is_answered_here_and_talks_there(pair: Pair) -> None:
    here, there = pair.boards
    here.reserve("CA1")
    assert there.live() == 1
    there.connected("CA1", lambda reason: None)
    assert here.is_talking("CA1")
    assert (here.talking(), there.talking()) == ((), ("CA1",))
    there.left("CA1", "finished")
    assert here.end_reason("CA1") == "finished"
    here.gone("CA1")
    assert (here.live(), there.live()) == (0, 0)


def test_there_is_room_while_one_of_them_has_some(pair: Pair) -> None:
    here, there = pair.boards
    for sid in ("CA1", "CA2"):
        talk(here, sid)
    assert here.why_not("CA3") is None
    for sid in ("CA3", "CA4"):
        talk(there, sid)
    pair.pass_on(1, there.standing(ready=True))
    assert here.why_not("CA5") == "full"


def test_F19_a_conversation_elsewhere_is_waited_for_and_told_that_its_line_is_dead(pair: Pair) -> None:
    here, there = pair.boards
    there.connected("CA1", lambda reason: there.left("CA1", reason))

    async def ask() -> bool:
        return await here.wait_over("CA1", 0.01)

    assert asyncio.run(ask())
    assert here.end_reason("CA1") == "media_lost"


def test_what_the_carrier_reports_here_reaches_a_conversation_elsewhere(pair: Pair) -> None:
    here, there = pair.boards
    told: list[CarrierReport] = []
    there.connected("CA1", lambda reason: None, told.append)
    here.report("CA1", CarrierReport("human"))
    assert told == [CarrierReport("human")]


def test_a_whisper_and_a_wish_to_end_reach_a_conversation_elsewhere(pair: Pair) -> None:
    here, there = pair.boards
    heard: list[object] = []
    ended: list[str] = []
    there.connected("CA1", ended.append, heard.append)
    assert here.tell("CA1", Whispered("ann", "mention the warranty"))
    assert here.end("CA1", "finished")
    assert heard == [Whispered("ann", "mention the warranty")]
    assert ended == ["finished"]


def test_a_call_elsewhere_is_taken_over_and_handed_back_and_overheard_only_where_its_sound_is(pair: Pair) -> None:
    here, there = pair.boards
    heard: list[object] = []
    there.connected("CA1", lambda reason: None, heard.append)
    assert (here.held_at("CA1"), there.held_at("CA1")) == (1, None)
    assert here.tell("CA1", TakenOver("ann"))
    assert not here.tell("CA1", Overheard("ann", "good morning"))
    assert here.tell("CA1", HandedBack("ann"))
    assert heard == [TakenOver("ann"), HandedBack("ann")]


def test_what_another_machine_asks_is_done_by_the_process_that_holds_the_call_alone(pair: Pair) -> None:
    here, there = pair.boards
    ended: list[str] = []
    there.connected("CA1", ended.append)
    assert not here.asked(AskedToEnd("CA1", "finished"))
    assert there.asked(AskedToEnd("CA1", "finished"))
    assert ended == ["finished"]
    assert not there.asked(AskedToEnd("CA2", "finished"))


def test_nobody_hears_a_whisper_into_a_call_that_is_over(pair: Pair) -> None:
    here, there = pair.boards
    there.connected("CA1", lambda reason: None, lambda news: None)
    there.left("CA1", "finished")
    assert not here.tell("CA1", Whispered("ann", "too late"))
    assert not here.end("CA1", "finished")


def test_F21_what_a_dead_process_held_counts_as_lost_on_the_way(pair: Pair) -> None:
    here, there = pair.boards
    talk(there, "CA1")
    here.told(1, Lost())
    assert here.end_reason("CA1") == "media_lost"
    assert here.why_not("CA1") is None  # it may go on here


def test_a_process_that_joins_learns_what_the_others_hold(pair: Pair, clock: Clock) -> None:
    here, there = pair.boards
    talk(here, "CA1")
    pair.boards[1] = late = Switchboard(Room(Limits(calls=2)), clock)
    here.told(1, Joined())
    assert late.is_talking("CA1")
    assert there is not late
