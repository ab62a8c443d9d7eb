"""Campaigns that run: at their pace, one dial at a time, each through the gate."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.calling import carrier_of, place_call, seats_of
from app.errors import (
    BadInput,
    BadSetting,
    Busy,
    CallRefused,
    ProviderDown,
    ProviderRefused,
    ProviderUncertain,
    StoreDown,
    StrowgerError,
)
from app.ports import Carrier, Seats
from app.pricing import table
from app.sales.abandonment import Answer
from app.sales.prices import Prices
from app.settings import load
from app.store import abandonment, campaigns, workspaces
from app.store.abandonment import Unjudged
from app.store.campaigns import Turn
from app.store.connect import Connection, Database
from workers import logs

log = logging.getLogger(__name__)

WITHOUT_CARRIER = timedelta(minutes=1)
WITHOUT_SEAT = timedelta(seconds=15)


class Dialler:
    """One per beat. `carrier` and `seats` are connected, and `prices` read, when the first campaign runs."""

    def __init__(
        self,
        database: Database,
        carrier: Carrier | None = None,
        seats: Seats | None = None,
        prices: Prices | None = None,
    ) -> None:
        self._database, self._carrier, self._seats, self._prices = database, carrier, seats, prices

    def run(self, now: datetime | None = None) -> int:
        """How many phones ring because of it."""
        moment = now or datetime.now(UTC)
        self.judge()
        with self._database.system() as db:
            due = campaigns.due(db, moment)
        return sum(self._dial(workspace_id, campaign_id, moment) for workspace_id, campaign_id in due)

    def judge(self) -> int:
        """How many calls were counted, as answered or not (C09). A campaign stops here as soon as one is too many."""
        with self._database.system() as db:
            over = abandonment.unjudged(db)
        return sum(self._judge(one) for one in over)

    def _judge(self, one: Unjudged) -> bool:
        """One call that cannot be judged keeps no other campaign from its calls."""
        try:
            with self._database.worker(one.workspace_id) as db:
                campaigns.lock(db, one.campaign_id)
                judged = abandonment.settle(db, one)
                if judged is not None and judged.answer is Answer.ABANDONED:
                    log.warning("abandoned call", extra={"call_sid": one.call_sid, "wait_ms": judged.wait_ms})
                _stop_if_over(db, one.campaign_id)
        except StoreDown:
            raise
        except StrowgerError as error:
            log.error("call not judged", extra={"call_sid": one.call_sid, "error": logs.where(error)})
            return False
        return True

    def _dial(self, workspace_id: UUID, campaign_id: UUID, now: datetime) -> bool:
        with self._database.worker(workspace_id) as db:
            campaigns.give_up_stuck(db, now)
            stopped = _stop_if_over(db, campaign_id)  # the share also moves when old calls leave the 30 days
            turn = None if stopped else campaigns.turn(db, campaign_id, now)
            number = workspaces.oldest_number(db)
        if turn is None or number is None:
            return False
        state, call_sid, why, again_at = self._place(turn, number.e164, now)
        with self._database.worker(workspace_id) as db:
            campaigns.settle(db, campaign_id, turn.lead_id, state, call_sid=call_sid, why=why, again_at=again_at)
        return call_sid is not None

    def _place(self, turn: Turn, ours: str, now: datetime) -> tuple[str, str | None, str, datetime | None]:
        """(state, call sid, why, when again)."""
        try:
            carrier, seats = self._connected()
            placed = place_call(
                self._database,
                carrier,
                turn.phone,
                turn.playbook,
                ours=ours,
                seats=seats,
                prices=self._prices,
                now=lambda: now,
            )
            return "called", placed.call_sid, "", None
        except Busy as error:
            return "waiting", None, str(error), now + WITHOUT_SEAT
        except CallRefused as refusal:
            again = refusal.until
            return ("waiting" if again else "refused"), None, str(refusal), again
        except ProviderUncertain as error:
            return "unknown", None, f"It is not known whether the phone rang: {error}", None
        except (BadSetting, ProviderDown) as error:
            return "waiting", None, str(error), now + WITHOUT_CARRIER
        except (BadInput, ProviderRefused) as error:
            return "refused", None, str(error), None

    def _connected(self) -> tuple[Carrier, Seats]:
        if self._carrier is None or self._seats is None:
            settings = load()
            self._carrier, self._seats = self._carrier or carrier_of(settings), self._seats or seats_of(settings)
            self._prices = self._prices or table(settings.prices)
        return self._carrier, self._seats


def _stop_if_over(db: Connection, campaign_id: UUID) -> bool:
    why = abandonment.stop_if_over(db, campaign_id)
    if why is not None:
        log.error("campaign stopped", extra={"campaign": str(campaign_id), "why": why})
    return why is not None
