"""`strowger bench`: whole calls over the real service against emulated providers, measured at the caller's ear.

The service is `strowger serve` with the adapters, the SDKs and the playbook of production. Phones, exchange and the
emulated providers run in this process. Each side has a core of its own where the machine has two.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from app.bench_log import kept
from app.bench_report import Findings, Load, Strangers, render
from app.bench_server import Cores, Service, serving
from app.embedded import start_services
from app.errors import BadInput
from app.exchange.account import Account, Number
from app.exchange.bench_callers import Caller, Listener, Numbers, Patient, Pauser, Talker
from app.exchange.bench_ear import Ear, listen
from app.exchange.bench_providers import BenchProviders
from app.exchange.edges import Sockets
from app.exchange.exchange import CallRecord, Exchange
from app.exchange.network import HttpWebhooks, NetworkSockets
from app.exchange.office import Config
from app.local import NUMBER, furnish
from app.settings import Settings, load

MANNERS = 8  # callers of each kind
SLOW = 2
_SAMPLE_S = 0.05
_STRETCH_S = 2.0
_RAMP_S = 0.1  # between two callers' dialling
_TRIES, _AGAIN_S = 10, 2.0  # of a caller who is told that there is no seat
_SETTLE_S = 1.0  # for the books of the last call to be closed
_CHAINS = {"STROWGER_STT": "deepgram,offline", "STROWGER_LLM": "openai,playbook", "STROWGER_TTS": "elevenlabs,offline"}


Held = tuple[CallRecord, Caller]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is measured. `bare` is a loop without any logic, for comparison."""

    name: str
    listening: str
    bare: bool = False


def configurations() -> dict[str, Configuration]:
    """By short name, the default configuration of a fresh installation first."""
    default = Settings.model_construct(deepgram_model=None).listening_model("en-US")
    models = sorted({"flux": "flux-general-en", "nova": "nova-3"}.items(), key=lambda item: item[1] != default)
    ours = {
        short: Configuration(f"Strowger with {model}{' (the default)' if model == default else ''}", model)
        for short, model in models
    }
    return ours | {"bare": Configuration("a bare loop without any logic", "flux-general-en", bare=True)}


@dataclass(slots=True)
class Bench:
    """What all runs share. `env` names the database and the broker. Every caller of a bench has his own mark."""

    settings: Settings
    env: dict[str, str]
    cores: Cores
    workspace_id: UUID
    processes: int = 1
    sockets: Callable[[], Sockets] = NetworkSockets
    account: Account = field(default_factory=Account)
    numbers: Numbers = field(default_factory=Numbers)
    services: list[Service] = field(default_factory=list)  # that run now

    @contextlib.asynccontextmanager
    async def ready(
        self, what: Configuration, settings: Mapping[str, str] | None = None
    ) -> AsyncIterator[tuple[Line, Service]]:
        """The service with its providers, and the number everybody calls; `settings` are the service's own, besides the
        usual. Raises ServiceNotStarted."""
        logs = self.settings.data_dir / "logs"
        async with BenchProviders() as providers:
            env = self.env | _CHAINS | dict(providers.environment(what.listening)) | dict(settings or {})
            async with (
                serving(self.cores, env, self.account, logs, bare=what.bare, processes=self.processes) as service,
                _line(self.account, service, providers, self.sockets()) as line,
            ):
                self.services.append(service)
                try:
                    yield line, service
                finally:
                    self.services.remove(service)

    async def run(self, what: Configuration, calls: int, seconds: float, *, manners: bool = True) -> Findings:
        """One configuration, from the start of the service to its end. Raises ServiceNotStarted."""
        async with self.ready(what) as (line, service):
            found = await self.talk(line, service, calls, seconds)
            found.name, found.judged = what.name, not what.bare
            if manners:
                found.manners = await self._manners(line)
                ears = found.talk + found.manners
                found.strangers = Strangers(*line.providers.strange(), *line.providers.strange_lines(ears))
            return found

    async def talk(self, line: Line, service: Service, calls: int, seconds: float) -> Findings:
        """`calls` at once, all of them talking for so many seconds after the opening."""
        register, ramp_s = line.providers.register, _RAMP_S * calls
        lasting = [seconds + ramp_s - _RAMP_S * place for place in range(calls)]  # all are on when the last one begins
        talkers = [Talker(self.numbers.take(), register, each) for each in lasting]
        strange, before = line.providers.strange()
        idle_bytes, cpu_s, others_s, began = service.rss(), service.cpu_s(), self._others_s(), time.perf_counter()
        async with asyncio.TaskGroup() as group:
            watch = Watch(service)
            watching = group.create_task(watch.run(), name="watch")
            held = await line.hold(talkers)
            lasted_s = time.perf_counter() - began
            others_s = self._others_s() - others_s
            watching.cancel()
        await asyncio.sleep(_SETTLE_S)
        frames, checked = line.providers.strange()
        ears = heard(held)
        sids = [record.call.sid for record, _ in held]
        load = Load(
            cpu_s=service.cpu_s() - cpu_s,
            lasted_s=lasted_s,
            bytes_per_call=(watch.most_bytes - idle_bytes) / calls,
            phones_late_ms=watch.late_ms,
            phones_share=watch.share,
            others_share=max(0.0, others_s / lasted_s),
        )
        told = await asyncio.to_thread(kept, self.env["DATABASE_URL"], self.workspace_id, sids)
        strangers = Strangers(frames - strange, checked - before, *line.providers.strange_lines(ears))
        return Findings(calls, ears, load, strangers, told)

    def _others_s(self) -> float:
        """Processor time of the service's core that no service of ours took."""
        return self.cores.busy_s() - sum(service.cpu_s() for service in self.services)

    async def _manners(self, line: Line) -> list[Ear]:
        """Pauses, "mm-hm" and, when these are over, a slow model: what fails then must not disturb the others."""
        register, over = line.providers.register, asyncio.Event()
        polite: list[Caller] = [Pauser(self.numbers.take(), register) for _ in range(MANNERS)]
        polite += [Listener(self.numbers.take(), register) for _ in range(MANNERS)]
        slow = [Patient(self.numbers.take(), register, over) for _ in range(SLOW)]
        async with asyncio.TaskGroup() as group:
            later = group.create_task(line.hold(slow), name="slow model")
            held = await line.hold(polite)
            over.set()
        return heard(held) + heard(later.result())


