"""How numbers of people are shown: whole to those who work with them, their end to those who only look."""

from __future__ import annotations

from app.api.v1.principal import Principal, Role

_SHOWN = 4


def number(text: str, caller: Principal) -> str:
    if caller.role.covers(Role.AGENT) or len(text) <= _SHOWN:
        return text
    return "•••• " + text[-_SHOWN:]
