"""What the processes behind one port tell each other, one small datagram each: values and their spelling, no socket."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, get_args

from app.errors import BadInput

MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Seated:
    """A call sits on the sender's board, for so long if nothing else comes."""

    call_sid: str
    stage: str
    for_s: float | None = None
    end_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Vacated:
    """The carrier is done with this call, wherever it was."""

    call_sid: str


@dataclass(frozen=True, slots=True)
class AskedToEnd:
    """Whoever holds this conversation says goodbye now."""

    call_sid: str
    reason: str


@dataclass(frozen=True, slots=True)
class AnswerReported:
    """The carrier's detector has said who answered this call, to a process that does not hold it."""

    call_sid: str
    answered_by: str


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A colleague has whispered into this call, through a process that does not hold it."""

    call_sid: str
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class ChangedHands:
    """A colleague takes this call over, or hands it back, through a process that does not hold it."""

    call_sid: str
    who: str
    taken: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How the sender stands, several times a second: silence tells that its event loop is blocked."""

    calls: int
    room: bool
    ready: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """A process began and knows nothing yet."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A process is dead, and every media socket it held."""


News = Seated | Vacated | AskedToEnd | AnswerReported | PassedOn | ChangedHands | Standing | Joined | Lost

_KINDS: dict[str, type[News]] = {kind.__name__: kind for kind in get_args(News)}


def write(news: News, place: int) -> bytes:
    """`place` is the process it is about or from."""
    return json.dumps({"kind": type(news).__name__, "place": place, **asdict(news)}, ensure_ascii=False).encode()


def read(datagram: bytes) -> tuple[int, News]:
    """The place and the news. Raises BadInput."""
    try:
        fields: dict[str, Any] = json.loads(datagram)
        return int(fields.pop("place")), _KINDS[fields.pop("kind")](**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(f"unreadable news: {datagram[:80]!r}") from error
