import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    CallerKeyed,
    CallerSaid,
    ColleagueSaid,
    Entry,
    Fact,
    Hinted,
    TurnTimed,
)
from app.dialog.transcript import (
    ColleagueLine,
    Latency,
    Line,
    colleagues_of,
    heard_part,
    latencies_of,
    percentile,
    transcript_of,
)

TEXT = "Good morning, this is Northlight"


def log(*facts: Fact) -> list[Entry]:
    return [Entry(seq, seq * 100, fact) for seq, fact in enumerate(facts, 1)]


@pytest.mark.parametrize(
    ("heard_ms", "heard"),
    [
        (0, ""),
        (100, ""),
        (400, "Good"),
        (1200, "Good"),
        (1300, "Good morning,"),
        (3199, "Good morning, this is"),
        (3200, TEXT),
        (9000, TEXT),
    ],
)
def test_without_word_times_sound_and_letters_run_at_one_pace(heard_ms, heard):
    assert heard_part(TEXT, heard_ms, 3200) == heard


def test_with_word_times_a_word_counts_when_it_was_heard_to_its_end():
    words = [("Good", 200), ("morning,", 900), ("this", 1000)]
    assert heard_part("Good morning, this", 950, 1100, words) == "Good morning,"
    assert heard_part("Good morning, this", 150, 1100, words) == ""


@given(st.text("ab c.", max_size=60), st.integers(0, 5000), st.integers(1, 5000))
def test_what_was_heard_is_how_the_text_begins_and_ends_with_a_word(text, heard_ms, audio_ms):
    heard = heard_part(text, heard_ms, audio_ms)
    assert text.startswith(heard)
    assert len(heard) * audio_ms <= len(text) * heard_ms or heard_ms >= audio_ms
    assert text[len(heard) : len(heard) + 1] in ("", " ") or not heard


def test_the_transcript_holds_what_was_heard_in_the_order_it_began():
    entries = log(
        AgentSaid(1, 0, TEXT, "greeting"),
        AgentSaid(2, 0, "How can I help?", "ask:open"),
        AgentHeard(1, "Good morning,", 1300, 3200, False),
        AgentHeard(2, "", 0, 900, False),
        CallerSaid(1, "Hello", 0.9, 350, 700, "scripted"),
        CallerKeyed(2, "1"),
        CallerSaid(3, "", 0.0, 0, 0, "scripted"),
        AgentSaid(3, 3, "Sorry?", "reprompt"),
    )
    assert transcript_of(entries) == (
        Line("agent", 0, 100, "Good morning,", TEXT, complete=False, seq=1),
        Line("caller", 1, 350, "Hello", seq=5),
        Line("caller", 2, 600, "1", keyed=True, seq=6),
    )


def test_the_waterfall_of_a_turn():
    timed = TurnTimed(2, 1000, 1500, 1300, 1700, 1900, 1905, 1950)
    assert latencies_of(log(timed)) == (Latency(2, 950, 300, 500, 200, 200, 50),)


def test_stages_that_did_not_happen_are_left_out_and_the_opening_is_not_a_turn():
    opening = TurnTimed(0, 0, 0, None, 100, 200, 210, 250)
    cut = TurnTimed(1, 1000, 1000, None, 1700, None, None, None)
    assert latencies_of(log(opening, cut)) == (Latency(1, None, None, 0, 700, None, None),)


@pytest.mark.parametrize(
    ("values", "share", "answer"),
    [([], 0.5, None), ([7], 0.95, 7), ([3, 1, 2], 0.5, 2), ([4, 3, 1, 2], 0.5, 2), (list(range(1, 101)), 0.95, 95)],
)
def test_percentile(values, share, answer):
    assert percentile(values, share) == answer


def test_what_colleagues_said_is_told_apart_from_what_they_whispered() -> None:
    whispered = Hinted("ann", "mention the warranty", "question:warranty")
    entries = log(whispered, ColleagueSaid("ann", "hello"), ColleagueSaid("ann", ""))
    assert colleagues_of(entries) == (
        ColleagueLine(100, "mention the warranty", "question:warranty"),
        ColleagueLine(200, "hello", "spoken"),
    )
    assert transcript_of(entries) == ()
