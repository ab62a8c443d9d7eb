"""A call's turns taken again: turn-taking is a pure function, so what it was told and when is all it needs.

`told` makes the log's fact of a signal, `rerun` takes them again, and `compare` shows what other settings would have
decided: for each turn from where it really stood, for what the caller said after another decision nobody knows.

Words nobody may keep are not in the log (C20); turns made of such are taken again by their sounds alone.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from app.dialog import turns
from app.dialog.dictation import spoken_digits
from app.dialog.events import Entry, Heard, Keyed, Signal, Signalled, Tick, TurnsBegan
from app.dialog.moves import Expectation, Said
from app.dialog.patience import Patience
from app.dialog.turns import Action, CutReply, EndCall, Reply, Turn

MANY_DIGITS = 6  # in a piece of the caller's words: it may be a part of what must not be kept
_WAITED_MS = 5000  # how long other settings are watched beyond what really happened
_LATE_MS = 40  # after its time the session may come to it
_SIGNALS = {kind.__name__: kind for kind in get_args(Signal)}


def began(turn: Turn, patience: Patience) -> TurnsBegan:
    """Where turn-taking starts and by which settings, as a fact."""
    return TurnsBegan(turn.since_ms, turn.number, json.dumps(_settings(patience), separators=(",", ":")))


def told(signal: Signal, now_ms: int, expected: Expectation | None, *, keep_words: bool) -> Signalled:
    """A signal as a fact; `expected` None when it is as it was. Without words unless they may be kept; where there are
    many digits they are zeros, and so are keys: one by one they would make up what nobody may keep."""
    match signal:
        case Heard(text=text):
            text = text if keep_words else ""
            if (digits := spoken_digits(text)) >= MANY_DIGITS:
                text = " ".join(["0"] * digits)
            signal = replace(signal, text=text)
        case Keyed(digit) if digit.isdigit():
            signal = replace(signal, digit="0")
    body = {
        field.name: getattr(signal, field.name)
        for field in dataclasses.fields(signal)
        if getattr(signal, field.name) != field.default
    }
    asked = "" if expected is None else _packed(dataclasses.asdict(expected))
    return Signalled(now_ms, type(signal).__name__, _packed(body), asked)


@dataclass(frozen=True, slots=True)
class Decision:
    """What turn-taking did: "reply", "cut" or "end". `turn` is the caller's, `words` what it was made of."""

    turn: int
    at_ms: int
    what: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A turn that would have been taken at another time, or not at all within 5 s (None)."""

    before: Decision
    after: Decision | None


def rerun(entries: Iterable[Entry]) -> tuple[Decision, ...]:
    """The decisions of a call again, from its log. Empty for a log without signals."""
    return tuple(decision for step in _steps(entries) for decision in step.decided)


def compare(entries: Iterable[Entry], **changed: Any) -> tuple[Difference, ...]:
    """Where other settings, fields of `Patience`, would have decided otherwise. Raises TypeError for one there is
    not."""
    steps = list(_steps(entries))
    found = []
    begin = 0
    for place, step in enumerate(steps):
        if step.before.replying and not step.after.replying:
            begin = place + 1
        for decision in step.decided:
            if decision.what == "reply":
                after = _first_reply(steps[begin : place + 1], changed)
                if after is None or not _same(decision, after):
                    found.append(Difference(decision, after))
                begin = place + 1
    return tuple(found)


# --- taking them again ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    signal: Signal
    now_ms: int
    patience: Patience
    before: Turn
    after: Turn
    decided: tuple[Decision, ...]


def _steps(entries: Iterable[Entry]) -> Iterator[_Step]:
    turn: Turn | None = None
    settings = patience = Patience()
    for entry in entries:
        match entry.fact:
            case TurnsBegan(since_ms, number, kept):
                turn = Turn(since_ms=since_ms, sign_ms=since_ms, number=number)
                settings = patience = replace(Patience(), **_known(json.loads(kept)))
            case Signalled() as fact if turn is not None and fact.signal in _SIGNALS:
                patience = settings.expecting(_expected(fact.expected)) if fact.expected else patience
                signal = _SIGNALS[fact.signal](**json.loads(fact.told))
                after, actions = turns.step(turn, signal, fact.now_ms, patience)
                yield _Step(signal, fact.now_ms, patience, turn, after, _decisions(actions, fact.now_ms, after))
                turn = after


def _first_reply(steps: Sequence[_Step], changed: dict[str, Any]) -> Decision | None:
    """When the caller would have been answered, had these settings been in force since then."""
    if not steps:
        return None
    turn = steps[0].before
    for step in steps:
        patience = replace(step.patience, **changed)
        found, turn = _until(turn, step.now_ms, patience)
        if found is not None:
            return found
        if not isinstance(step.signal, Tick):
            turn, actions = turns.step(turn, step.signal, step.now_ms, patience)
            if found := next((d for d in _decisions(actions, step.now_ms, turn) if d.what == "reply"), None):
                return found
    return _until(turn, steps[-1].now_ms + _WAITED_MS, patience)[0]


def _same(one: Decision, other: Decision) -> bool:
    return abs(one.at_ms - other.at_ms) <= _LATE_MS and one.words == other.words


def _until(turn: Turn, until_ms: int, patience: Patience) -> tuple[Decision | None, Turn]:
    """As time passes and nothing else happens."""
    while (due := turns.deadline(turn, patience)) is not None and due < until_ms:
        turn, actions = turns.step(turn, Tick(), due, patience)
        if found := next((d for d in _decisions(actions, due, turn) if d.what == "reply"), None):
            return found, turn
    return None, turn


def _decisions(actions: Sequence[Action], now_ms: int, turn: Turn) -> tuple[Decision, ...]:
    found = []
    for action in actions:
        match action:
            case Reply(to=Said() as said):
                found.append(Decision(said.turn, now_ms, "reply", said.text))
            case Reply(to=to):
                found.append(Decision(to.turn, now_ms, "reply"))
            case CutReply():
                found.append(Decision(turn.number, now_ms, "cut"))
            case EndCall():
                found.append(Decision(turn.number, now_ms, "end"))
    return tuple(found)


# --- facts ------------------------------------------------------------------------------------------------------------


def _packed(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _settings(patience: Patience) -> dict[str, Any]:
    """Those that differ from the defaults."""
    usual = Patience()
    values = {field.name: getattr(patience, field.name) for field in dataclasses.fields(patience)}
    return {name: value for name, value in values.items() if name != "expected" and value != getattr(usual, name)}


def _known(kept: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(Patience)}
    return {name: value for name, value in kept.items() if name in names}


def _expected(asked: str) -> Expectation:
    kept = json.loads(asked)
    return Expectation(**(kept | {"phrases": tuple(kept["phrases"])}))
