"""A bare loop without any logic, to compare with: `python -m app.bench_bare PORT`.

It waits for the final transcript, then for a whole sentence of the model, has it spoken and sends it; any voice clears.
No turn-taking, no ledger, no log, no pacing, no stand-ins, nothing that a caller is owed. Not part of the product.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count

import openai
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.telephony import mulaw

_GREETING = "Hello, you have reached a loop that has no manners at all, so please say what you would like to know."
_VOICE_FRAMES = 3  # of 20 ms: then it is a voice
_LOUD = 200.0
_FLUX = "model=flux-general-en&encoding=mulaw&sample_rate=8000"
_NOVA = "model=nova-3&encoding=mulaw&sample_rate=8000&interim_results=true&endpointing=200"
_SPEECH = "model_id=eleven_flash_v2_5&output_format=ulaw_8000&inactivity_timeout=180"
_SENTENCE = re.compile(r"[.!?]\s")


class BareCall:
    """One media socket to its end."""

    def __init__(self, socket: WebSocket, model: openai.AsyncOpenAI) -> None:
        self._socket, self._model = socket, model
        self._now = asyncio.get_running_loop().time
        self._sid = ""
        self._loud = 0
        self._dry_at = 0.0  # when the carrier will have played all it has
        self._reply: asyncio.Task[None] | None = None
        self._contexts = count(1)

    async def hold(self) -> None:
        ears, voice = os.environ["DEEPGRAM_BASE_URL"], os.environ["ELEVENLABS_BASE_URL"]
        nova = os.environ["DEEPGRAM_MODEL"].startswith("nova")
        listen = f"{ears}/v1/listen?{_NOVA}" if nova else f"{ears}/v2/listen?{_FLUX}"
        speak = f"{voice}/v1/text-to-speech/{os.environ['ELEVENLABS_VOICE_ID']}/multi-stream-input?{_SPEECH}"
        heads = (
            {"Authorization": f"Token {os.environ['DEEPGRAM_API_KEY']}"},
            {"xi-api-key": os.environ["ELEVENLABS_API_KEY"]},
        )
        async with (
            connect(listen, additional_headers=heads[0], compression=None) as hearing,
            connect(speak, additional_headers=heads[1], compression=None, max_size=None) as self._speech,
            asyncio.TaskGroup() as group,
        ):
            self._group = group
            listening = group.create_task(self._listen(hearing))
            with suppress(WebSocketDisconnect):
                while True:
                    await self._receive(json.loads(await self._socket.receive_text()), hearing)
            for task in (listening, self._reply):
                if task is not None:
                    task.cancel()

    async def _receive(self, message: dict[str, dict[str, str]], hearing: ClientConnection) -> None:
        if "start" in message:
            self._sid = message["start"]["streamSid"]
            self._reply = self._group.create_task(self._say(_GREETING))
        elif "media" in message:
            frame = b64decode(message["media"]["payload"])
            await hearing.send(frame)
            self._loud = self._loud + 1 if mulaw.level(frame) >= _LOUD else 0
            if self._loud == _VOICE_FRAMES:
                await self._clear()

    async def _clear(self) -> None:
        if self._reply is not None:
            self._reply.cancel()
        if self._dry_at > self._now():
            await self._send({"event": "clear"})
        self._dry_at = 0.0

    async def _listen(self, hearing: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for text in hearing:
                message = json.loads(text)
                words = ""
                if message.get("event") == "EndOfTurn":
                    words = message["transcript"]
                elif message.get("speech_final"):
                    words = message["channel"]["alternatives"][0]["transcript"]
                if words:
                    await self._clear()
                    self._reply = self._group.create_task(self._answer(words))

    async def _answer(self, words: str) -> None:
        stream = await self._model.chat.completions.create(
            model=os.environ["OPENAI_MODEL"],
            messages=[
                {"role": "system", "content": "You sell solar systems on the telephone. Be brief."},
                {"role": "user", "content": words},
            ],
            stream=True,
        )
        async for sentence in _sentences(stream):
            await self._say(sentence)

    async def _say(self, text: str) -> None:
        """Returns when all its audio has been sent."""
        context = f"line-{next(self._contexts)}"
        for message in ({"text": " "}, {"text": f"{text} "}, {"flush": True}, {"close_context": True}):
            await self._speech.send(json.dumps({**message, "context_id": context}))
        while True:
            message = json.loads(await self._speech.recv())
            if message.get("contextId") != context:
                continue  # of a reply that was cut
            if message.get("isFinal"):
                return
            self._dry_at = max(self._dry_at, self._now()) + mulaw.duration_ms(b64decode(message["audio"])) / 1000
            await self._send({"event": "media", "media": {"payload": message["audio"]}})

    async def _send(self, message: dict[str, object]) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):
            await self._socket.send_text(json.dumps({**message, "streamSid": self._sid}))


async def _sentences(stream: openai.AsyncStream[openai.types.chat.ChatCompletionChunk]) -> AsyncIterator[str]:
    waiting = ""
    async for chunk in stream:
        if chunk.choices:
            waiting += chunk.choices[0].delta.content or ""
        while end := _SENTENCE.search(waiting):
            yield waiting[: end.end()].strip()
            waiting = waiting[end.end() :]
    if waiting.strip():
        yield waiting.strip()


def _application() -> Starlette:
    model = openai.AsyncOpenAI(api_key=os.environ["OPENAI_API_KEY"], base_url=os.environ["OPENAI_BASE_URL"])

    async def voice(request: Request) -> Response:
        stream = f'<Connect><Stream url="ws://{request.url.netloc}/media"/></Connect>'
        return Response(f"<Response>{stream}</Response>", media_type="text/xml")

    async def ready(request: Request) -> Response:
        return Response()

    async def media(socket: WebSocket) -> None:
        await socket.accept()
        await BareCall(socket, model).hold()

    return Starlette(
        routes=[
            Route("/voice", voice, methods=["POST"]),
            Route("/health/ready", ready),
            WebSocketRoute("/media", media),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(
        _application(),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
