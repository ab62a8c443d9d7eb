"""What happened is held against each workspace's rules, and what they want told becomes news with its jobs.

Asked again and by several beats at once, each piece of news is made once: its key is unique in the database.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from app.errors import StoreDown, StrowgerError
from app.providers.circuits import Circuit
from app.sales.notices import Channel, Happened, OnTheLine, Outage, Rule, notices, targets
from app.store import happenings, notification_rules, notifications, workspace_settings
from app.store.connect import Connection, Database
from workers import logs

log = logging.getLogger(__name__)

Facts: TypeAlias = Callable[[Connection, UUID], Collection[Happened]]  # of one workspace


class Watch:
    """One per beat. `outages` says which circuits are open now."""

    def __init__(self, database: Database, outages: Callable[[], Iterable[Circuit]]) -> None:
        self._database, self._outages = database, outages

    def lines(self, now: datetime | None = None) -> int:
        """Hot leads on the line: how many are news."""
        moment = now or datetime.now(UTC)
        found: dict[UUID, list[OnTheLine]] = defaultdict(list)
        with self._database.system() as db:
            for workspace, line in happenings.on_the_line(db, moment):
                found[workspace].append(line)
        return sum(self._tell(workspace, _given(lines), moment) for workspace, lines in found.items())

    def rest(self, now: datetime | None = None) -> int:
        """Call-backs, providers, models, campaigns that stopped and limits of every workspace."""
        moment = now or datetime.now(UTC)
        circuits = tuple(self._outages())

        def happened(db: Connection, workspace: UUID) -> Collection[Happened]:
            mine = {Outage(one.stage, one.provider) for one in circuits if one.tenant in ("", str(workspace))}
            known: list[Happened] = [*happenings.wanted(db, moment), *sorted(mine, key=str), *happenings.moved(db)]
            return [*known, *happenings.stopped(db), *happenings.reached(db, moment)]

        return sum(self._tell(workspace, happened, moment) for workspace in self._workspaces())

    def _workspaces(self) -> tuple[UUID, ...]:
        with self._database.system() as db:
            return happenings.workspaces(db)

    def _tell(self, workspace: UUID, happened: Facts, now: datetime) -> int:
        """One workspace that cannot be told keeps nobody else from it."""
        try:
            with self._database.worker(workspace) as db:
                return tell(db, happened(db, workspace), now)
        except StoreDown:
            raise
        except StrowgerError as error:
            log.error("no notices", extra={"workspace": str(workspace), "error": logs.where(error)})
            return 0


def tell(db: Connection, happened: Collection[Happened], now: datetime) -> int:
    """How much of it was news."""
    if not happened:
        return 0
    rules = {str(rule.kind): rule for rule in notification_rules.rules(db)}
    wanted = list(notices(rules.values(), happened, now, _zone(db)))
    old = notifications.known(db, [one.key for one in wanted]) if wanted else frozenset()
    new = [one for one in wanted if one.key not in old]
    if not new:
        return 0
    addresses, browsers = notification_rules.addresses(db), notification_rules.browsers(db)

    def to(rule: Rule) -> tuple[tuple[Channel, str], ...]:
        return targets(rule, addresses.emails, slack=addresses.slack_host is not None, browsers=browsers)

    return sum(notifications.raise_(db, one, to(rules[one.kind]), now) is not None for one in new)


def _given(lines: Collection[OnTheLine]) -> Facts:
    return lambda db, workspace: lines


def _zone(db: Connection) -> ZoneInfo:
    return ZoneInfo(workspace_settings.get(db).time_zone)
