"""How words sound: for or against what is offered, and whether they commit. From words alone, never from a voice (C47).

A small list of our own, English and Spanish. It tells a trend over a whole call, not the mind of one sentence.
"""

from __future__ import annotations

import re

_FOR = frozenset(
    ("good", "great", "perfect", "nice", "love", "like", "thanks", "thank", "interested", "interesting", "wonderful",
     "excellent", "happy", "glad", "helpful", "fine", "sure", "absolutely", "yes", "exactly", "bueno", "bien",
     "gracias", "perfecto", "claro", "excelente", "sí")
)  # fmt: skip
_AGAINST = frozenset(
    ("bad", "expensive", "scam", "terrible", "awful", "annoying", "hate", "worst", "wrong", "stupid", "waste", "never",
     "stop", "problem", "worried", "trouble", "complain", "ridiculous", "angry", "useless", "ugly", "malo", "caro",
     "estafa", "molesto", "nunca", "mentira")
)  # fmt: skip
_NOT = frozenset({"not", "no", "don't", "dont", "isn't", "can't", "won't", "didn't", "sin"})
_REACH = 3  # words that a "not" turns round
_COMMITS = re.compile(
    r"\b(sign (me|us) up|let'?s do (it|that|this)|let us do it|book (it|me|us|a|the)"
    r"|when can (you|we) (come|start|begin)|i('ll| will) take|we('ll| will) take|i want (it|to book|to buy|to order)"
    r"|count me in|go ahead|i'?m in|send (me|us) the contract|works for (me|us)"
    r"|(lo|la) quiero|hagámoslo|cuándo pueden)\b"
)
_MONEY = re.compile(
    r"\b(price|prices|pricing|cost|costs|expensive|afford|cheap\w*|budget|quote|discount|financ\w+|loan|precio|cuesta|caro)\b"
)


def sentiment(text: str) -> float:
    """-1 to 1: the balance of words for and against, 0 where there are none. "Not good" is against."""
    balance = found = denied = 0
    for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower()):
        if word in _NOT:
            denied = _REACH
            continue
        weight = (word in _FOR) - (word in _AGAINST)
        balance += -weight if denied > 0 else weight
        found += abs(weight)
        denied -= 1
    return balance / found if found else 0.0


def commits(text: str) -> bool:
    """Words of somebody who has decided: "let's do it", "when can you start". A "not" before them does not count."""
    found = _COMMITS.search(text.lower())
    return found is not None and not (_NOT & set(text.lower()[: found.start()].split()[-_REACH:]))


def talks_money(text: str) -> bool:
    return _MONEY.search(text.lower()) is not None


def trend(turns: list[float]) -> float:
    """-2 to 2: how much the second half of the turns is above the first. 0 for fewer than two."""
    if len(turns) < 2:
        return 0.0
    half = len(turns) // 2
    return sum(turns[-half:]) / half - sum(turns[:half]) / half
