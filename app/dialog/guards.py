"""Requests that code decides, before and after any model: no more calls, are you a robot, do not record, card numbers.

All work on text as a recogniser gives it: lower case or not, with or without punctuation, English and basic Spanish.
The patterns are data, in `data/guard_rules.txt`. A model may add detections; it can never take one away.
"""

from __future__ import annotations

import re
from importlib.resources import files

from app.dialog.redaction import redact as redact
from app.dialog.words import normal

__all__ = ["asks_robot", "opts_out", "read_rules", "redact", "refuses_recording"]


def read_rules(text: str) -> dict[str, re.Pattern[str]]:
    """Section -> one pattern that matches where any of its lines does."""
    words: dict[str, str] = {}
    sections: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]") and line[1:-1].isidentifier():
            sections[line[1:-1]] = []
        elif [*sections] == ["words"]:
            name, _, pattern = line.partition(" = ")
            words[name] = _filled(pattern, words)
        else:
            sections[[*sections][-1]].append(_filled(line, words))
    return {name: re.compile("|".join(f"(?:{line})" for line in lines)) for name, lines in sections.items() if lines}


def _filled(pattern: str, words: dict[str, str]) -> str:
    return re.sub(r"%(\w+)%", lambda name: words[name[1]], pattern)


_RULES = read_rules((files("app.dialog") / "data" / "guard_rules.txt").read_text(encoding="utf-8"))


def opts_out(text: str) -> bool:
    """Whether the caller asks not to be called (or written to) any more, in any words; doubt goes to the caller."""
    said = normal(text)
    if _RULES["opts_out_alone"].fullmatch(said):
        return True
    rules = (_RULES["opts_out"], _RULES["opts_out_spanish"])
    return any(_meant(said, found) for rule in rules for found in rule.finditer(said))


def _meant(said: str, found: re.Match[str]) -> bool:
    before, after = said[: found.start()].strip(), said[found.end() :]
    if _RULES["narrowed"].match(after):
        return False
    return not _RULES["not_meant"].search(before) or bool(_RULES["asked_for"].search(before))


def asks_robot(text: str) -> bool:
    """Whether the caller asks or guesses that we are a machine. A needless truthful answer does no harm."""
    said = normal(text)
    if _RULES["robot_spanish"].search(said):
        return True
    return any(not _RULES["wants_person"].search(said[: found.start()]) for found in _RULES["robot"].finditer(said))


def refuses_recording(text: str) -> bool:
    """Whether the caller does not want the call recorded or written down."""
    said = normal(text)
    return bool(_RULES["refuses_recording"].search(said)) and not _RULES["recording_is_fine"].search(said)