class Watch:
    """While calls are on: how late this process's loop runs, its share of its core in the busiest stretch, and the
    memory of the service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.late_ms, self.share, self.most_bytes = 0.0, 0.0, 0

    async def run(self) -> None:
        while True:
            began, cpu_s = time.perf_counter(), time.process_time()
            for _ in range(round(_STRETCH_S / _SAMPLE_S)):
                due = time.perf_counter() + _SAMPLE_S
                await asyncio.sleep(_SAMPLE_S)
                self.late_ms = max(self.late_ms, (time.perf_counter() - due) * 1000)
            self.share = max(self.share, (time.process_time() - cpu_s) / (time.perf_counter() - began))
            self.most_bytes = max(self.most_bytes, self._service.rss())


@dataclass(slots=True)
class Line:
    """The number everybody calls."""

    exchange: Exchange
    providers: BenchProviders

    async def hold(self, callers: Sequence[Caller]) -> list[Held]:
        """All of them at once, a moment apart, to their ends."""

        async def call(place: int, caller: Caller) -> Held:
            await asyncio.sleep(_RAMP_S * place)
            for _ in range(_TRIES):
                caller.refused = False
                record = await self.exchange.dial_in(f"+1202555{caller.number:04d}", NUMBER, caller)
                self.exchange.forget(record.call.sid)
                if not caller.refused:
                    break
                caller.turned_away += 1
                await asyncio.sleep(_AGAIN_S)
            return record, caller

        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(call(*each), name="caller") for each in enumerate(callers)]
        return [one.result() for one in calls]


def heard(calls: Sequence[Held]) -> list[Ear]:
    """What they sounded like. Takes time, and so is done when all calls are over."""
    return [
        replace(listen(record, caller.said, refused=caller.refused), turned_away=caller.turned_away)
        for record, caller in calls
    ]


@contextlib.asynccontextmanager
async def _line(account: Account, service: Service, providers: BenchProviders, sockets: Sockets) -> AsyncIterator[Line]:
    webhooks = HttpWebhooks()
    try:
        config = Config(plain_sockets=True, seed=None)
        async with Exchange(webhooks, sockets, account=account, config=config) as exchange:
            exchange.add_number(Number(NUMBER, voice_url=service.voice_url))
            yield Line(exchange, providers)
    finally:
        await webhooks.close()


@contextlib.contextmanager
def opened(processes: int = 1) -> Iterator[Bench]:
    """With a database and a broker of its own. Raises ServiceNotStarted."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    ours = load()
    settings = load(data_dir=ours.data_dir / "bench", database_url=None, redis_url=None)
    shutil.rmtree(settings.data_dir / "phrases", ignore_errors=True)  # nobody has said anything before
    cores = Cores.dealt(processes)
    with cores.for_others(), start_services(settings) as services:
        workspace_id = furnish(settings, services.database_url, NUMBER)
        env = {
            "DATABASE_URL": services.database_url,
            "REDIS_URL": services.redis_url,
            "STROWGER_DATA_DIR": str(settings.data_dir.absolute()),
        }
        yield Bench(settings, env, cores, workspace_id, processes)


def report(
    *,
    calls: int,
    seconds: float,
    only: Sequence[str] = (),
    processes: int = 1,
    together: bool = False,
    as_json: bool = False,
) -> int:
    """Runs it and prints it, one configuration after the other or all at the same time. The exit code is 0 when every
    call was whole: no underrun, no missed reply."""
    import uvloop

    rounds = [chosen(only)] if together else [[what] for what in chosen(only)]
    with opened(processes) as bench:
        found = [one for whats in rounds for one in uvloop.run(_at_once(bench, whats, calls, seconds))]
    if as_json:
        sys.stdout.write(json.dumps([one.as_dict() for one in found], indent=2) + "\n")
    else:
        render(found, bench.cores.text)
    return 0 if all(one.good for one in found if one.judged) else 1


async def _at_once(bench: Bench, whats: Sequence[Configuration], calls: int, seconds: float) -> list[Findings]:
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(bench.run(what, calls, seconds), name=what.name) for what in whats]
    return [run.result() for run in runs]


def chosen(only: Sequence[str]) -> list[Configuration]:
    """Raises BadInput for a name that is none."""
    known = configurations()
    if wrong := set(only) - set(known):
        raise BadInput(f"{', '.join(sorted(wrong))}: there are {', '.join(known)}.")
    return [what for short, what in known.items() if short in only or not only]
