from hypothesis import given
from hypothesis import strategies as st

from app.exchange.playout import LIMIT_BYTES, Playout
from app.exchange.sound import FRAME_BYTES, QUIET

LOUD = b"\x10" * FRAME_BYTES


def test_audio_leaves_in_order_at_160_bytes_a_pull_and_silence_follows():
    playout = Playout()
    playout.put(b"\x01" * 200)
    playout.put(b"\x02" * 40)
    assert [playout.pull()[0] for _ in range(3)] == [
        b"\x01" * 160,
        b"\x01" * 40 + b"\x02" * 40 + b"\xff" * 80,
        QUIET,
    ]


def test_a_mark_with_nothing_waiting_is_due_at_once():
    playout = Playout()
    assert playout.mark("first")
    playout.put(LOUD)
    assert not playout.mark("second")


def test_a_mark_is_due_when_the_audio_before_it_has_been_played_not_when_it_begins():
    playout = Playout()
    playout.put(LOUD * 2)
    playout.mark("end")
    assert [playout.pull()[1] for _ in range(3)] == [[], [], ["end"]]
    assert playout.mark("later")


def test_a_mark_waits_for_the_frame_that_is_in_the_air():
    playout = Playout()
    playout.put(LOUD)
    playout.pull()
    assert not playout.mark("end")
    assert playout.pull()[1] == ["end"]


def test_clear_silences_at_once_and_returns_every_waiting_mark_in_order():
    playout = Playout()
    playout.put(LOUD * 50)
    playout.mark("a")
    playout.put(LOUD * 50)
    playout.mark("b")
    playout.pull()
    assert playout.clear() == ["a", "b"]
    assert playout.pull() == (QUIET, [])
    assert playout.clear() == []


def test_audio_after_a_clear_is_played_and_its_marks_are_counted_from_there():
    playout = Playout()
    playout.put(LOUD * 100)
    playout.pull()
    playout.clear()
    playout.put(b"\x05" * 160)
    playout.mark("new")
    assert playout.pull() == (b"\x05" * 160, [])
    assert playout.pull() == (QUIET, ["new"])


def test_more_than_ten_minutes_are_refused_and_what_fits_is_kept():
    playout = Playout()
    assert playout.put(b"\x01" * LIMIT_BYTES)
    assert not playout.put(b"\x02")
    playout.pull()
    assert playout.put(b"\x02" * 160)
    assert playout.waiting_ms == 600_000


def test_a_dry_spell_between_two_marks_is_a_gap_and_one_after_clear_is_not():
    playout = Playout()
    playout.put(LOUD)
    playout.mark("g1-1-0")
    for _ in range(4):
        playout.pull()
    playout.put(LOUD)
    playout.mark("g1-1-20")
    playout.pull()
    playout.pull()
    (gap,) = playout.gaps
    assert (gap.at_ms, gap.ms, gap.before, gap.after) == (40, 60, "g1-1-0", "g1-1-20")
    playout.put(LOUD * 3)
    playout.pull()
    playout.clear()
    playout.pull()
    playout.put(LOUD)
    playout.pull()
    assert len(playout.gaps) == 2  # the pause before the three frames, and not the silence on purpose


@given(st.lists(st.one_of(st.integers(0, 700), st.sampled_from(["mark", "clear", "pull"])), max_size=60))
def test_every_mark_comes_back_exactly_once_and_in_order(steps: list[int | str]) -> None:
    playout, sent, returned, put, heard, cleared = Playout(), 0, [], 0, 0, False
    for step in steps:
        if step == "mark":
            name, sent = str(sent), sent + 1
            if playout.mark(name):
                returned.append(name)
        elif step == "clear":
            cleared = True
            returned += playout.clear()
        elif step == "pull":
            frame, due = playout.pull()
            heard += len(frame.replace(b"\xff", b""))
            returned += due
        else:
            playout.put(b"\x10" * int(step))
            put += int(step)
    for _ in range(400):
        frame, due = playout.pull()
        heard += len(frame.replace(b"\xff", b""))
        returned += due
    assert returned == [str(number) for number in range(sent)]
    assert cleared or heard == put
