from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ProviderDown
from app.ports import AudioChunk
from app.providers.deepgram_results import Hearing, Timeline

FRAME = b"\xff" * 160


def a_result(text: str = "", *, final: bool = True, start: float = 0.0, duration: float = 1.0, **other):
    begin = start + 0.2 if isinstance(start, float) else 0.0
    words = [
        SimpleNamespace(word=word, start=begin + place * 0.2, end=begin + (place + 1) * 0.2)
        for place, word in enumerate(text.split())
    ]
    best = SimpleNamespace(transcript=text, confidence=0.9, words=words)
    made = {"type": "Results", "channel": SimpleNamespace(alternatives=[best]), "is_final": final}
    return SimpleNamespace(**(made | {"start": start, "duration": duration} | other))


def hearing(sent_ms: int = 3000, at_ms: int = 10_000) -> Hearing:
    heard = Hearing()
    for ms in range(0, sent_ms, 20):
        heard.sent(AudioChunk(FRAME, at_ms + ms))
    return heard


def test_times_are_those_of_the_call():
    heard = hearing().take(a_result("hello there", start=1.0), 0)
    assert heard is not None
    assert (heard.text, heard.started_ms, heard.ended_ms, heard.confidence) == ("hello there", 11_200, 11_600, 0.9)


def test_a_final_that_covers_the_end_of_the_voice_ends_with_it():
    """Turn-taking then knows that no more words will come of that voice."""
    listening = hearing()
    listening.voice_on(0)
    listening.voice_off(10_900, 13)
    heard = listening.take(a_result("hello", duration=1.0), 1)
    assert heard is not None
    assert heard.ended_ms == 10_900
    assert listening.silent_s(100) == 0


def test_a_final_before_the_end_of_the_voice_leaves_it_owing():
    listening = hearing()
    listening.voice_on(0)
    listening.voice_off(12_500, 13)
    listening.take(a_result("hello", duration=1.0), 1)
    assert listening.silent_s(3) == 2


def test_silence_owes_nothing():
    assert hearing().silent_s(1000) == 0


def test_a_long_voice_without_news_is_owed_some_before_it_ends():
    listening = hearing()
    listening.voice_on(5)
    assert listening.silent_s(8) == 3
    listening.take(a_result("we", final=False), 8)
    assert listening.silent_s(9) == 1


def test_interims_are_told_when_they_change_and_taken_back_when_nothing_comes_of_them():
    listening = hearing()
    assert listening.take(a_result("we", final=False), 0).final is False
    assert listening.take(a_result("we", final=False), 0) is None
    assert listening.take(a_result("", final=False), 0) is None
    cleared = listening.take(a_result(""), 0)
    assert (cleared.text, cleared.final) == ("", True)
    assert listening.take(a_result("", start=1.0), 0) is None


@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        [],
        SimpleNamespace(type="UtteranceEnd", last_word_end=-1),
        SimpleNamespace(type="Sentiment"),
        SimpleNamespace(type="Results"),
        a_result("x", start="soon"),
        a_result("x", duration=None),
        a_result("x", channel=SimpleNamespace(alternatives=[])),
        a_result("x", channel=7),
    ],
)
def test_what_cannot_be_read_says_nothing(message):
    listening = hearing()
    assert listening.take(message, 0) is None
    assert listening.answered_ms is None


def test_an_error_is_a_failure():
    with pytest.raises(ProviderDown, match="no room"):
        hearing().take(SimpleNamespace(type="Error", description="no room"), 0)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=50))
def test_lost_audio_moves_what_comes_after_and_nothing_else(gaps):
    """Each gap is so many seconds of audio that never came."""
    time, at_ms, sent_ms = Timeline(), 500, 0
    expected = []
    for gap in gaps:
        at_ms += gap * 1000
        expected.append((sent_ms, at_ms))
        time.sent(AudioChunk(FRAME, at_ms))
        at_ms, sent_ms = at_ms + 20, sent_ms + 20
    assert [time.at(ms / 1000) for ms, _ in expected] == [call_ms for _, call_ms in expected]
