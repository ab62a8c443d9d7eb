"""A chat-completions server, streamed: words and tool calls as they come, each in time or not at all.

Works with every server that speaks the protocol. What one refuses (`max_completion_tokens`, strict tools, reasoning
effort ...) is left out from then on; tool calls may come in fragments or whole, with or without index or ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.errors import ProviderDown, ProviderLate, ProviderRefused
from app.providers.chat_protocol import Chunks, Dialect
from app.providers.language_model import Limits, Piece, in_time
from app.settings import Settings

if TYPE_CHECKING:
    import openai

__all__ = ["ChatModel", "Limits", "connect", "make", "make_second"]

WARM_S = 10.0
KEEP_S = 120.0  # a connection between two turns: callers think longer than the five seconds that are usual
MOST_CHANGES = 8  # of a request that a server does not like


def connect(*, key: str, base_url: str, model: str, name: str = "openai", limits: Limits | None = None) -> ChatModel:
    """Opens nothing yet."""
    return ChatModel(client_of(key, base_url), model, limits, name=name)


def client_of(key: str, base_url: str) -> openai.AsyncOpenAI:
    """No retries: by the time one comes back the caller has been answered without it."""
    import httpx2
    import openai

    timeout = httpx2.Timeout(5.0, connect=1.0)
    limits = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=KEEP_S)
    http = openai.DefaultAsyncHttpx2Client(limits=limits)
    return openai.AsyncOpenAI(
        api_key=key or "none", base_url=base_url, max_retries=0, timeout=timeout, http_client=http
    )


class ChatModel:
    """The LanguageModel port. One serves all calls of a process: what one call learns of it spares the next."""

    def __init__(
        self, client: openai.AsyncOpenAI, model: str, limits: Limits | None = None, *, name: str = "openai"
    ) -> None:
        self.client, self.model, self.name = client, model, name
        self.limits = limits or Limits()
        self.dialect = Dialect()

    def stream(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> AsyncGenerator[Piece, None]:
        return in_time(lambda: self._open(messages, tools), Chunks(), self.limits, translated)

    async def warm(self) -> None:
        """Finds out which form of request the server takes, and leaves a connection open. Raises ProviderError."""
        greeting: Message = {"role": "user", "content": "Say hello."}
        with translated():
            async with asyncio.timeout(WARM_S):
                stream = await self._open([greeting], (Tool("wait", "Never use this.", {}),))
                try:
                    async for _ in stream:
                        pass
                finally:
                    await stream.close()

    async def close(self) -> None:
        await self.client.close()

    async def _open(self, messages: Sequence[Message], tools: Sequence[Tool]) -> openai.AsyncStream[object]:
        """Past the SDK's models of requests and chunks, which took a quarter of a busy process's time: connections,
        errors and the stream are the SDK's, the JSON is ours."""
        import openai

        for _ in range(MOST_CHANGES):
            try:
                request = self.dialect.request(self.model, messages, tools)
                return await self.client.post(
                    "/chat/completions",
                    body=request,
                    cast_to=object,
                    stream=True,
                    stream_cls=openai.AsyncStream[object],
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if not self.dialect.give_way(f"{error.message} {error.param}"):
                    raise
        raise ProviderRefused(f"{self.model} takes no form of our request")


@contextmanager
def translated() -> Iterator[None]:
    """The SDK's and the network's errors as ours."""
    import httpx2
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        kind = ProviderRefused if error.status_code in (400, 401, 403, 404, 422) else ProviderDown
        raise kind(f"HTTP {error.status_code}", provider_code=error.status_code) from error
    except TimeoutError:
        raise ProviderLate("no word in time") from None
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, ValueError) as error:
        raise ProviderDown(f"the stream broke: {type(error).__name__}") from error


def make(settings: Settings) -> ChatModel:
    key = settings.openai_api_key
    return connect(
        key=key.get_secret_value() if key else "", base_url=settings.openai_base_url, model=settings.openai_model
    )


def make_second(settings: Settings) -> ChatModel:
    """Another server, or another model of the same one."""
    key = settings.openai_2_api_key
    return connect(
        key=key.get_secret_value() if key else "",
        base_url=settings.openai_2_base_url or settings.openai_base_url,
        model=settings.openai_2_model or settings.openai_model,
        name="openai_2",
    )
