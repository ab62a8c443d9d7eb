"""A language model behind Anthropic's Messages API, streamed over httpx."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress

import httpx

from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.errors import ProviderDown, ProviderLate
from app.providers.anthropic_protocol import VERSION, MessageReader, refusal, request
from app.providers.language_model import Limits, Piece, in_time
from app.providers.sse import EventStream
from app.settings import Settings

NAME = "anthropic"
_PATH = "/v1/messages"
_KEEP_S = 120.0  # a connection between two turns: callers think longer than the five seconds httpx keeps one


class AnthropicModel:
    """The LanguageModel port. One serves all calls of a process."""

    name = NAME

    def __init__(self, key: str, base_url: str, model: str, limits: Limits | None = None) -> None:
        self.model, self._limits = model, limits or Limits()
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"x-api-key": key, "anthropic-version": VERSION},
            timeout=httpx.Timeout(5.0, connect=1.0),
            limits=httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=_KEEP_S),
        )

    def stream(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> AsyncGenerator[Piece, None]:
        return in_time(lambda: self._open(messages, tools), MessageReader(), self._limits, _translated)

    async def warm(self) -> None:
        """Costs nothing: the connection is made for a page that need not be there."""
        with _translated():
            await self._client.get("/")

    async def close(self) -> None:
        await self._client.aclose()

    async def _open(self, messages: Sequence[Message], tools: Sequence[Tool]) -> _Events:
        body = request(self.model, messages, tools)
        response = await self._client.send(self._client.build_request("POST", _PATH, json=body), stream=True)
        if response.status_code == 200:
            return _Events(response)
        try:
            raise refusal(response.status_code, _kind(await response.aread()))
        finally:
            await response.aclose()


class _Events:
    """The data of each event of one response."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[str]:
        stream = EventStream()
        async for received in self._response.aiter_bytes():
            for data in stream.feed(received):
                yield data

    async def close(self) -> None:
        await self._response.aclose()


def make(settings: Settings) -> AnthropicModel:
    key = settings.anthropic_api_key
    return AnthropicModel(key.get_secret_value() if key else "", settings.anthropic_base_url, settings.anthropic_model)


@contextmanager
def _translated() -> Iterator[None]:
    """The network's errors as ours."""
    try:
        yield
    except TimeoutError:
        raise ProviderLate("no word in time") from None
    except (httpx.HTTPError, httpx.StreamError, ValueError) as error:
        raise ProviderDown(f"the stream broke: {type(error).__name__}") from error


def _kind(body: bytes) -> str:
    with suppress(ValueError, TypeError, KeyError):
        return str(json.loads(body)["error"]["type"])
    return ""
