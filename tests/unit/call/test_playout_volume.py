"""Softer, held back and loud again in the middle of a word: what the caller hears, and what we believe they heard."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.playout import LOW_DB, Mark, Piece, Playout
from app.ports import Volume
from app.telephony import mulaw

FRAME_MS = mulaw.FRAME_MS


class Carrier:
    """Plays at real time what reaches it `far_ms` after it was sent; marks take as long to come back."""

    def __init__(self, playout: Playout, far_ms: int) -> None:
        self.playout, self.far_ms, self.now_ms = playout, far_ms, 0
        self.coming: list[tuple[int, Mark | Piece | None]] = []  # None: forget everything
        self.marks: list[tuple[int, str]] = []
        self.buffer: list[tuple[str, int, bytes] | str] = []  # frames with their place, and marks
        self.place = (0, 0)
        self.heard: list[tuple[int, int, int, bytes]] = []  # when, utterance, place in it, sound

    def pump(self) -> None:
        self.coming += [(self.now_ms + self.far_ms, part) for part in self.playout.due(self.now_ms)]

    def turn(self, volume: Volume) -> None:
        if self.playout.turn(volume, self.now_ms):
            self.forget()
        self.pump()

    def forget(self) -> None:
        self.coming.append((self.now_ms + self.far_ms, None))

    def wait(self, ms: int) -> None:
        """A tick of ours every 100 ms, one of the carrier every 20."""
        for _ in range(ms // FRAME_MS):
            self.arrive()
            self.play()
            self.now_ms += FRAME_MS
            for at_ms, name in [mark for mark in self.marks if mark[0] <= self.now_ms]:
                self.marks.remove((at_ms, name))
                self.playout.marked(name, self.now_ms)
            if self.now_ms % 100 == 0:
                self.pump()

    def arrive(self) -> None:
        while self.coming and self.coming[0][0] <= self.now_ms:
            match self.coming.pop(0)[1]:
                case None:
                    self.marks += [(self.now_ms + self.far_ms, name) for name in self.buffer if isinstance(name, str)]
                    self.buffer.clear()
                case Mark(name):
                    number, _, offset = name.partition("-")[2].partition("-")
                    self.place = (int(number), int(offset))
                    self.buffer.append(name)
                case Piece(sound):
                    for at, frame in enumerate(mulaw.frames(sound)):
                        self.buffer.append((str(self.place[0]), self.place[1] + at * FRAME_MS, frame))

    def play(self) -> None:
        while self.buffer and isinstance(self.buffer[0], str):
            self.marks.append((self.now_ms + self.far_ms, str(self.buffer.pop(0))))
        if self.buffer:
            number, place_ms, frame = self.buffer.pop(0)
            self.heard.append((self.now_ms, int(number), place_ms, frame))

    def heard_ms(self, number: int) -> int:
        return max((place_ms + FRAME_MS for _, one, place_ms, _ in self.heard if one == number), default=0)

    def gaps(self) -> list[int]:
        times = [at_ms for at_ms, *_ in self.heard]
        return [after - before - FRAME_MS for before, after in pairwise(times)]


def said(ms: int) -> bytes:
    """A buzz: its loudness says at which volume it is played."""
    return mulaw.encode((mulaw.decode(bytes(range(0, 256, 2)) * 2) * 0 + 8000).repeat(ms * 8 // 256 + 1)[: ms * 8])


def a_call(far_ms: int = 40, ms: int = 3000) -> tuple[Playout, Carrier]:
    playout = Playout()
    carrier = Carrier(playout, far_ms)
    playout.play(1, said(ms))
    playout.end(1)
    carrier.pump()
    return playout, carrier


def level_db(frame: bytes) -> float:
    import math

    return 20 * math.log10(mulaw.level(frame) / 8000)


@pytest.mark.parametrize("far_ms", [0, 20, 60, 100])
def test_we_are_soft_as_soon_as_the_carrier_hears_of_it_and_no_sound_is_lost_or_repeated(far_ms):
    _, carrier = a_call(far_ms)
    carrier.wait(1000)
    asked_ms = carrier.now_ms
    carrier.turn(Volume.LOW)
    carrier.wait(3000)
    soft_from = next(at_ms for at_ms, _, _, frame in carrier.heard if level_db(frame) < LOW_DB + 1)
    assert soft_from - asked_ms == far_ms + FRAME_MS  # one frame fades
    assert [place_ms for _, _, place_ms, _ in carrier.heard] == list(range(0, 3000, FRAME_MS))
    assert set(carrier.gaps()) == {0}


def test_it_fades_sample_by_sample():
    _, carrier = a_call()
    carrier.wait(1000)
    carrier.turn(Volume.LOW)
    carrier.wait(400)
    carrier.turn(Volume.FULL)
    carrier.wait(3000)
    heard = mulaw.decode(b"".join(frame for *_, frame in carrier.heard)).astype(int)
    assert abs(heard[1:] - heard[:-1]).max() < 8000 / 20  # a step of the ramp and of mu-law, no more
    assert heard.min() == pytest.approx(8000 * 10 ** (LOW_DB / 20), rel=0.05)
    assert heard[-1] == pytest.approx(8000, rel=0.02)


def test_what_is_held_goes_on_where_the_ear_was():
    playout, carrier = a_call()
    carrier.wait(1000)
    carrier.turn(Volume.HELD)
    carrier.wait(2000)
    held = playout.held()
    assert held is not None
    assert held.heard_ms == pytest.approx(carrier.heard_ms(1), abs=2 * 40 + FRAME_MS)
    stopped_ms = carrier.now_ms
    carrier.turn(Volume.FULL)
    carrier.wait(5000)
    assert [place_ms for _, _, place_ms, _ in carrier.heard] == list(range(0, 3000, FRAME_MS))
    assert playout.played(1).complete
    assert playout.played(1).gap_ms == 0
    assert not [at_ms for at_ms, *_ in carrier.heard if 1000 + 2 * 40 <= at_ms < stopped_ms]


def test_it_can_go_on_from_the_beginning_of_a_word():
    playout, carrier = a_call()
    carrier.wait(1000)
    carrier.turn(Volume.HELD)
    carrier.wait(500)
    heard_ms = playout.held().heard_ms
    playout.go_back(1, 700, carrier.now_ms)
    assert playout.held().heard_ms == heard_ms  # it was heard all the same
    carrier.turn(Volume.FULL)
    carrier.wait(200)
    resumed = [place_ms for at_ms, _, place_ms, _ in carrier.heard if at_ms >= 1500]
    assert resumed[0] == 700
    carrier.wait(5000)
    assert playout.played(1).complete


def test_what_is_cut_while_it_is_held_was_not_heard_meanwhile():
    playout, carrier = a_call()
    carrier.wait(1000)
    carrier.turn(Volume.HELD)
    held = playout.held()
    carrier.wait(1500)
    assert playout.clear(carrier.now_ms) == (held,)


def test_nothing_begins_while_we_are_held_back():
    playout = Playout()
    playout.turn(Volume.HELD, 0)
    playout.play(1, said(500))
    assert list(playout.due(100)) == []
    playout.turn(Volume.FULL, 700)
    assert list(playout.due(700))
    playout.marked("g1-1-0", 700)
    playout.marked("g1-1-200", 900)
    assert playout.clear(900)[0].gap_ms == 0


STEPS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(list(Volume))), max_size=12)


@given(STEPS, st.sampled_from([0, 20, 40, 80]), st.booleans())
def test_whatever_the_volume_does_every_sound_is_heard_in_order_and_the_ledger_is_right(steps, far_ms, cut):
    """Two utterances, one after the other. The ledger may lag by what is on its way, never lead."""
    playout = Playout()
    carrier = Carrier(playout, far_ms)
    for number in (1, 2):
        playout.play(number, said(1500))
        playout.end(number)
    carrier.pump()
    carrier.wait(2 * far_ms + FRAME_MS)
    volumes = [Volume.FULL]
    for frames, volume in steps:
        carrier.wait(frames * FRAME_MS)
        carrier.turn(volume)
        volumes.append(volume)
    if cut:
        believed = {played.utterance: played.heard_ms for played in playout.clear(carrier.now_ms)}
        carrier.forget()
        carrier.wait(1000)
        for number, heard_ms in believed.items():
            assert heard_ms <= carrier.heard_ms(number) + FRAME_MS
            assert heard_ms >= carrier.heard_ms(number) - 2 * far_ms - 2 * FRAME_MS
        return
    carrier.turn(Volume.FULL)
    carrier.wait(8000)
    assert [(number, place_ms) for _, number, place_ms, _ in carrier.heard] == [
        (number, place_ms) for number in (1, 2) for place_ms in range(0, 1500, FRAME_MS)
    ]
    assert all(playout.played(number).complete for number in (1, 2))
    if Volume.HELD not in volumes:
        assert set(carrier.gaps()) == {0}
