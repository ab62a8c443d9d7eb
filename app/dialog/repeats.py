"""Says the caller the same over and over? Then it is a machine as well, and two machines would talk for ever (T33).

People repeat themselves too: "yes" a dozen times, a question put three times. The figures lie well above that, and at
seven seconds or so a turn, one to three recordings in a row are noticed within three minutes.
"""

from __future__ import annotations

from app.dialog.words import normal

MEMORY = 24  # sayings
ENOUGH, ENOUGH_SHORT = 7, 20  # of them alike: whole sentences, and those of one or two words
SHORT = 2  # words

Sayings = tuple[str, ...]


def remembered(sayings: Sayings, text: str) -> Sayings:
    """The newest last."""
    return (*sayings, normal(text))[-MEMORY:]


def in_a_loop(sayings: Sayings) -> bool:
    """Whether what was said last has been said too often, with whatever else in between."""
    if not sayings:
        return False
    enough = ENOUGH_SHORT if len(sayings[-1].split()) <= SHORT else ENOUGH
    return sayings.count(sayings[-1]) >= enough
