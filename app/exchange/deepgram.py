"""A local Deepgram: `/v1/listen` and Flux's `/v2/listen` as the documentation has them, with ears that follow a script.

    async with DeepgramServer("I need a quote") as server:
        DEEPGRAM_BASE_URL = server.url

Checked as the real one does: the key, every query parameter, control messages, ten seconds without a sign of life.
Not to be had here: recognition errors, and endpointing as good or bad as on real speech.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from typing import Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from app.exchange.hearing import Script
from app.exchange.listening import REQUEST_ID, Connected, Flux, ListenFaults, Listening, Nova

_MODELS = ("nova-3", "nova-3-general", "nova-3-medical", "nova-2", "nova-2-general", "nova-2-phonecall", "nova")
__all__ = ["DeepgramServer", "ListenFaults"]

_FLUX = ("flux-general-en", "flux-general-multi")
_KNOWN = frozenset(
    ("model", "version", "language", "language_hint", "encoding", "sample_rate", "channels", "multichannel",
     "interim_results", "endpointing", "utterance_end_ms", "vad_events", "smart_format", "punctuate", "numerals",
     "dictation", "profanity_filter", "redact", "replace", "search", "keyterm", "keywords", "detect_entities",
     "diarize", "diarize_model", "callback", "callback_method", "extra", "tag", "mip_opt_out")
)  # fmt: skip
_KNOWN_FLUX = frozenset(
    ("model", "encoding", "sample_rate", "eot_threshold", "eager_eot_threshold", "eot_timeout_ms", "keyterm",
     "language_hint", "profanity_filter", "numerals", "redact", "mip_opt_out", "tag")
)  # fmt: skip
_ERRORS = {400: "Bad Request", 401: "INVALID_AUTH", 429: "TOO_MANY_REQUESTS", 503: "SERVICE_UNAVAILABLE"}


class DeepgramServer:
    """Serves while the block runs. `faults` and the delay may be changed at any time.

    `final_s` is how long a final result takes, `freeze_ms` how often words become final in mid-speech, `idle_s` how
    long a client may say nothing.
    """

    def __init__(self, *lines: str, key: str = "deepgram-key", faults: ListenFaults | None = None) -> None:
        self.script = Script(*lines)
        self.key, self.faults = key, faults or ListenFaults()
        self.final_s, self.freeze_ms, self.idle_s = 0.0, 4000, 10.0
        self.listening: dict[str, type[Listening]] = {"/v1/listen": Nova, "/v2/listen": Flux}
        self.connections: list[Connected] = []
        self.open = 0  # of them
        self.url = ""
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """On a free port of this machine."""
        server = await self._open.enter_async_context(
            serve(self._serve, "127.0.0.1", 0, process_request=self._check, compression=None, close_timeout=0.5)
        )
        self.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.faults.status:
            return _refusal(connection, self.faults.status, "as asked")
        if request.headers.get("Authorization") != f"Token {self.key}":
            return _refusal(connection, 401, "Invalid credentials.")
        wrong = check_query(urlsplit(request.path).path, parse_qs(urlsplit(request.path).query))
        return _refusal(connection, 400, wrong) if wrong else None

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        seen = Connected(query, dict(connection.request.headers.raw_items()))
        self.connections.append(seen)
        self.open += 1
        try:
            with suppress(ConnectionClosed):
                listening = self.listening[urlsplit(connection.request.path).path]
                await listening(self, connection, seen, len(self.connections)).run()
        finally:
            self.open -= 1


def check_query(path: str, query: Mapping[str, list[str]]) -> str:
    """What is wrong with a request, or ""."""
    value = {name: values[-1] for name, values in query.items()}
    known, models = {"/v1/listen": (_KNOWN, _MODELS), "/v2/listen": (_KNOWN_FLUX, _FLUX)}.get(path, (None, ()))
    if known is None:
        return f"no such path {path}"
    if unknown := set(query) - known:
        return f"unexpected query parameters {sorted(unknown)}"
    if value.get("model") not in models:
        return "no such model"
    if value.get("encoding") != "mulaw" or value.get("sample_rate") != "8000":
        return "this server hears mulaw at 8000 Hz"
    if sum(len(term.split()) for term in query.get("keyterm", ())) > 500:
        return "keyterms are limited to 500 tokens"
    if "language_hint" in query and path == "/v2/listen" and not value["model"].endswith("multi"):
        return "language_hint is for the multilingual model"
    return _check_nova(value) if path == "/v1/listen" else ""


def _check_nova(value: Mapping[str, str]) -> str:
    if "keyterm" in value and not value["model"].startswith("nova-3"):
        return "keyterm is for Nova-3"
    if "utterance_end_ms" in value:
        if value.get("interim_results") != "true":
            return "utterance_end_ms needs interim_results"
        if not value["utterance_end_ms"].isdigit() or int(value["utterance_end_ms"]) < 1000:
            return "utterance_end_ms must be at least 1000"
    return ""


def _refusal(connection: ServerConnection, status: int, why: str) -> Response:
    body = {"err_code": _ERRORS.get(status, "ERROR"), "err_msg": why, "request_id": REQUEST_ID}
    answer = connection.respond(status, json.dumps(body))
    answer.headers["dg-error"] = why
    return answer
