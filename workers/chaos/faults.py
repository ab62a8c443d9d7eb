"""F01 to F03: what is killed while calls end, when, and what has to be there afterwards, by the fault table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from app.chaos.figures import Figure
from workers.chaos.ledger import Ledger
from workers.chaos.scene import Scene

Step = tuple[float, Callable[[Scene], None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`calls` end within `arrivals_s` seconds, evenly. `outcomes_s`: so long after the last part is back each has its
    outcome. `steps` are seconds from the first call's end, with a little chance in them."""

    name: str
    calls: int
    arrivals_s: float
    outcomes_s: float
    steps: Callable[[Random], Sequence[Step]]
    think_s: float = 0.3


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds after the last part was back, as far as it came to it: each call had its outcome; jobs were done again;
    nothing was left to do."""

    outcomes: float = 999.0
    working: float = 999.0
    all_done: float = 999.0


def _children(dice: Random) -> Sequence[Step]:
    return [(2.0 * number + dice.uniform(0, 1), Scene.kill_child) for number in range(1, 11)]


def _worker(dice: Random) -> Sequence[Step]:
    killed_at = dice.uniform(4, 7)
    return [(killed_at, Scene.kill_worker), (killed_at + 5, Scene.start_worker)]


def _broker(dice: Random) -> Sequence[Step]:
    killed_at = dice.uniform(4.5, 5.5)  # every call has ended: its jobs wait in the queue
    return [(killed_at, Scene.kill_broker), (killed_at + 30, Scene.start_broker)]


FAULTS = (
    Fault("F01", 200, 20.0, 120.0, _children, think_s=0.05),
    Fault("F02", 50, 10.0, 60.0, _worker),
    Fault("F03", 500, 4.0, 120.0, _broker, think_s=0.01),
)


def figures(fault: Fault, found: Ledger, times: Times) -> Iterator[Figure]:
    yield Figure("last outcome after all was back", times.outcomes, fault.outcomes_s)
    yield Figure("calls without an outcome", fault.calls - found.outcomes, 0, "")
    yield Figure("calls without a score", fault.calls - found.scored_calls, 0, "")
    yield Figure("messages not sent", fault.calls - found.letters, 0, "")
    yield Figure("messages sent twice", found.duplicates, 0, "")
    yield Figure("jobs put aside", found.aside, 0, "")
    if fault.name == "F03":
        yield Figure("jobs are done again", times.working, 60.0)
    yield Figure("everything done", times.all_done, 120.0)
