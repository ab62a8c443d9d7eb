"""What is kept of the caller's sound for the recogniser."""

from __future__ import annotations

from app.ports import AudioChunk
from app.providers.offline.tape import KEEP_MS, LONGEST_MS, Tape


def numbered(from_ms: int, to_ms: int) -> list[AudioChunk]:
    """Sound whose every byte is the number of its 20 ms."""
    return [AudioChunk(bytes([at // 20 % 256]) * 160, at) for at in range(from_ms, to_ms, 20)]


def play(tape: Tape, chunks: list[AudioChunk]) -> None:
    for chunk in chunks:
        tape.add(chunk)


def test_a_stretch_holds_the_sound_from_before_it_was_noticed() -> None:
    tape = Tape()
    play(tape, numbered(0, 2000))
    tape.begin(1800)
    play(tape, numbered(2000, 2400))
    assert tape.cut(2200) == b"".join(chunk.mulaw for chunk in numbered(1800, 2200))


def test_the_next_stretch_may_begin_in_what_followed_the_last() -> None:
    tape = Tape()
    play(tape, numbered(0, 1000))
    tape.begin(600)
    tape.cut(800)
    tape.begin(820)
    play(tape, numbered(1000, 1100))
    assert tape.cut(1100) == b"".join(chunk.mulaw for chunk in numbered(820, 1100))


def test_between_stretches_only_half_a_second_is_kept() -> None:
    tape = Tape()
    play(tape, numbered(0, 20_000))
    tape.begin(0)
    assert len(tape.cut(20_000)) == KEEP_MS * 8


def test_lost_sound_is_silence_so_that_times_stay_true() -> None:
    tape = Tape()
    play(tape, numbered(0, 200))
    tape.begin(100)
    play(tape, numbered(400, 500))
    stretch = tape.cut(500)
    assert len(stretch) == 400 * 8
    assert stretch[100 * 8 : 300 * 8] == b"\xff" * 1600


def test_someone_who_never_stops_does_not_fill_the_memory() -> None:
    tape = Tape()
    tape.begin(0)
    play(tape, numbered(0, 3 * LONGEST_MS))
    assert len(tape.cut(3 * LONGEST_MS)) <= LONGEST_MS * 8 + 160
    play(tape, numbered(3 * LONGEST_MS, 3 * LONGEST_MS + 1000))
    tape.begin(3 * LONGEST_MS + 600)
    assert tape.cut(3 * LONGEST_MS + 1000) == b"".join(
        chunk.mulaw for chunk in numbered(3 * LONGEST_MS + 600, 3 * LONGEST_MS + 1000)
    )
