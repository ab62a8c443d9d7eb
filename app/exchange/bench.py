"""`strowger bench`: many simultaneous calls through the whole bridge, measured at the caller's ear.

The server runs in a process of its own with scripted providers, whose delays are known; the exchange and its phones run
in this one. What the caller waits beyond those delays and beyond the pause we leave on purpose is what we add.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psutil

from app.dialog.patience import Patience
from app.errors import NotFound, ServiceNotStarted
from app.exchange import voices
from app.exchange.account import Number
from app.exchange.bench_report import BenchReport, Heard, heard_by, render
from app.exchange.exchange import Exchange
from app.exchange.network import HttpWebhooks, NetworkSockets
from app.exchange.office import Config
from app.exchange.phones import Handset, Pickup
from app.exchange.sound import FRAME_BYTES, is_loud, murmured
from app.telephony.mulaw import frames

DELAYS = {"stt_ms": 100, "dialogue_ms": 200, "tts_ms": 150}
BUSINESS = "+12025550100"
_START_S = 30.0
_INTERRUPT_MS = 1500
_QUIET_MS = 700
_SAMPLE_S = 0.05
_WIND_UP_S = 8.0
_CLIP_LETTERS = 20


class Talker:
    """Asks, listens to the end; asks, interrupts the answer; and so on until it has talked for so long."""

    def __init__(self, clip: bytes, seconds: float) -> None:
        self._clip, self._until_ms = clip, seconds * 1000
        self.interrupted: list[int] = []  # which of the things said was an interruption

    def ring(self, caller: str) -> Pickup:
        return Pickup()

    async def talk(self, handset: Handset) -> None:
        since = -1
        while handset.now_ms < self._until_ms:
            interrupts = len(handset.spoken) % 2 == 1
            if interrupts:
                await handset.until(lambda: handset.agent_speaking_ms >= _INTERRUPT_MS)
                self.interrupted.append(len(handset.spoken))
            else:
                await handset.until(
                    lambda since=since: (
                        handset.agent_spoke_since(since)  # type: ignore[misc]
                        and handset.agent_quiet_ms >= _QUIET_MS
                    )
                )
            await handset.say(self._clip, "a question")
            since = handset.now_ms
        handset.hang_up()


@dataclass(slots=True)
class _Server:
    """The other process."""

    url: str
    process: psutil.Process

    def cpu_s(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def rss(self) -> int:
        return int(self.process.memory_info().rss)


async def run_bench(calls: int, seconds: float) -> BenchReport:
    """`calls` at the same time, each `seconds` long. Raises ServiceNotStarted when the server does not come up."""
    ramp_s = min(5.0, seconds / 5)
    heard: list[Heard] = []
    clips = _clips()
    async with _server() as server, httpx.AsyncClient(trust_env=False) as client:
        idle_bytes = server.rss()
        webhooks = HttpWebhooks()
        exchange = Exchange(webhooks, NetworkSockets(), config=Config(plain_sockets=True))

        async def hold(place: int) -> None:
            await asyncio.sleep(ramp_s * place / calls)
            talker = Talker(clips[place % len(clips)], seconds)
            record = await exchange.dial_in(f"+1202555{place:04d}", BUSINESS, talker)
            heard.append(heard_by(record, talker.interrupted))

        async with exchange:
            exchange.add_number(Number(BUSINESS, voice_url=f"{server.url}/voice"))
            async with asyncio.TaskGroup() as group:
                for place in range(calls):
                    group.create_task(hold(place), name=f"call {place}")
                busy = group.create_task(_watch(server, ramp_s + 1, seconds - 0.5))
        told = await _told(client, server.url, calls)
        await webhooks.close()
    cpu_share, late_ms, busy_bytes = busy.result()
    return BenchReport(
        calls=calls,
        seconds=seconds,
        heard=tuple(heard),
        told=told,
        chosen_ms=Patience().pause_ms + DELAYS["dialogue_ms"] + DELAYS["tts_ms"],
        cpu_per_call=cpu_share / calls,
        bytes_per_call=(busy_bytes - idle_bytes) / calls,
        phones_late_ms=late_ms,
    )


def report(*, calls: int, seconds: float, as_json: bool) -> int:
    """Runs it and prints it. The exit code is 0 when no caller heard an underrun and every call went to its end."""
    found = asyncio.run(run_bench(calls, seconds))
    if as_json:
        sys.stdout.write(json.dumps(found.as_dict(), indent=2) + "\n")
    else:
        render(found)
    return 0 if found.good else 1


@asynccontextmanager
async def _server() -> AsyncIterator[_Server]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.bench_server", json.dumps(DELAYS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_S):
            port = (await process.stdout.readline()).decode().strip()
        if not port:
            raise ServiceNotStarted("the server of the bench did not start; its error is above")
        yield _Server(f"http://127.0.0.1:{port}", psutil.Process(process.pid))
    except TimeoutError:
        raise ServiceNotStarted(f"the server of the bench was not ready within {_START_S:.0f} s") from None
    finally:
        process.stdin.close()
        await process.wait()


async def _told(client: httpx.AsyncClient, url: str, calls: int) -> dict[str, Any]:
    """The server's report, once it has closed the books on all calls (a caller's last words take it a moment)."""
    for _ in range(round(_WIND_UP_S / _SAMPLE_S)):
        told: dict[str, Any] = (await client.get(f"{url}/report")).json()
        if sum(told["reasons"].values()) >= calls:
            break
        await asyncio.sleep(_SAMPLE_S)
    return told


async def _watch(server: _Server, from_s: float, to_s: float) -> tuple[float, float, int]:
    """While all calls are on: the share of a core the server takes, how late this process runs, the server's memory."""
    await asyncio.sleep(from_s)
    cpu_s, began, late_s = server.cpu_s(), time.perf_counter(), 0.0
    while (now := time.perf_counter()) - began < to_s - from_s:
        await asyncio.sleep(_SAMPLE_S)
        late_s = max(late_s, time.perf_counter() - now - _SAMPLE_S)
    return (server.cpu_s() - cpu_s) / (time.perf_counter() - began), late_s * 1000, server.rss()


def _clips() -> list[bytes]:
    """Recorded voices, which voice activity can tell from noise."""
    try:
        said = [
            voices.clip(voice, text)
            for voice in voices.voices()
            for text in voices.texts(voice)
            if _CLIP_LETTERS <= len(text) < 2 * _CLIP_LETTERS
        ]
    except NotFound:
        said = []
    return [_without_edges(clip) for clip in said] or [murmured("is this really a question")]


def _without_edges(mulaw: bytes) -> bytes:
    """From the first sound to the last: the caller speaks when we say so, and stops when we say so."""
    loud = [place for place, frame in enumerate(frames(mulaw)) if is_loud(frame)]
    return mulaw[loud[0] * FRAME_BYTES : (loud[-1] + 1) * FRAME_BYTES]
