"""Media tokens: the same question gets the same answer, another question another one."""

from __future__ import annotations

from app.api.tokens import hash_of, media_token

SECRET = "0123456789abcdef0123456789abcdef"


def test_F15_asked_twice_answered_the_same() -> None:
    assert media_token(SECRET, "CA1", 1) == media_token(SECRET, "CA1", 1)


def test_T02_each_call_stream_and_account_has_its_own_token() -> None:
    tokens = {
        media_token(SECRET, "CA1", 1),
        media_token(SECRET, "CA1", 2),
        media_token(SECRET, "CA11", 1),
        media_token(SECRET[::-1], "CA1", 1),
    }
    assert len(tokens) == 4
    assert all(len(token) == 43 and "/" not in token for token in tokens)


def test_what_is_stored_does_not_open_the_door() -> None:
    token = media_token(SECRET, "CA1", 1)
    assert hash_of(token) != token
    assert len(hash_of(token)) == 64
