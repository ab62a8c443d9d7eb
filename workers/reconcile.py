"""Finds what a crash left behind, by asking Postgres alone: the broker may have lost everything, a process may be gone.

Leases that ended need no finding: the relay takes such jobs again by itself.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.errors import StrowgerError
from app.store import calls, outbox, suppressions
from app.store.connect import Database
from workers import logs, outcomes

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=10)  # the process that held the call writes its outcome itself; this is for when it cannot
OPT_OUTS_SINCE = timedelta(days=1)  # after one look at all of them when the beat starts
REMEMBERED = 1000

# What deriving an outcome from a log that nobody foresaw can raise. Such a call becomes a job, so that its failures are
# counted and seen, and does not keep the others waiting.
BROKEN_LOG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Reconciler:
    """Remembers only what it has already said."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._handed_over: set[str] = set()
        self._since = datetime.min.replace(tzinfo=UTC)
        self._put_aside = 0

    def run(self) -> None:
        now = datetime.now(UTC)
        self.list_opt_outs(now)
        self.settle_calls(now)
        self.report()

    def list_opt_outs(self, now: datetime) -> int:
        """First, because it protects people. The list is written before the goodbye: finding one here is an alarm."""
        with self._database.system() as db:
            found = suppressions.not_listed(db, self._since)
        for opt_out in found:
            log.error("opt-out was not listed", extra={"call": str(opt_out.call_id)})
            with self._database.worker(opt_out.workspace_id) as db:
                evidence = opt_out.words or "in the log of the call"
                suppressions.add(db, opt_out.phone, reason="asked", evidence=evidence, call_id=opt_out.call_id)
        self._since = now - OPT_OUTS_SINCE
        return len(found)

    def settle_calls(self, now: datetime) -> int:
        """How many outcomes were missing and are there now."""
        with self._database.system() as db:
            found = calls.finished_without_outcome(db, now - GRACE)
        return sum(self._settle(workspace, sid) for workspace, sid in found if sid not in self._handed_over)

    def report(self) -> None:
        with self._database.system() as db:
            pending = outbox.pending(db)
        if pending.quarantined > self._put_aside:
            log.error("jobs put aside", extra={"count": pending.quarantined})
        self._put_aside = pending.quarantined

    def _settle(self, workspace_id: UUID, call_sid: str) -> bool:
        try:
            settled = outcomes.settle(self._database, workspace_id, call_sid)
        except BROKEN_LOG as error:
            self._hand_over(workspace_id, call_sid, error)
            return False
        except StrowgerError as error:
            if error.retryable:
                raise
            self._hand_over(workspace_id, call_sid, error)
            return False
        if settled:
            log.info("outcome was missing", extra={"call_sid": call_sid})
        return settled

    def _hand_over(self, workspace_id: UUID, call_sid: str, error: Exception) -> None:
        log.error("outcome cannot be derived", extra={"call_sid": call_sid, "error": logs.where(error)})
        with self._database.worker(workspace_id) as db:
            outbox.put(db, "outcome", call_sid)
        if len(self._handed_over) >= REMEMBERED:
            self._handed_over.clear()
        self._handed_over.add(call_sid)
