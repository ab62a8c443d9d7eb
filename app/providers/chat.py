"""A chat-completions server, streamed: words and tool calls as they come, each in time or not at all.

Works with every server that speaks the protocol. What one refuses (`max_completion_tokens`, strict tools, reasoning
effort ...) is left out from then on; tool calls may come in fragments or whole, with or without index or ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.errors import ProviderDown, ProviderError, ProviderLate, ProviderRefused
from app.providers.breaker import Breaker
from app.providers.chat_protocol import Chunks, Dialect, Ended, Piece

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletionChunk

WARM_S = 10.0
MOST_CHANGES = 8  # of a request that a server does not like


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: from the request to the first word, between two pieces, and for the figures after the last."""

    first_s: float = 1.2
    gap_s: float = 0.8
    usage_s: float = 0.2


def connect(*, key: str, base_url: str, model: str, limits: Limits | None = None) -> ChatModel:
    """Opens nothing yet. No retries: by the time one comes back the caller has been answered without it."""
    import httpx2
    import openai

    timeout = httpx2.Timeout(5.0, connect=1.0)
    client = openai.AsyncOpenAI(api_key=key or "none", base_url=base_url, max_retries=0, timeout=timeout)
    return ChatModel(client, model, limits)


class ChatModel:
    """One model at one server, shared by all calls of a process: what one call learns of it spares the next."""

    def __init__(self, client: openai.AsyncOpenAI, model: str, limits: Limits | None = None) -> None:
        self.client, self.model = client, model
        self.limits = limits or Limits()
        self.dialect = Dialect()
        self.breaker = Breaker()

    async def stream(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> AsyncGenerator[Piece, None]:
        """Words as they come; tool calls whole, then `Ended`, then `Tokens` if the server counts.

        Raises ProviderError when anything is late, missing or wrong. Closing it closes the connection.
        """
        now = asyncio.get_running_loop().time
        if not self.breaker.admits(now()):
            raise ProviderDown(f"{self.model} is left alone after failures")
        self.breaker = self.breaker.tried(now())
        try:
            async with aclosing(self._whole(messages, tools)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Ended):
                        self.breaker = self.breaker.worked()
                    yield piece
        except GeneratorExit:  # nobody wants the rest: there were words enough
            self.breaker = self.breaker.worked()
            raise
        except ProviderError as error:
            asked_to = error.provider_code == 429  # for peace: then it gets it at once
            self.breaker = replace(Breaker(), opened_at=now()) if asked_to else self.breaker.failed(now())
            raise

    async def warm(self) -> None:
        """Finds out which form of request the server takes, and leaves a connection open. Raises ProviderError."""
        greeting: Message = {"role": "user", "content": "Say hello."}
        with _translated():
            async with asyncio.timeout(WARM_S):
                stream = await self._open([greeting], (Tool("wait", "Never use this.", {}),))
                try:
                    async for _ in stream:
                        pass
                finally:
                    await stream.close()

    async def _whole(self, messages: Sequence[Message], tools: Sequence[Tool]) -> AsyncGenerator[Piece, None]:
        """What goes wrong after the end is nobody's business."""
        ended = False
        try:
            with _translated():
                async with aclosing(self._pieces(messages, tools)) as pieces:
                    async for piece in pieces:
                        ended = ended or isinstance(piece, Ended)
                        yield piece
        except ProviderError:
            if not ended:
                raise
        if not ended:
            raise ProviderDown("the stream ended in the middle")

    async def _pieces(self, messages: Sequence[Message], tools: Sequence[Tool]) -> AsyncGenerator[Piece, None]:
        loop = asyncio.get_running_loop()
        due = loop.time() + self.limits.first_s
        async with asyncio.timeout_at(due):
            stream = await self._open(messages, tools)
        calls, ended = Chunks(), False
        try:
            chunks = aiter(stream)
            while True:
                try:
                    async with asyncio.timeout_at(due):
                        chunk: ChatCompletionChunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                pieces = calls.read(chunk)
                for piece in pieces:
                    ended = ended or isinstance(piece, Ended)
                    yield piece
                if pieces or calls.grew:  # an empty chunk is no progress
                    due = loop.time() + (self.limits.usage_s if ended else self.limits.gap_s)
        finally:
            await stream.close()

    async def _open(
        self, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> openai.AsyncStream[ChatCompletionChunk]:
        import openai

        for _ in range(MOST_CHANGES):
            try:
                request = self.dialect.request(self.model, messages, tools)
                return await self.client.chat.completions.create(**request)  # type: ignore[no-any-return]
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if not self.dialect.give_way(f"{error.message} {error.param}"):
                    raise
        raise ProviderRefused(f"{self.model} takes no form of our request")


@contextmanager
def _translated() -> Iterator[None]:
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
