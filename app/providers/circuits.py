"""The circuit breakers of one process: one for each provider, stage and business that calls go to it for.

What fails for one business alone (its quota, its voice) is closed to that business alone. A provider whose circuits
are open for two businesses is taken to be down for all. A call asks `admits` and reports what came of it:

    circuits = box.circuits("llm", tenant=str(workspace_id))
    if circuits.admits("openai", now):
        circuits.tried("openai", now)
        ...
        circuits.worked("openai")  or  circuits.failed("openai", error, now)

Nothing here waits and nothing here does I/O. Who opened what in other processes arrives through `told_of`; whether a
provider is well again is found out by probes outside calls (prober.py) for those named in `probed`. Without a prober,
or when it has given no sign for `FORSAKEN_S`, one call in a while is let through to try.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from app.errors import ProviderError, ProviderRefused
from app.providers.breaker import Breaker, Rules

FORSAKEN_S = 60.0
_DOWN_FOR_ALL = 2  # businesses


@dataclass(frozen=True, slots=True, order=True)
class Circuit:
    """`stage` is "stt", "llm" or "tts"; `tenant` is a workspace's id, or "" where there is but one."""

    stage: str
    provider: str
    tenant: str = ""

    @property
    def service(self) -> Service:
        return Service(self.stage, self.provider)


@dataclass(frozen=True, slots=True, order=True)
class Service:
    """What a probe asks: a provider in one stage."""

    stage: str
    provider: str


class FuseBox:
    """All of them. Times are seconds of the process's own clock, as in `Breaker`."""

    def __init__(self, rules: Rules | None = None, probed: Collection[Service] = ()) -> None:
        self.rules = rules or Rules()
        self.probed = frozenset(probed)
        self._breakers: dict[Circuit, Breaker] = {}
        self._known: set[Service] = set()
        self._well_at: dict[Service, float] = {}  # the last probe that worked
        self._elsewhere: Mapping[Circuit, float] = {}  # until when what another process opened is believed to be open

    def circuits(self, stage: str, tenant: str = "") -> Circuits:
        """For one call's chain."""
        return Circuits(stage=stage, tenant=tenant, box=self)

    def admits(self, circuit: Circuit, now: float) -> bool:
        if not self._lets_through(circuit, now):
            return False
        others = (one for one in self.open(now) if one.service == circuit.service and one != circuit)
        return len({one.tenant for one in others}) < _DOWN_FOR_ALL

    def tried(self, circuit: Circuit, now: float) -> None:
        if circuit in self._breakers:
            self._breakers[circuit] = self._breakers[circuit].tried(now)

    def worked(self, circuit: Circuit) -> None:
        self._breakers.pop(circuit, None)

    def failed(self, circuit: Circuit, error: ProviderError, now: float) -> None:
        """A refusal counts only when it was answered to the request as such (a key, a quota): that one text or
        another cannot be spoken says nothing about the next. Whoever asks to be left alone gets that at once."""
        if isinstance(error, ProviderRefused) and error.provider_code is None:
            return
        breaker = self._breakers.get(circuit) or Breaker(self.rules)
        self._breakers[circuit] = breaker.opened(now) if error.provider_code == 429 else breaker.failed(now)

    def told_of(self, elsewhere: Mapping[Circuit, float]) -> None:
        """What other processes have open, and until when that holds unless they say so again."""
        self._elsewhere = dict(elsewhere)

    # --- for those who probe, share and show ---

    def open(self, now: float) -> Iterator[Circuit]:
        """Open here, or elsewhere as far as we were told."""
        yield from self.opened_here()
        yield from (one for one, until in self._elsewhere.items() if now < until and one not in self._breakers)

    def opened_here(self) -> Iterator[Circuit]:
        return (one for one, breaker in tuple(self._breakers.items()) if breaker.opened_at is not None)

    def doubted(self, now: float) -> frozenset[Service]:
        """Services worth a probe: open, or failed lately with no probe since that worked."""
        found = {one.service for one in self.open(now)}
        for circuit, breaker in tuple(self._breakers.items()):
            lately = [at for at in breaker.failed_at if now - at < self.rules.window_s]
            if lately and lately[-1] > self._well_at.get(circuit.service, lately[-1] - 1):
                found.add(circuit.service)
        return frozenset(found)

    def given_up(self, now: float) -> dict[Service, int]:
        """For how many businesses, of every service that ever failed."""
        open_ = Counter(one.service for one in self.open(now))
        self._known |= open_.keys() | {one.service for one in self._breakers}
        return {service: open_[service] for service in sorted(self._known)}

    def probe_worked(self, service: Service, now: float) -> None:
        """Closes every business's circuit that is open. One that is closed keeps what it counts: a probe is small, and
        what calls want may fail all the same."""
        self._well_at[service] = now
        for circuit in tuple(self.opened_here()):
            if circuit.service == service:
                self.worked(circuit)
        self._elsewhere = {one: until for one, until in self._elsewhere.items() if one.service != service}

    def probe_failed(self, service: Service, error: ProviderError, now: float) -> None:
        for circuit, breaker in tuple(self._breakers.items()):
            if circuit.service == service:
                if breaker.opened_at is None:
                    self.failed(circuit, error, now)
                else:
                    self._breakers[circuit] = breaker.opened(now)

    def _lets_through(self, circuit: Circuit, now: float) -> bool:
        breaker = self._breakers.get(circuit)
        if breaker is None:
            return now >= self._elsewhere.get(circuit, now)
        if breaker.opened_at is None:
            return True
        if circuit.service in self.probed and now - breaker.opened_at < FORSAKEN_S:
            return False
        return breaker.admits(now)


class Circuits:
    """Those of one stage, as the calls of one business see them."""

    def __init__(
        self, rules: Rules | None = None, *, stage: str = "", tenant: str = "", box: FuseBox | None = None
    ) -> None:
        self._box = box or FuseBox(rules)
        self._any = Circuit(stage, "", tenant)

    def admits(self, name: str, now: float) -> bool:
        return self._box.admits(self._of(name), now)

    def tried(self, name: str, now: float) -> None:
        self._box.tried(self._of(name), now)

    def worked(self, name: str) -> None:
        self._box.worked(self._of(name))

    def failed(self, name: str, error: ProviderError, now: float) -> None:
        self._box.failed(self._of(name), error, now)

    def _of(self, name: str) -> Circuit:
        return replace(self._any, provider=name)
