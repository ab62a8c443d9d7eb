import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.playout import BEHIND_MS, GIVEN_UP_MS, LEAD_MS, LOST_MARK_MS, PIECE_MS, Mark, Piece, Playout
from app.ports import Played


def audio(ms: int) -> bytes:
    return b"\x10" * ms * 8


def sent_ms(parts) -> int:
    return sum(len(part.mulaw) for part in parts if isinstance(part, Piece)) // 8


def marks(parts) -> list[str]:
    return [part.name for part in parts if isinstance(part, Mark)]


def test_the_first_audio_goes_at_once_and_no_more_than_the_lead():
    playout = Playout()
    playout.play(1, audio(1000))
    parts = list(playout.due(0))
    assert sent_ms(parts) == LEAD_MS
    assert marks(parts) == ["g1-1-0", "g1-1-100", "g1-1-200"]
    assert list(playout.due(0)) == []


def test_each_tick_tops_the_lead_up_however_late_it_comes():
    playout = Playout()
    playout.play(1, audio(2000))
    sent = 0
    for now_ms in (0, 100, 200, 350, 400, 590, 700):
        sent += sent_ms(playout.due(now_ms))
        assert LEAD_MS <= sent - now_ms <= LEAD_MS + PIECE_MS
    assert playout.runs_dry_ms(700) == 2000


def test_scraps_are_sent_only_to_keep_a_gap_away_and_in_whole_frames():
    playout = Playout()
    playout.play(1, audio(50))
    assert sent_ms(playout.due(0)) == 40
    playout.play(1, audio(80))  # 90 ms wait; 40 are at the carrier
    assert sent_ms(playout.due(0)) == 80
    playout.play(1, audio(30))
    assert sent_ms(playout.due(0)) == 0  # 120 ms of lead: no hurry
    assert sent_ms(playout.due(60)) == 40
    playout.play(1, audio(5))
    playout.end(1)
    assert sent_ms(playout.due(100)) == 20  # the end is filled up with silence


def test_it_was_heard_when_its_last_mark_came_back():
    playout = Playout()
    playout.play(1, audio(200))
    playout.end(1)
    list(playout.due(0))
    playout.marked("g1-1-0", 15)
    assert playout.began_ms(1) == 15
    playout.marked("g1-1-100", 115)
    assert playout.played(1) is None
    playout.marked("g1-1-200", 215)
    assert playout.played(1) == Played(1, 200, 200)
    assert playout.idle


def test_what_was_cut_counts_to_the_last_mark_and_by_the_clock_from_there():
    playout = Playout()
    playout.play(1, audio(1000))
    playout.play(2, audio(500))
    list(playout.due(0))
    playout.marked("g1-1-0", 10)
    playout.marked("g1-1-100", 110)
    assert playout.clear(150) == (Played(1, 140, 1000), Played(2, 0, 500))
    assert playout.idle


def test_no_more_was_heard_than_was_sent():
    playout = Playout()
    playout.play(1, audio(1000))
    list(playout.due(0))
    playout.marked("g1-1-100", 110)
    assert playout.clear(900) == (Played(1, LEAD_MS, 1000),)


def test_marks_of_what_was_thrown_away_prove_nothing():
    playout = Playout()
    playout.play(1, audio(1000))
    list(playout.due(0))
    playout.clear(50)
    playout.play(2, audio(100))
    playout.end(2)
    assert marks(playout.due(60)) == ["g2-2-0", "g2-2-100"]
    for late in ("g1-1-100", "g1-2-100", "g1-1-200", "nonsense", "g2-2-x", "g2-9-100", ""):
        playout.marked(late, 70)
    assert playout.played(2) is None
    assert playout.played(1) == Played(1, 0, 1000)


def test_audio_for_an_utterance_that_was_cut_is_dropped():
    playout = Playout()
    playout.play(1, audio(1000))
    playout.clear(0)
    playout.play(1, audio(1000))
    assert playout.idle


@pytest.mark.parametrize("late_ms", [0, 30, 500])
def test_a_gap_inside_an_utterance_is_measured(late_ms):
    playout = Playout()
    playout.play(1, audio(100))
    list(playout.due(0))
    playout.play(1, audio(100))
    playout.end(1)
    list(playout.due(100 + late_ms))
    playout.marked("g1-1-200", 300 + late_ms)
    assert playout.played(1) == Played(1, 200, 200, gap_ms=late_ms)


def test_a_pause_between_utterances_is_no_gap():
    playout = Playout()
    for number, now_ms in ((1, 0), (2, 5000)):
        playout.play(number, audio(100))
        playout.end(number)
        list(playout.due(now_ms))
        playout.marked(f"g1-{number}-100", now_ms + 100)
    assert playout.played(2) == Played(2, 100, 100)


def test_a_mark_that_never_comes_is_not_waited_for_for_ever():
    playout = Playout()
    playout.play(1, audio(100))
    playout.end(1)
    list(playout.due(0))
    list(playout.due(100 + LOST_MARK_MS - 1))
    assert playout.played(1) is None
    list(playout.due(100 + LOST_MARK_MS))
    assert playout.played(1) == Played(1, 100, 100)


def test_a_line_without_audio_is_over_at_once():
    playout = Playout()
    playout.end(7)
    assert playout.played(7) == Played(7, 0, 0)


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 300)), min_size=1, max_size=30))
def test_every_byte_is_sent_once_and_in_order_and_the_lead_is_bounded(script):
    """Audio comes in any pieces at any times; ticks come when they come."""
    playout, now_ms, given_, sent = Playout(), 0, bytearray(), bytearray()
    cursor_ms = 0.0  # when the carrier will have played what it was given
    for place, (size, pause_ms) in enumerate(script):
        piece = bytes([place % 251]) * size
        given_ += piece
        playout.play(1, piece)
        if place == len(script) - 1:
            playout.end(1)
        now_ms += pause_ms
        for part in playout.due(now_ms):
            if isinstance(part, Piece):
                sent += part.mulaw
                cursor_ms = max(cursor_ms, now_ms) + len(part.mulaw) / 8
                assert len(part.mulaw) % 160 == 0
                assert cursor_ms - now_ms <= LEAD_MS + PIECE_MS
    while given_ and len(sent) < len(given_):
        now_ms += 100
        sent += b"".join(part.mulaw for part in playout.due(now_ms) if isinstance(part, Piece))
    assert bytes(sent[: len(given_)]) == bytes(given_)
    assert len(sent) - len(given_) < 160


def test_F17_a_carrier_whose_marks_are_long_overdue_gets_no_more_until_the_next_one_or_for_good():
    playout = Playout()
    playout.play(1, audio(60_000))
    for now_ms in range(0, 2000, 100):
        list(playout.due(now_ms))
    playout.marked("g1-1-0", 50)
    overdue = 100 + BEHIND_MS  # the mark at 100 ms is the next
    assert sent_ms(playout.due(overdue)) > 0
    assert sent_ms(playout.due(overdue + 100)) == 0
    playout.marked("g1-1-1500", overdue + 200)
    assert sent_ms(playout.due(overdue + 200)) > 0
    for now_ms in range(overdue + 300, 1600 + GIVEN_UP_MS, 100):
        list(playout.due(now_ms))
    assert sent_ms(playout.due(1600 + GIVEN_UP_MS)) > 0  # its marks have stopped: better heard than waited for
