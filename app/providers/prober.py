"""Finds out, outside calls, whether a provider that failed is well again, so that no caller has to try.

Who failed lately is asked something small every few seconds: a word to be spoken, a word to be said, a second of
silence to be listened to. What comes of it goes to the fuse box. With several processes one of them asks
(shared_circuits.py), and what one knows all learn within a second or two. None of this is waited for by anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast, runtime_checkable

from app.errors import ProviderDown, ProviderError, ProviderLate
from app.ports import Say, Speech, SpeechToText, TextToSpeech
from app.providers.circuits import FuseBox, Service
from app.providers.language_model import LanguageModel
from app.providers.shared_circuits import SharedCircuits
from app.rounds import next_round


class Probe(Protocol):
    async def __call__(self) -> None:
        """Raises ProviderError, nothing else."""
        ...


@runtime_checkable
class HasProbe(Protocol):
    async def probe(self) -> None:
        """Raises ProviderError, nothing else."""
        ...


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds: between looks at the fuse box, between probes of one service, and how long a probe may take."""

    look_s: float = 0.5
    every_s: float = 4.0
    limit_s: float = 3.0


class Prober:
    """Of one process. `watch` runs beside the calls until it is cancelled."""

    def __init__(
        self,
        box: FuseBox,
        probes: Mapping[Service, Probe],
        shared: SharedCircuits | None = None,
        rhythm: Rhythm | None = None,
    ) -> None:
        self._box, self._probes, self._shared, self._rhythm = box, dict(probes), shared, rhythm or Rhythm()
        self._asked_at: dict[Service, float] = {}
        box.probed = frozenset(self._probes)

    async def watch(self, look: Callable[[Mapping[Service, int]], None] = lambda found: None) -> None:
        """Tells `look`, again and again, for how many businesses each service is given up."""
        async with asyncio.TaskGroup() as group:
            if self._shared is not None:
                group.create_task(self._shared.keep_in_step(self._box), name="shared circuits")
            while True:
                now = asyncio.get_running_loop().time()
                look(self._box.given_up(now))
                for service in self._box.doubted(now) & self._probes.keys():
                    if now - self._asked_at.get(service, now - self._rhythm.every_s) >= self._rhythm.every_s:
                        self._asked_at[service] = now
                        group.create_task(self._ask(service), name=f"probe {service.provider}")
                await next_round(self._rhythm.look_s)

    async def _ask(self, service: Service) -> None:
        if self._shared is not None and not await self._shared.may_probe(service, self._rhythm.every_s):
            return  # another process does, and tells
        now = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(self._rhythm.limit_s):
                await self._probes[service]()
        except TimeoutError:
            self._box.probe_failed(service, ProviderLate("no answer to a probe"), now())
        except ProviderError as error:
            self._box.probe_failed(service, error, now())
        else:
            self._box.probe_worked(service, now())


def probes_of(
    recognisers: Sequence[SpeechToText], models: Sequence[LanguageModel], voices: Sequence[TextToSpeech]
) -> dict[Service, Probe]:
    """What to ask of whom. Recognisers that have no probe of their own are on this machine."""
    found: dict[Service, Probe] = {}
    for stt in recognisers:
        if isinstance(stt, HasProbe):
            found[Service("stt", stt.name)] = stt.probe
    for model in models:
        found[Service("llm", model.name)] = partial(one_token, model)
    for tts in voices:
        found[Service("tts", tts.name)] = partial(one_word, tts)
    return found


async def one_token(model: LanguageModel) -> None:
    async with aclosing(model.stream([{"role": "user", "content": "Say hello."}])) as pieces:
        if await anext(pieces, None) is None:
            raise ProviderDown("no word came")


async def one_word(tts: TextToSpeech) -> None:
    """As far as its first audio."""
    async with aclosing(cast("AsyncGenerator[Speech, None]", tts.speak(Say(("Yes.",), "probe")))) as pieces:
        if await anext(pieces, None) is None:
            raise ProviderDown("no audio came")
