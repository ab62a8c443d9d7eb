"""Conversations over media sockets: who may begin one, what it is given, and what is kept when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, Self

from app import observe
from app.api.live_models import LiveModels
from app.api.records import Records
from app.api.switchboard import Switchboard
from app.api.turn_metrics import StandInTimes, measure
from app.call.bridge import Admission, EndNow, Socket, bridge
from app.call.pacer import Pacer
from app.call.setup import CallSetup, CarrierNews, Parts, Resumed, StandIns
from app.dialog.events import CallBegan, Entry
from app.dialog.patience import Patience
from app.dialog.reception import HANG_UP, NO_WISH, MachineWish, Strategy
from app.dialog.redaction import redact
from app.errors import Busy, NotAuthentic, StoreDown, StoreError
from app.phone.patch import Ears, Patch
from app.ports import Journal
from app.sales.live import LiveModel
from app.store import call_events, campaigns, finish, playbooks
from app.store.calls import CallRow
from app.store.connect import Connection
from app.store.journal import EventWriter, StoreJournal
from app.telephony.media_stream import Started

log = observe.log(__name__)

SETTLE_S = 5.0  # for the log to be durable; afterwards the outcome is written from memory
WIND_UP_S = 1.5
FINISH_TRIES = 5  # a second apart; then the reconciler does it
MEDIA_LOST = "media_lost"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who speaks and listens in one call. `ears` understand a person of ours who takes it over, where somebody is to be
    told of it."""

    parts: Parts
    stand_ins: StandIns = field(default_factory=StandIns)
    machines: Strategy = HANG_UP
    ears: Ears | None = None


class Studio(Protocol):
    """Makes the parts of a call from its playbook. `cast` may load things: it runs off the event loop."""

    @property
    def ready(self) -> bool: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def expect(self, playbook: str, call: CallRow) -> None:
        """This call, with this playbook (its text), is about to begin. Never waits, never fails."""
        ...

    def give_up(self, call_sid: str) -> None:
        """It is not. Of a call that has begun, or was never expected, this may be said as well."""
        ...

    def cast(self, call: CallRow, playbook: str, log: Sequence[Entry]) -> Cast:
        """`log` is what was said before a lost stream: the dialogue goes on from there; empty for a new call."""
        ...


class Host:
    """Implements `context.Conversations`. One pacer and one journal writer serve all calls of the process."""

    def __init__(
        self,
        records: Records,
        board: Switchboard,
        studio: Studio,
        *,
        account_sid: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._records, self._board, self._studio = records, board, studio
        self._account_sid = account_sid
        self._patience = patience or Patience()
        self._writer = EventWriter(records.database)
        self._live = LiveModels()
        self._pacer: Pacer | None = None
        self._open = AsyncExitStack()
        board.freed = studio.give_up

    async def __aenter__(self) -> Self:
        self._pacer = Pacer(self._board.paced)
        self._writer.start()
        self._open.push_async_callback(asyncio.to_thread, self._writer.stop)
        await self._open.enter_async_context(self._studio)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    @property
    def ready(self) -> bool:
        return self._studio.ready

    def expect(self, playbook: str, call: CallRow) -> None:
        self._studio.expect(playbook, call)

    async def hold(self, wire: Socket, call: CallRow, token: str) -> str:
        """Raises NotAuthentic when the stream is not the one the token was for, Busy when one is still open."""
        assert self._pacer is not None
        kept: list[Entry] = []
        patch = Patch(wire)
        journal = Remembering(StoreJournal(self._writer, call), kept, partial(self._board.logged, call))

        async def admit(started: Started, end_now: EndNow) -> Admission:
            self._identify(started, call, token)
            if not await self._board.wait_over(call.call_sid, WIND_UP_S):
                raise Busy("this call has an open media stream")
            return await self._admission(started, end_now, call, journal, patch)

        reason: str | None = "error"
        try:
            reason = await bridge(patch, admit, self._pacer)
            if reason is None:
                return "never_began"
            await self._settle(journal)
        finally:
            if journal.began:
                self._board.left(call.call_sid, reason or "error")
        if reason != MEDIA_LOST:  # then the carrier asks what comes next, and the call goes on or ends there
            await self._finish(call, kept)
        return reason

    def _identify(self, started: Started, call: CallRow, token: str) -> None:
        known_account = self._account_sid in (None, started.account_sid) and call.account_sid in (
            "",
            started.account_sid,
        )
        same_token = started.parameters.get("token") == token
        if started.call_sid != call.call_sid or not known_account or not same_token:
            raise NotAuthentic("the media stream is not the one its token was given for")

    async def _admission(
        self, started: Started, end_now: EndNow, call: CallRow, journal: Remembering, patch: Patch
    ) -> Admission:
        def look_up(db: Connection) -> tuple[str, tuple[Entry, ...], LiveModel, MachineWish]:
            text = playbooks.text_of(db, call.playbook, call.playbook_version)
            wish = campaigns.machine_wish(db, call.call_sid) if call.direction == "outbound" else NO_WISH
            return text, call_events.read(db, call.call_sid), self._live.serving(db), wish

        playbook, before, live, wish = await self._records.worker(call.workspace_id, look_up)
        journal.kept.extend(before)
        cast = await asyncio.to_thread(self._studio.cast, call, playbook, before)
        patch.ears = cast.ears
        resumed = None
        if before:
            age_ms = int((datetime.now(UTC) - call.created_at).total_seconds() * 1000)
            resumed = Resumed.after(before, started.stream_sid, age_ms)
        began = CallBegan(
            call.call_sid,
            call.direction,
            call.caller,
            call.called,
            call.playbook,
            call.playbook_version,
            stt="",
            dialogue="",
            tts="",
        )
        news = CarrierNews()
        self._board.connected(call.call_sid, end_now, news.tell, patch)
        journal.began = True
        setup = CallSetup(began, redact, cast.stand_ins, resumed, cast.machines.wished(wish), news, live)
        return Admission(setup, cast.parts, journal, self._patience)

    async def _settle(self, journal: Journal) -> None:
        try:
            async with asyncio.timeout(SETTLE_S):
                await journal.settle()
        except (TimeoutError, StoreError) as error:
            log.warning("the log of a call is not durable yet", error=str(error))

    async def _finish(self, call: CallRow, entries: Sequence[Entry]) -> None:
        for tries_left in reversed(range(FINISH_TRIES)):
            try:
                await self._records.worker(call.workspace_id, lambda db: finish.finish_call(db, call, entries))
                return
            except StoreDown:
                if not tries_left:
                    log.warning("outcome left to the reconciler", call=call.call_sid)
                    return
                await asyncio.sleep(1)


class Remembering:
    """A journal that also keeps the entries at hand, from which the outcome is written at the end, and counts them."""

    def __init__(self, journal: Journal, kept: list[Entry], tell: Callable[[Entry], None]) -> None:
        self._journal, self._tell = journal, tell
        self.kept = kept
        self.began = False
        self._stand_ins = StandInTimes()

    def record(self, entry: Entry) -> None:
        self.kept.append(entry)
        measure(entry)
        self._stand_ins.take(entry)
        self._tell(entry)
        self._journal.record(entry)

    async def commit(self, entry: Entry) -> None:
        self.kept.append(entry)
        measure(entry)
        self._stand_ins.take(entry)
        self._tell(entry)
        await self._journal.commit(entry)

    async def settle(self) -> None:
        await self._journal.settle()
