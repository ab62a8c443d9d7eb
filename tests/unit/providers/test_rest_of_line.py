from hypothesis import given
from hypothesis import strategies as st

from app.ports import Say, Speech, WordAt
from app.providers.rest_of_line import From, Spoken
from app.telephony import mulaw

MS = 300  # a word


def voiced(line: Say, words_a_piece: int = 1) -> list[Speech]:
    """A word every 300 ms, each with a byte of its own so that what is heard can be told."""
    words = line.text.split()
    found = []
    for start in range(0, len(words), words_a_piece):
        here = words[start : start + words_a_piece]
        data = b"".join(bytes([start + place]) * (MS * mulaw.BYTES_PER_MS) for place in range(len(here)))
        timed = tuple(WordAt(word, place * MS, (place + 1) * MS) for place, word in enumerate(here))
        found.append(Speech(data, timed))
    return found


def said(line: Say, words: int) -> Spoken:
    spoken = Spoken(line)
    for speech in voiced(line)[:words]:
        spoken.add(speech)
    return spoken


LINE = Say(("We have a slot.", "Tuesday", "at ten."), "offer", protected=True)


def test_what_is_left_begins_in_the_part_that_broke_off():
    assert said(LINE, 0).left() == (LINE, 0)
    assert said(LINE, 3).left() == (LINE, 2)
    assert said(LINE, 4).left() == (Say(("Tuesday", "at ten."), "offer", True), 0)
    assert said(LINE, 6).left() == (Say(("at ten.",), "offer", True), 0)
    assert said(LINE, 7).left()[0].parts == ()


def test_what_was_said_before_is_not_left_because_the_next_voice_failed_sooner():
    assert said(LINE, 0).left(at_least=3) == (LINE, 2)


def test_without_word_times_it_is_guessed_and_rather_repeated():
    spoken = Spoken(LINE)
    spoken.add(Speech(mulaw.silence(65 * len("We have a"))))
    assert spoken.count <= 2
    assert spoken.text_left().endswith("slot. Tuesday at ten.")


@given(
    st.lists(st.lists(st.sampled_from(["a", "to", "noon", "slot."]), min_size=1, max_size=4), min_size=1, max_size=4),
    st.integers(0, 16),
    st.integers(1, 3),
)
def test_no_word_is_lost_and_at_most_one_is_said_twice(parts, delivered, words_a_piece):
    line = Say(tuple(" ".join(part) for part in parts), "x")
    words = line.text.split()
    delivered = min(delivered, len(words))
    rest, word = said(line, delivered).left()
    entry = From(rest, word)
    heard = [speech for piece in voiced(rest, words_a_piece) if (speech := entry.take(piece))]
    again = [timed.text for speech in heard for timed in speech.words]
    assert len(words) - delivered <= len(again) <= len(words) - delivered + 1
    assert words[len(words) - len(again) :] == again
    assert sum(mulaw.duration_ms(speech.mulaw) for speech in heard) == len(again) * MS
    assert all(0 <= timed.started_ms < timed.ended_ms for speech in heard for timed in speech.words)


def test_a_voice_without_word_times_is_entered_by_the_clock():
    rest, word = Say(("one two three four five six",), "x"), 3
    entry = From(rest, word)
    heard = [piece for _ in range(20) if (piece := entry.take(Speech(mulaw.silence(100))))]
    assert 8 <= len(heard) <= 12
