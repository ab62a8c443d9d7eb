"""`python -m app.chaos.providers`: speech to text, model and text to speech fail while people are on the phone.

Each fault strikes calls of several seeds at once, over real sockets; the worst seed counts. Exit code 1 if a criterion
does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from contextlib import AsyncExitStack
from random import Random

from rich.console import Console

from app.chaos import report
from app.chaos.caller import Caller
from app.chaos.faults import FAULTS, STRUCK, Fault, Seed
from app.chaos.figures import Figure, worst
from app.chaos.hold import Lines, lines
from app.chaos.rows import Finding, written
from app.chaos.world import World

QUESTIONS = (
    "what does a home system cost",
    "and how much would it be for my small garage",
    "so is that before or after all of those discounts",
    "fine then which price do most neighbours pay",
    "could you give me one number please",
    "will it become cheaper next year",
)
AT_ONCE = 2  # faults, each in worlds of its own: twenty calls
_SPREAD_S = 1.5  # calls of one fault begin within


async def rehearse(fault: Fault, seeds: int, calls: int, line: Lines) -> list[tuple[int, Figure]]:
    """The worst of each figure, with its seed."""
    async with AsyncExitStack() as open_:
        worlds = [await open_.enter_async_context(World()) for _ in range(seeds)]
        found = [Seed(number, Random(f"{fault.name} {number}"), world) for number, world in enumerate(worlds, start=1)]
        async with asyncio.TaskGroup() as group:
            for seed in found:
                group.create_task(_hold_seed(fault, seed, calls, line), name=f"{fault.name} seed {seed.number}")
    return worst((seed.number, figure) for seed in found for figure in fault.figures(seed))


async def _hold_seed(fault: Fault, seed: Seed, calls: int, line: Lines) -> None:
    async with asyncio.TaskGroup() as group:
        first = asyncio.Event()
        group.create_task(_strike_world(fault, seed, first), name="strike the world")
        for asked in questions(seed.dice, calls, fault.asks):
            group.create_task(_hold_call(fault, seed, line, first, asked), name="call")


async def _strike_world(fault: Fault, seed: Seed, first: asyncio.Event) -> None:
    await first.wait()
    seed.struck_at = asyncio.get_running_loop().time()
    await fault.strike_world(seed)


def questions(dice: Random, calls: int, each: int) -> list[tuple[str, ...]]:
    """Every call begins with another one, so that no two requests to a model are the same unless they are repeated."""
    firsts = dice.sample(QUESTIONS, calls)
    return [(first, *dice.sample([other for other in QUESTIONS if other != first], each - 1)) for first in firsts]


async def _hold_call(fault: Fault, seed: Seed, line: Lines, first: asyncio.Event, asked: tuple[str, ...]) -> None:
    await asyncio.sleep(seed.dice.uniform(0, _SPREAD_S))
    call = await seed.world.call(asked)
    caller = Caller(asked, fault.quiet_ms)

    async def strike() -> None:
        await caller.askings[STRUCK].began.wait()
        first.set()
        await fault.strike_call(seed, call, caller.askings[STRUCK])

    async with asyncio.TaskGroup() as group:
        striking = group.create_task(strike(), name="strike a call")
        seed.held.append(await line.hold(seed.number, seed.world, call, caller))
        striking.cancel()


async def run(faults: list[Fault], seeds: int, calls: int, console: Console) -> dict[str, list[tuple[int, Figure]]]:
    found: dict[str, list[tuple[int, Figure]]] = {}
    seats = asyncio.Semaphore(AT_ONCE)

    async def one(fault: Fault, line: Lines) -> None:
        async with seats:
            began = time.monotonic()
            found[fault.name] = await rehearse(fault, seeds, calls, line)
            console.print(f"{fault.name}  {fault.what}: {seeds * calls} calls, {time.monotonic() - began:.0f} s")

    async with lines() as line, asyncio.TaskGroup() as group:
        for fault in faults:
            group.create_task(one(fault, line), name=fault.name)
    return dict(sorted(found.items()))


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m app.chaos.providers", description=__doc__)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--calls", type=int, default=2, help="of each seed, at the same time")
    arguments.add_argument("--faults", default=",".join(fault.name for fault in FAULTS))
    arguments.add_argument("--json", action="store_true", help="print one JSON document")
    asked = arguments.parse_args()
    wanted = [fault for fault in FAULTS if fault.name in asked.faults.split(",")]
    console = Console(stderr=asked.json)
    found = asyncio.run(run(wanted, asked.seeds, asked.calls, console))
    findings = [Finding(name, "calls", asked.seeds, tuple(figures)) for name, figures in found.items()]
    if asked.json:
        sys.stdout.write(written(findings))
    else:
        report.criteria(console, findings)
    return 0 if all(finding.met for finding in findings) else 1


if __name__ == "__main__":
    raise SystemExit(main())
