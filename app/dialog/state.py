"""Where a conversation stands, as one frozen value, and what the caller was understood to mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from app.dialog.events import Fact


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a recogniser made of the caller's words.

    `intent` is a general one ("yes", "wants_human", ... "other"); `about` names a question or an objection of the
    playbook ("question:price") or is empty. Both were accepted by the recogniser; the confidences are 0..1. `stop` is
    the probability that the words ask not to be called again: enough of it is asked about, never acted upon.
    """

    intent: str = "other"
    confidence: float = 0.0
    about: str = ""
    about_confidence: float = 0.0
    stop: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
    """Changes only by what the caller did (`engine.answer`) and by what the caller heard (`engine.heard`).

    `topic` is the open question: "menu", "ask:FACT", "confirm:FACT", "appointment", "callback", "whatsapp", "leaving"
    or "closing". It counts as `asked` only once the caller heard it; `put` holds the topics heard before.
    `route`: "" until the caller chose, then "sales", "human" or "done".
    """

    today: date
    direction: str = "inbound"
    route: str = ""
    topic: str = ""
    asked: bool = False
    put: frozenset[str] = frozenset()
    unclear: int = 0
    turns: int = 0
    thanks: int = 0
    sayings: tuple[str, ...] = ()  # the caller's last ones (repeats.py)
    facts: Mapping[str, str] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    confirming: str = ""  # the fact whose digits were read back
    unconfirmed: str = ""  # those digits
    so_far: str = ""  # digits of the number that is being dictated
    misread: int = 0  # read-backs the caller called wrong
    undisclosed: tuple[str, ...] = ()  # purposes of opening lines not yet heard to their end
    disclosings: int = 0  # how often they were said
    news: tuple[Fact, ...] = ()  # heard since the last turn, to be logged with the next reply
    met: tuple[str, ...] = ()  # objections answered once
    told: frozenset[str] = frozenset()  # questions answered
    offered: bool = False
    eager: bool = False  # wants the visit before the questions
    visits: tuple[datetime, ...] = ()  # on the table
    refused: tuple[datetime, ...] = ()
    visit: datetime | None = None
    visit_settled: bool = False
    human_asked: bool = False
    callback: str | None = None
    wants_info: bool = False
    whatsapp: bool | None = None
    promised: str = ""
    ended: str = ""
    hinted: tuple[str, ...] = ()  # what colleagues' hints lead to, at the caller's next turn (hints.py)
    wanted: str = ""  # the fact to ask for before the others
    advised: str = ""  # what the estimate after the last turn would do next (advice.py)
    leaving: str = ""  # words that may ask not to be called again: we ask whether they do
    leavings: int = 0  # how often we asked that

    def learn(self, name: str, value: str) -> State:
        return replace(self, facts={**self.facts, name: value}, skipped=self.skipped - {name})
