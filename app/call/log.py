"""The log of one call on its way to the journal: numbered, timed, redacted, and without words nobody may keep yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from app.call.setup import CallSetup
from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    AppointmentRequested,
    Aside,
    CallerKeyed,
    CallerSaid,
    ColleagueSaid,
    ConsentGiven,
    DisclosureHeard,
    Entry,
    Fact,
    FactLearned,
    HumanRequested,
    OptedOut,
    RecordingRefused,
    Signalled,
    TokensUsed,
    TurnTimed,
    Underrun,
)
from app.ports import Journal

# Fields that hold what was said word for word by the caller or to him by a person, and fields that may repeat it.
_VERBATIM: dict[type[Fact], tuple[str, ...]] = {
    CallerSaid: ("text",),
    ColleagueSaid: ("text",),
    Aside: ("text",),
    FactLearned: ("said",),
    AppointmentRequested: ("said",),
    HumanRequested: ("when",),
    OptedOut: ("words",),
    RecordingRefused: ("words",),
}
_REPEATED: dict[type[Fact], tuple[str, ...]] = {
    AgentSaid: ("text",),
    AgentHeard: ("heard_text",),
    CallerKeyed: ("digits",),
    FactLearned: ("value",),
}
_OF_THE_LINE = (Signalled, TurnTimed, TokensUsed, Underrun)  # says nothing of the sale, and there is much of it


class CallLog:
    """Writes facts, in order, from `seq` on.

    Recording needs consent (C20). Until the caller has heard the recording disclosure to its end, and again after a
    refusal, facts are journaled with the caller's own words left empty; the words still reach the dialogue, which must
    understand an early "do not call me". What was left out is not put back later: whoever had not been told yet did
    not speak for the record.
    """

    def __init__(self, journal: Journal, clock: Callable[[], int], setup: CallSetup) -> None:
        self._journal, self._clock, self._redact = journal, clock, setup.redact
        resumed = setup.resumed
        self._seq = resumed.next_seq if resumed else 1
        self._may_store = resumed.may_store if resumed else False
        self._told: set[str] = set()
        self.talk: list[Entry] = []  # what was said and learned, as it was written

    @property
    def may_store(self) -> bool:
        """Whether the caller's own words may be kept now."""
        return self._may_store

    def write(self, fact: Fact) -> None:
        """Never waits."""
        if isinstance(fact, DisclosureHeard) and fact.kind in self._told:
            return
        self._journal.record(self._entry(fact))

    async def commit(self, fact: Fact) -> None:
        """Returns when the fact and what it promises are durable. Raises what the journal raises."""
        await self._journal.commit(self._entry(fact))

    def _entry(self, fact: Fact) -> Entry:
        match fact:
            case DisclosureHeard(kind):
                self._told.add(kind)
                self._may_store = self._may_store or kind == "recording"
            case RecordingRefused():
                self._may_store = False
            case ConsentGiven("recording"):
                self._may_store = True
        entry = Entry(self._seq, self._clock(), self._cleaned(fact))
        self._seq += 1
        if not isinstance(fact, _OF_THE_LINE):
            self.talk.append(entry)
        return entry

    def _cleaned(self, fact: Fact) -> Fact:
        verbatim, repeated = _VERBATIM.get(type(fact), ()), _REPEATED.get(type(fact), ())
        if not verbatim and not repeated:
            return fact
        clean: dict[str, Any] = {
            name: self._redact(getattr(fact, name)) if self._may_store else "" for name in verbatim
        }
        clean |= {name: self._redact(getattr(fact, name)) for name in repeated}
        return dataclasses.replace(fact, **clean)
