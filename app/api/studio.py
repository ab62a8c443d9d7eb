"""Casts calls: the providers the settings name, and a dialogue for each call from its playbook."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Self
from zoneinfo import ZoneInfo

from app import observe, playbooks
from app.api.continued import Continued
from app.api.conversations import Cast, Host
from app.api.records import Records
from app.api.stand_ins import open_pack, stand_ins
from app.api.switchboard import Switchboard
from app.api.turn_metrics import show_circuits
from app.call.setup import Parts
from app.dialog.events import Entry
from app.dialog.patience import Patience
from app.dialog.playbook import parse
from app.dialog.script import Playbook
from app.errors import BadInput, ProviderDown, ProviderError
from app.phone.patch import Ears
from app.ports import SpeechToText, VoiceActivity
from app.providers.meter import Meter
from app.providers.registry import Providers
from app.settings import Settings
from app.store.calls import CallRow

log = observe.log(__name__)


class ProviderStudio:
    """Playbooks are parsed once per text; what is expensive in a provider is shared by all calls."""

    def __init__(self, providers: Providers, playbook: str) -> None:
        """`playbook` is the one to have ready: a shipped one's name, or a file."""
        self._providers = providers
        self._first = playbook
        self.ready = False
        self._pack = open_pack()
        self._parse = lru_cache(maxsize=32)(parse)
        self._open = AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._rehearsed: set[str] = set()

    async def __aenter__(self) -> Self:
        """Returns at once; getting ready goes on behind it, so that webhooks are answered meanwhile."""
        self._open.push_async_callback(self._providers.close)
        await self._open.enter_async_context(self._providers.warmth)
        self._group = await self._open.enter_async_context(asyncio.TaskGroup())
        self._open.callback(self._stop)
        self._behind(self._warm(), "warm up")
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    def expect(self, playbook: str, call: CallRow) -> None:
        """The phone rings: while the carrier connects us, we connect to those who listen and speak, and the first words
        of this playbook are made."""
        if self.ready:
            self._behind(self._connect(playbook, call), "connect early")
            self._have_ready(playbook)

    def give_up(self, call_sid: str) -> None:
        self._providers.warmth.give_up(call_sid)

    def _have_ready(self, playbook: str) -> None:
        if playbook not in self._rehearsed:
            self._rehearsed.add(playbook)
            self._behind(self._rehearse(playbook), "rehearse")

    def _behind(self, work: Coroutine[None, None, None], name: str) -> None:
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def cast(self, call: CallRow, playbook: str, log: Sequence[Entry]) -> Cast:
        book = self._parse(playbook, f"{call.playbook}.yaml")
        meter = Meter()
        today = datetime.now(ZoneInfo(book.business.timezone)).date()
        trio = self._providers.trio(
            book,
            today=today,
            direction=call.direction,
            tenant=str(call.workspace_id),
            meter=meter,
            call=call.call_sid,
        )
        observe.PHRASES_BYTES.set(self._providers.phrase_bytes)
        dialogue = Continued(trio.dialogue, log) if log else trio.dialogue
        parts = Parts(dialogue, trio.stt, trio.tts, self._providers.voice_activity(), used=meter.used)
        ears: Ears | None = None
        if self._providers.has_models:
            ears = partial(self._ears, book, meter, str(call.workspace_id))
        return Cast(parts, stand_ins(book, self._pack, datetime.now(UTC)), book.machines.strategy, ears)

    def _ears(self, book: Playbook, meter: Meter, tenant: str) -> tuple[VoiceActivity, SpeechToText]:
        """More of them, for a second person on the same call and the same bill."""
        return self._providers.voice_activity(), self._providers.speech_to_text(book, meter, tenant=tenant)

    async def _warm(self) -> None:
        try:
            await asyncio.to_thread(self._prepare)
            self.ready = True
            self._behind(self._probe(), "prober")
            await self._providers.warm()
            self._have_ready(playbooks.text_of(self._first))
        except (BadInput, ProviderDown) as error:  # each call will notice, and say so to its caller
            log.error("not everything is ready for calls", error=str(error))

    async def _probe(self) -> None:
        """As long as there are calls, whatever was not ready for them at first."""
        prober = await asyncio.to_thread(lambda: self._providers.prober(self._book()))
        await prober.watch(show_circuits)

    async def _connect(self, playbook: str, call: CallRow) -> None:
        try:
            book = await asyncio.to_thread(self._parse, playbook, f"{call.playbook}.yaml")
        except BadInput:  # the call will say so
            return
        await self._providers.expect(book, call.call_sid, str(call.workspace_id))

    async def _rehearse(self, playbook: str) -> None:
        try:
            await self._providers.rehearse(await asyncio.to_thread(self._parse, playbook, "a playbook"))
        except (BadInput, ProviderError) as error:  # a call will say them, if not so soon
            log.info("the opening is not ready in advance", error=str(error))

    def _prepare(self) -> None:
        self._providers.prepare(self._book())

    def _book(self) -> Playbook:
        return self._parse(playbooks.text_of(self._first), self._first)


def host(settings: Settings, records: Records, board: Switchboard) -> Host:
    """Conversations with the providers the settings name."""
    patience = Patience(call_ms=int(settings.call_limit_s * 1000))
    studio = ProviderStudio(Providers(settings), settings.playbook)
    return Host(records, board, studio, account_sid=settings.twilio_account_sid, patience=patience)
