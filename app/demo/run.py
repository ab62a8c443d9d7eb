"""From nothing to three phone calls and back: start the machine, let people phone in, show what came of it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console

from app.demo import summary
from app.demo.callers import Caller, Person, callers
from app.demo.exchange import exchange_for
from app.demo.kept import Archive, Kept
from app.demo.screen import Screen
from app.dialog.events import AgentSaid, Entry
from app.exchange.exchange import CallRecord, Exchange
from app.exchange.personas import ReactivePersona
from app.local import NUMBER, Machine, machine, playbook_text
from app.settings import Settings, load
from app.store import call_events
from app.store.connect import Database

FOLLOW_S = 0.1


def run(*, calls: int = 3, as_json: bool = False, together: bool = False) -> int:
    """0 only if everything that had to happen has happened."""
    console = Console(file=sys.stderr if as_json else sys.stdout)
    settings = load()
    began = time.monotonic()
    console.print("Starting Postgres, Valkey, the service, a worker and a telephone exchange on this machine ...")
    with machine(settings, offline=True) as running:
        for notice in running.notices:
            console.print(notice, style="dim")
        console.print(f"Ready after {time.monotonic() - began:.1f} s. The phone rings.")
        kept = asyncio.run(Demo(settings, running, console).play(callers(calls), together))
    summary.show(console, kept)
    if as_json:
        sys.stdout.write(summary.as_json(kept) + "\n")
    failed = sum(bool(one.missing()) for one in kept)
    if failed:
        console.print(f"{failed} of {len(kept)} calls did not go as they should; logs are in {settings.data_dir}/logs.")
    return 1 if failed else 0


class Demo:
    """Lets people phone in and shows their calls."""

    def __init__(self, settings: Settings, running: Machine, console: Console) -> None:
        self._settings, self._machine = settings, running
        self._console = console
        self._screen = Screen(console)
        self._database = Database.open(running.database_url, max_size=4)
        self._archive = Archive(self._database, running.workspace_id)
        self._recordings = settings.data_dir / "recordings" / datetime.now().strftime("%Y%m%d-%H%M%S")

    async def play(self, cast: Sequence[Caller], together: bool) -> list[Kept]:
        name = self._settings.playbook
        try:
            async with exchange_for(self._machine, name, playbook_text(name)) as exchange:
                if together:
                    calls = [self._call(exchange, caller, loud=False) for caller in cast]
                    return list(await asyncio.gather(*calls))
                return [await self._call(exchange, caller, loud=True) for caller in cast]
        finally:
            await asyncio.to_thread(self._database.close)

    async def ring(self, exchange: Exchange, caller: Caller) -> None:
        """One call, shown with what came of it."""
        summary.show(self._console, [await self._call(exchange, caller, loud=True)])

    async def _call(self, exchange: Exchange, caller: Caller, *, loud: bool) -> Kept:
        if loud:
            self._screen.heading(caller.name)
        person = caller.person()
        async with asyncio.TaskGroup() as group:
            dialled = group.create_task(exchange.dial_in(caller.phone, NUMBER, person))
            follower = group.create_task(self._follow(exchange, caller, person, loud))
            record = await dialled
            await asyncio.sleep(3 * FOLLOW_S)  # the last entries are on their way to the log
            follower.cancel()
        return await self._keep(caller, record)

    async def _keep(self, caller: Caller, record: CallRecord) -> Kept:
        path = record.tape.save(self._recordings / f"{record.call.sid}.wav")
        return await asyncio.to_thread(self._archive.settled, caller, record.call.sid, path)

    async def _follow(self, exchange: Exchange, caller: Caller, person: Person, loud: bool) -> None:
        """Shows the log as it grows, and lets the caller know what the agent is saying."""
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
                if loud:
                    self._screen.show(entry)

    def _read(self, call_sid: str, after_seq: int) -> tuple[Entry, ...]:
        with self._database.worker(self._machine.workspace_id) as db:
            return call_events.read(db, call_sid, after_seq)
