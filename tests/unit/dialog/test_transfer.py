"""What counts as an answer to the offer of a person."""

import pytest

from app.dialog.events import Heard, Keyed, VoiceOn
from app.dialog.transfer import choice, defaults

OFFERED_MS = 5000


def words(text: str, *, started_ms: int = 6000, final: bool = True) -> Heard:
    return Heard(text, final, 0.9, started_ms, started_ms + 400)


@pytest.mark.parametrize(
    ("signal", "taken"),
    [
        (Keyed("1"), True),
        (Keyed("9"), False),
        (words("yes please"), True),
        (words("sí"), True),
        (words("no thank you"), False),
        (words("what happened"), None),
        (words(""), None),
        (words("yes", final=False), None),
        (words("yes", started_ms=4000), None),
        (VoiceOn(6000), None),
    ],
)
def test_a_key_or_a_plain_word_said_after_it(signal, taken):
    assert choice(signal, OFFERED_MS) is taken


def test_each_language_names_the_key_and_the_call_back():
    assert defaults("en-US") == defaults("en")
    assert defaults("fr") == defaults("en")
    for language, key, call_back in (
        ("en", "press one", "call you back"),
        ("es-US", "pulse uno", "devolverá la llamada"),
    ):
        offer, _, failed = defaults(language)
        assert key in offer
        assert call_back in offer
        assert call_back in failed
