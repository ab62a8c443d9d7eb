"""The server of `strowger bench`: the real bridge in a real uvicorn, with scripted providers behind the ports.

    python -m app.bench_server '{"stt_ms": 100, "dialogue_ms": 200, "tts_ms": 150}'

Prints one line with its port, and leaves when its standard input closes, so that it cannot outlive who started it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections import Counter
from itertools import cycle, islice

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.api.wire import MAX_FRAME, Wire
from app.call.bridge import Admission, EndNow, bridge
from app.call.pacer import Pacer
from app.call.setup import CallSetup, Parts
from app.dialog.events import CallBegan, Entry
from app.dialog.transcript import latencies_of
from app.errors import ProviderDown
from app.ports import Move, Say, VoiceActivity
from app.providers.offline.vad import SileroVoiceActivity
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, ScriptedTextToSpeech, ScriptedVoiceActivity
from app.telephony.media_stream import Started

_ANSWER = Say(("and so the answer to your question comes to its end",), "answer:bench")
_TURNS = 500


class Keeping:
    """A journal that keeps the log in memory: the database is not what is measured."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(self, entry: Entry) -> None:
        self.entries.append(entry)

    async def commit(self, entry: Entry) -> None:
        self.record(entry)

    async def settle(self) -> None:
        """Nothing waits."""


class Bench:
    """The routes, and what is known of the calls so far."""

    def __init__(self, delays: dict[str, int]) -> None:
        self._delays = delays
        self._pacer = Pacer()
        self._logs: list[Keeping] = []
        self._reasons: Counter[str] = Counter()
        self._voice, self._voice_name = _voice_activity()

    def routes(self) -> list[Route | WebSocketRoute]:
        return [
            Route("/voice", self._answer, methods=["POST"]),
            Route("/after", self._after, methods=["POST"]),
            Route("/report", self._report),
            WebSocketRoute("/media", self._media),
        ]

    async def _answer(self, request: Request) -> Response:
        stream = f"ws://{request.url.netloc}/media"
        return _twiml(
            f'<Connect><Stream url="{stream}"/></Connect><Redirect>http://{request.url.netloc}/after</Redirect>'
        )

    async def _after(self, request: Request) -> Response:
        return _twiml("<Hangup/>")

    async def _media(self, socket: WebSocket) -> None:
        await socket.accept()
        journal = Keeping()
        self._logs.append(journal)

        async def admit(started: Started, end_now: EndNow) -> Admission:
            began = CallBegan(started.call_sid, "inbound", "", "", "bench", 1, "", "", "")
            return Admission(CallSetup(began, str), self._parts(), journal)

        self._reasons[str(await bridge(Wire(socket), admit, self._pacer))] += 1

    def _parts(self) -> Parts:
        moves: tuple[Move, ...] = (_ANSWER,)
        return Parts(
            ScriptedDialogue(moves, lambda turn: moves, delay_ms=self._delays["dialogue_ms"]),
            ScriptedSpeechToText(*islice(cycle(["go on"]), _TURNS), delay_ms=self._delays["stt_ms"]),
            ScriptedTextToSpeech(delay_ms=self._delays["tts_ms"]),
            self._voice,
        )

    async def _report(self, request: Request) -> Response:
        logs = [journal.entries for journal in self._logs]
        kinds = Counter(type(entry.fact).__name__ for entries in logs for entry in entries)
        totals = [latency.total for entries in logs for latency in latencies_of(entries) if latency.total is not None]
        return JSONResponse(
            {
                "voice": self._voice_name,
                "reasons": dict(self._reasons),
                "underruns": kinds["Underrun"],
                "interruptions": kinds["Interrupted"],
                "failures": kinds["ProviderFailed"],
                "pacer_late_ms": round(self._pacer.late_ms, 1),
                "totals_ms": totals,
            }
        )


def _voice_activity() -> tuple[VoiceActivity, str]:
    silero = SileroVoiceActivity()
    try:
        silero.warm()
    except ProviderDown:
        return ScriptedVoiceActivity(), "by loudness"
    return silero, "silero"


def _twiml(body: str) -> Response:
    return Response(f"<Response>{body}</Response>", media_type="text/xml")


async def _serve(delays: dict[str, int]) -> None:
    """With the options of the production server."""
    app = Starlette(routes=Bench(delays).routes())
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        http="httptools",
        ws_max_size=MAX_FRAME,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve(sockets=[listener]))
        await _end_of_input()
        server.should_exit = True
        await asyncio.wait([serving])


async def _end_of_input() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(json.loads(sys.argv[1])))
