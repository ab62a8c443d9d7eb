"""`strowger up`: everything on one machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
from collections.abc import AsyncIterator

from rich.console import Console

from app import dashboard_build, playbooks
from app.demo.callers import callers
from app.demo.exchange import exchange_for
from app.demo.run import Demo
from app.errors import BadInput
from app.link import one_time_link
from app.local import NUMBER, Machine, machine
from app.settings import Settings, load

LOOK_S = 1.0
CAST = 90  # different numbers before the first one calls again


def run(*, port: int, seeded: bool = True) -> int:
    """Returns at Ctrl-C, once the last call has ended."""
    console = Console()
    settings = load()
    try:
        with console.status("Building the dashboard (once, a minute) ..."):
            dashboard_build.build()
    except BadInput as error:
        console.print(f"No dashboard: {error}", style="yellow")
    console.print("Starting Postgres, Valkey, the service, a worker and the beat ...")
    with contextlib.suppress(KeyboardInterrupt), machine(settings, port) as running:
        for notice in running.notices:
            console.print(notice, style="dim")
        asyncio.run(_stay(settings, running, console, seeded=seeded))
    console.print("Stopped.")
    return 0


async def _stay(settings: Settings, running: Machine, console: Console, *, seeded: bool) -> None:
    port = running.service_url.rpartition(":")[2]
    address = one_time_link(running.database_url, running.workspace_id, f"http://localhost:{port}")
    console.print(f"Open       {address}", soft_wrap=True)
    console.print("           (signs you in, once; `strowger link` prints another)", style="dim")
    console.print(f"Logs       {settings.data_dir}/logs")
    if not running.local_carrier:
        console.print(f"Carrier    Twilio; calls come in through {settings.public_url}")
        await _watch(running, console)
        return
    name = settings.playbook
    async with exchange_for(running, name, playbooks.text_of(name)) as exchange:
        console.print(f"Exchange   {running.exchange_url} speaks Twilio's API; its number is {NUMBER}")
        if sys.stdin.isatty():
            console.print("Press Enter and somebody phones in. Ctrl-C stops everything.")
        demo = Demo(settings, running, console)
        async with asyncio.TaskGroup() as group:
            if seeded and settings.database_url is None:
                group.create_task(asyncio.to_thread(_seed, settings, running, console))
            group.create_task(_watch(running, console))
            cast = itertools.cycle(callers(CAST))
            async for _ in _enter():
                group.create_task(demo.ring(exchange, next(cast)))


def _seed(settings: Settings, running: Machine, console: Console) -> None:
    """Beside the running service: nobody waits for it."""
    from app.seed.write import seed

    written = seed(settings, running.database_url, running.workspace_id)
    if written:
        console.print(f"Seeded     {written} calls of the last two weeks, made up (`--no-seed` leaves them out)")


async def _watch(running: Machine, console: Console) -> None:
    """Says once when a role has stopped."""
    told: set[str] = set()
    while True:
        await asyncio.sleep(LOOK_S)
        for role in running.roles:
            if not role.alive and role.name not in told:
                told.add(role.name)
                console.print(f"`strowger {role.name}` has stopped; its log {role.log} ends:\n{role.last_words()}")


async def _enter() -> AsyncIterator[None]:
    """Once for every line a person types; never, where there is no person."""
    if not sys.stdin.isatty():
        return
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), lambda: lines.put_nowait(sys.stdin.readline()))
    try:
        while await lines.get():
            yield
    finally:
        loop.remove_reader(sys.stdin.fileno())
