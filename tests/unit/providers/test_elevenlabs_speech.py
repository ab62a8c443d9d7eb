import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.elevenlabs_speech import Ended, Sound, Spelling, Trouble, read

MS = 50  # a character


def sound(chars: str) -> Sound:
    timed = tuple((char, place * MS, (place + 1) * MS) for place, char in enumerate(chars))
    return Sound("c", b"\x00" * (8 * MS * len(chars)), timed)


TEXTS = st.lists(st.text("abc.'", min_size=1, max_size=6), min_size=1, max_size=8).map(" ".join)


@given(TEXTS, st.lists(st.integers(1, 9), min_size=1, max_size=40), st.booleans())
def test_however_it_is_cut_every_word_comes_once_at_its_time(text, sizes, spaced):
    sent = text + " " * spaced
    spelling, found, at = Spelling(text), [], 0
    while at < len(sent):
        size = sizes[at % len(sizes)]
        piece = spelling.speech(sound(sent[at : at + size]))
        length_ms = len(piece.mulaw) // 8
        for word in piece.words:
            assert 0 <= word.started_ms <= word.ended_ms <= length_ms
            found.append((word.text, at * MS + word.ended_ms))
        at += size
    expected, end = [], 0
    for word in text.split():
        end = sent.index(word, end) + len(word)
        expected.append(word)
    assert [word for word, _ in found] == expected
    assert found[-1][1] == len(text) * MS
    assert spelling.complete


def message(**fields) -> str:
    return json.dumps(fields)


AUDIO = b64encode(b"\x01\x02").decode()


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (message(audio=AUDIO, contextId="a"), Sound("a", b"\x01\x02")),
        (message(audio=AUDIO, context_id="a", alignment=None), Sound("a", b"\x01\x02")),
        (
            message(audio=AUDIO, alignment={"chars": ["x"], "charStartTimesMs": [1], "charDurationsMs": [2]}),
            Sound("", b"\x01\x02", (("x", 1, 3),)),
        ),
        (
            message(
                audio=AUDIO, normalizedAlignment={"chars": ["x"], "charStartTimesMs": [1], "charsDurationsMs": [2]}
            ),
            Sound("", b"\x01\x02", (("x", 1, 3),)),
        ),
        (message(audio=AUDIO, alignment={"chars": ["x", "y"], "charStartTimesMs": [1]}), Sound("", b"\x01\x02")),
        (message(audio=None, isFinal=True, contextId="a"), Ended("a")),
        (message(is_final=True, context_id="a"), Ended("a")),
        (message(message="no", error="quota_exceeded", code=1008), Trouble("quota_exceeded", "no")),
        (message(error="odd"), Trouble("odd", "odd")),
        (message(audio="%%%"), None),
        (message(type="viseme"), None),
        ("[1]", None),
        ("{", None),
        ("null", None),
        (b"\xff\xfe", None),
    ],
)
def test_messages(frame, found):
    assert read(frame) == found
