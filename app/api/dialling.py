"""Calls that somebody asks for through the API: by the one way to the carrier, on threads of their own.

A carrier may take ten seconds to answer; neither a call's audio nor a webhook's transaction waits behind it.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

from app.api import acts
from app.calling import LazyCarrier, PlacedCall, place_call
from app.compliance.rules import Rules
from app.errors import BadSetting, Conflict
from app.sales.prices import Prices
from app.store.connect import Connection, Database

THREADS = 4


class Dialling:
    """`prices` and `rules` are those shipped with this version unless others are given."""

    def __init__(self, carrier: LazyCarrier, prices: Prices | None = None, rules: Rules | None = None) -> None:
        self._carrier, self._prices, self._rules = carrier, prices, rules
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="dial")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def place(self, database: Database, to: str, playbook: str | None, *, ours: str) -> PlacedCall:
        """Calls `to` from the workspace that owns `ours`. Whoever asked is in the audit log by the transaction that
        reserves the attempt. Raises as `place_call` does, and Conflict where no carrier is set up."""
        here = copy_context()
        work = partial(
            place_call,
            database,
            self._carrier,
            to,
            playbook,
            ours=ours,
            seats=self._carrier,
            rules=self._rules,
            prices=self._prices,
            on_allowed=self._allowed,
        )
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, here.run, work)
        except BadSetting as error:
            raise Conflict(f"No call can be placed from here: {error}") from error

    def _allowed(self, db: Connection) -> None:
        self._carrier.connect()
        acts.write_now(db)
