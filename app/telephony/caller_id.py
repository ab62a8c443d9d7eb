"""Who is calling, as far as the carrier says. Never proof of identity."""

from __future__ import annotations

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

# What Twilio puts in `From` for a caller who hides the number: the words spelled on a keypad, or the words themselves.
# Source: help.twilio.com, "Why am I getting calls from these strange numbers?"
_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+464"})


def number_of(caller: str) -> str | None:
    """The caller's number as E.164; None when it is withheld or is no telephone number (client:..., sip:...)."""
    text = caller.strip().removeprefix("whatsapp:")
    if text in _WITHHELD or not _E164.fullmatch(text):
        return None
    return text
