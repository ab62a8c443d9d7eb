"""The service a bench measures: `strowger serve` as in production, or the bare loop, in a process of its own.

Where the machine allows it the service has one core for itself, and everything else the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from app.embedded.launch import free_port
from app.errors import ServiceNotStarted
from app.exchange.account import Account
from app.local import Role

_READY_S = 60.0
_WARM_S = 6.0  # from "ready" until its providers' sockets are open and the start is no longer held against it


@dataclass(frozen=True, slots=True)
class Cores:
    """Which processors belong to the service, and which to the phones and the emulated providers. Empty: any."""

    service: tuple[int, ...] = ()
    others: tuple[int, ...] = ()

    @classmethod
    def dealt(cls, processes: int) -> Cores:
        """One core a process of the service. Where that leaves none for the phones they share the last one."""
        if not hasattr(os, "sched_setaffinity"):
            return cls()
        there = sorted(os.sched_getaffinity(0))
        if len(there) < 2:
            return cls()
        service = tuple(there[:processes])
        return cls(service, tuple(there[processes:]) or (there[-1],))

    @property
    def text(self) -> str:
        if not self.service:
            return "cores are shared: this machine has one, or does not let us choose"
        shared = " (shared with the service)" if set(self.service) & set(self.others) else ""
        return f"service on core {_listed(self.service)}, phones and providers on core {_listed(self.others)}{shared}"

    def busy_s(self) -> float:
        """How long the service's cores have worked so far, for whomever; 0 where cores are not dealt out."""
        if not self.service:
            return 0.0
        there = psutil.cpu_times(percpu=True)
        return sum(sum(there[core]) - there[core].idle - getattr(there[core], "iowait", 0.0) for core in self.service)

    @contextlib.contextmanager
    def for_service(self) -> Iterator[None]:
        """Processes started inside belong to the service."""
        with _kept_to(self.service):
            yield

    @contextlib.contextmanager
    def for_others(self) -> Iterator[None]:
        """Everything else, this process included."""
        with _kept_to(self.others):
            yield


@contextlib.contextmanager
def _kept_to(cores: tuple[int, ...]) -> Iterator[None]:
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(slots=True)
class Service:
    """The other process. `answers` is the path of its voice webhook."""

    url: str
    role: Role
    answers: str

    @property
    def voice_url(self) -> str:
        return self.url + self.answers

    def cpu_s(self) -> float:
        return sum(times.user + times.system for times in (one.cpu_times() for one in self._processes()))

    def rss(self) -> int:
        return sum(one.memory_info().rss for one in self._processes())

    def metric(self, name: str) -> float:
        """The sum over its labels, as /metrics has it; 0 where there is none, as with the bare loop. Waits."""
        lines = httpx.get(f"{self.url}/metrics", timeout=10, trust_env=False).text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.partition(" ")[0].partition("{")[0] == name)

    def _processes(self) -> list[psutil.Process]:
        first = psutil.Process(self.role.pid)
        return [first, *first.children(recursive=True)]


@asynccontextmanager
async def serving(
    cores: Cores, env: Mapping[str, str], account: Account, logs: Path, *, bare: bool = False, processes: int = 1
) -> AsyncIterator[Service]:
    """Ready for calls. Raises ServiceNotStarted with its last words."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {
        "STROWGER_PUBLIC_URL": url,
        "TWILIO_ACCOUNT_SID": account.sid,
        "TWILIO_AUTH_TOKEN": account.token,
        "STROWGER_MAX_CALLS": "2000",  # what it can hold is measured here, not what it would take on
        "STROWGER_MAX_BUSY": "100",
        "STROWGER_MAX_LAG_MS": "60000",
        "STROWGER_LOG": "json",
        **env,
    }
    more = ("--processes", str(processes)) if processes > 1 else ()
    with cores.for_service():
        if bare:
            role = Role((str(port),), env, logs, module="app.bench_bare")
        else:
            role = Role(("serve", "--port", str(port), *more), env, logs)
    try:
        await _ready(role, f"{url}/health/ready")
        yield Service(url, role, "/voice" if bare else "/twilio/voice")
    finally:
        await asyncio.to_thread(role.stop)


async def _ready(role: Role, url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(round(_READY_S / 0.1)):
            if not role.alive:
                break
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url, timeout=2)).status_code == 200:
                    await asyncio.sleep(_WARM_S)
                    return
            await asyncio.sleep(0.1)
    raise ServiceNotStarted(f"the service of the bench did not start; its log {role.log} ends:\n{role.last_words()}")


def _listed(cores: tuple[int, ...]) -> str:
    return ", ".join(map(str, cores))
