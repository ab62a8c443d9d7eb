"""From nothing to three phone calls and back: start the machine, let people phone in, show what came of it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from rich.console import Console

from app import playbooks
from app.demo import summary
from app.demo.callers import Caller, Person, callers
from app.demo.exchange import exchange_for
from app.demo.kept import Archive, Kept
from app.demo.screen import Screen
from app.dialog.events import AgentSaid, Entry
from app.exchange.exchange import Exchange
from app.exchange.personas import ReactivePersona
from app.local import NUMBER, Machine, machine
from app.sales.prices import shipped
from app.settings import Settings, load
from app.store import call_events
from app.store.connect import Database

FOLLOW_S = 0.1
APART_S = 3.0  # between two phones that ring
AT_ONCE = 10


def run(*, calls: int = 3, as_json: bool = False) -> int:
    """0 only if everything that had to happen has happened."""
    console = Console(file=sys.stderr if as_json else sys.stdout)
    settings = load()
    began = time.monotonic()
    console.print("Starting a database, a broker, the service, a worker and a telephone exchange ...")
    with machine(settings, offline=True) as running:
        for notice in running.notices:
            console.print(notice, style="dim")
        console.print(f"Ready after {time.monotonic() - began:.1f} s. {_phones(calls)}")
        kept = asyncio.run(Demo(settings, running, console).play(callers(calls)))
    summary.show(console, kept)
    if as_json:
        sys.stdout.write(summary.as_json(kept) + "\n")
    failed = sum(bool(one.missing()) for one in kept)
    if failed:
        console.print(f"{failed} of {len(kept)} calls did not go as they should; logs are in {settings.data_dir}/logs.")
    return 1 if failed else 0


def _phones(calls: int) -> str:
    if calls == 1:
        return "The phone rings."
    return f"The phones ring: {calls} callers, {APART_S:.0f} s apart. You follow the first; the others come after it."


Told: TypeAlias = "asyncio.Queue[Entry | None]"  # a call's log as it grows; None when it is over


class Demo:
    """Lets people phone in and shows their calls."""

    def __init__(self, settings: Settings, running: Machine, console: Console) -> None:
        self._settings, self._machine = settings, running
        self._console = console
        self._screen = Screen(console)
        self._database = Database.open(running.database_url, max_size=4)
        self._archive = Archive(self._database, running.workspace_id, shipped())
        self._recordings = settings.data_dir / "recordings" / datetime.now().strftime("%Y%m%d-%H%M%S")
        self._lines = asyncio.Semaphore(AT_ONCE)

    async def play(self, cast: Sequence[Caller]) -> list[Kept]:
        """All of them phone in, one after the other has begun; their calls are shown in that order."""
        name = self._settings.playbook
        try:
            async with (
                exchange_for(self._machine, name, playbooks.text_of(name)) as exchange,
                asyncio.TaskGroup() as group,
            ):
                told: list[Told] = [asyncio.Queue() for _ in cast]
                calls = [
                    group.create_task(self._call(exchange, caller, screen, wait_s=number * APART_S))
                    for number, (caller, screen) in enumerate(zip(cast, told, strict=True))
                ]
                for caller, screen in zip(cast, told, strict=True):
                    await self._show(caller, screen)
            return [call.result() for call in calls]
        finally:
            await asyncio.to_thread(self._database.close)

    async def ring(self, exchange: Exchange, caller: Caller) -> None:
        """One call, shown with what came of it."""
        told: Told = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            call = group.create_task(self._call(exchange, caller, told))
            await self._show(caller, told)
        summary.show(self._console, [call.result()])

    async def _show(self, caller: Caller, told: Told) -> None:
        self._screen.heading(caller.name)
        while (entry := await told.get()) is not None:
            self._screen.show(entry)

    async def _call(self, exchange: Exchange, caller: Caller, told: Told, wait_s: float = 0.0) -> Kept:
        await asyncio.sleep(wait_s)
        person = caller.person()
        async with self._lines, asyncio.TaskGroup() as group:
            dialled = group.create_task(exchange.dial_in(caller.phone, NUMBER, person))
            follower = group.create_task(self._follow(exchange, caller, person, told))
            record = await dialled
            await asyncio.sleep(3 * FOLLOW_S)  # the last entries are on their way to the log
            follower.cancel()
        told.put_nowait(None)
        path = record.tape.save(self._recordings / f"{record.call.sid}.wav")
        return await asyncio.to_thread(self._archive.settled, caller, record.call.sid, path)

    async def _follow(self, exchange: Exchange, caller: Caller, person: Person, told: Told) -> None:
        """Passes the log on as it grows, and lets the caller know what the agent is saying."""
        seq = 0
        while True:
            await asyncio.sleep(FOLLOW_S)
            sid = next((sid for sid, call in exchange.office.calls.items() if call.from_ == caller.phone), None)
            if sid is None:
                continue
            for entry in await asyncio.to_thread(self._read, sid, seq):
                seq = entry.seq
                if isinstance(entry.fact, AgentSaid) and isinstance(person, ReactivePersona):
                    person.ears.hear(entry.fact.text)
                told.put_nowait(entry)

    def _read(self, call_sid: str, after_seq: int) -> tuple[Entry, ...]:
        with self._database.worker(self._machine.workspace_id) as db:
            return call_events.read(db, call_sid, after_seq)
