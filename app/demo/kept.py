"""What was kept of a call: read back from the database, and held against what had to come of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from app.demo.callers import Caller
from app.sales.cost import Cost, cost_of
from app.sales.lead import Score
from app.sales.offer import Suggestion
from app.sales.outcome import Outcome
from app.sales.prices import Prices
from app.store import call_events, messages, outcomes, scores, suppressions
from app.store.connect import Database
from app.store.messages import Message

ARRIVED = {"delivered", "read"}
SETTLED_WITHIN_S = 45.0
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Kept:
    caller: Caller
    call_sid: str
    outcome: Outcome | None
    score: Score | None
    message: Message | None
    suppressed: bool
    recording: Path
    cost: Cost
    offer: Suggestion | None = None

    def missing(self) -> tuple[str, ...]:
        """What should have happened and did not, in words; empty when the call went as it should."""
        caller, outcome = self.caller, self.outcome
        got = outcome.result.value if outcome else "none"
        wanted_message = self.message is not None and self.message.status in ARRIVED
        checks = (
            (outcome is not None and outcome.result is caller.wants, f"outcome {caller.wants.value}, got {got}"),
            (self.score is not None, "a score"),
            (wanted_message if caller.follow_up else self.message is None, self._message_fault()),
            (self.suppressed or not caller.suppressed, "the number on the suppression list"),
            (not caller.interrupts or bool(outcome and outcome.interruptions), "an interruption"),
            (self.recording.exists(), "a recording"),
        )
        return tuple(fault for holds, fault in checks if not holds)

    def _message_fault(self) -> str:
        if not self.caller.follow_up:
            return "no message after an opt-out"
        return f"a delivered message, got {self.message.status if self.message else 'none'}"


class Archive:
    """Reads what one workspace kept."""

    def __init__(self, database: Database, workspace_id: UUID, prices: Prices) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self._prices = prices

    def settled(self, caller: Caller, call_sid: str, recording: Path) -> Kept:
        """Waits until everything that must come has come, or the time for it is over."""
        give_up_at = time.monotonic() + SETTLED_WITHIN_S
        while True:
            kept = self._look(caller, call_sid, recording)
            if not kept.missing() or time.monotonic() > give_up_at:
                return kept
            time.sleep(POLL_S)

    def _look(self, caller: Caller, call_sid: str, recording: Path) -> Kept:
        with self._database.worker(self._workspace_id) as db:
            sent = messages.of_call(db, call_sid)
            return Kept(
                caller=caller,
                call_sid=call_sid,
                outcome=outcomes.get(db, call_sid),
                score=scores.of_call(db, call_sid),
                message=sent[0] if sent else None,
                suppressed=suppressions.is_suppressed(db, caller.phone),
                recording=recording,
                cost=cost_of(call_events.read(db, call_sid), self._prices),
                offer=scores.offer_of_call(db, call_sid),
            )
