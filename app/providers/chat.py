"""A chat-completions server, streamed: words and tool calls as they come, each in time or not at all.

Works with every server that speaks the protocol. What one refuses (`max_completion_tokens`, strict tools, reasoning
effort ...) is left out from then on; tool calls may come in fragments or whole, with or without index or ids.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.errors import ProviderDown, ProviderError, ProviderRefused
from app.providers.breaker import Breaker

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletionChunk

MOST_TOKENS = 300  # of one reply, thinking included; what is spoken is shorter
WARM_S = 10.0
MOST_CHANGES = 8  # of a request that a server does not like


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: from the request to the first word, between two pieces, and for the figures after the last."""

    first_s: float = 1.2
    gap_s: float = 0.8
    usage_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Words:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` as the model wrote them: nobody has looked at them yet."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Ended:
    """`reason` as in the protocol: stop, length, tool_calls, content_filter."""

    reason: str


@dataclass(frozen=True, slots=True)
class Tokens:
    prompt: int
    completion: int


Piece = Words | ToolCall | Ended | Tokens


@dataclass(slots=True)
class Dialect:
    """The request in the form this server takes. Learned from its refusals, for all calls."""

    cap: str = "max_completion_tokens"
    effort: str = "none"  # of thinking: nobody on a phone waits for it
    strict: bool = True
    one_call: bool = True
    usage: bool = True
    tools: bool = True

    def request(self, model: str, messages: Sequence[Message], tools: Sequence[Tool]) -> dict[str, Any]:
        found: dict[str, Any] = {"model": model, "messages": list(messages), "stream": True, self.cap: MOST_TOKENS}
        if self.effort:
            found["reasoning_effort"] = self.effort
        if self.usage:
            found["stream_options"] = {"include_usage": True}
        if tools and self.tools:
            found["tools"] = [self._tool(tool) for tool in tools]
            if self.one_call:
                found["parallel_tool_calls"] = False
        return found

    def _tool(self, tool: Tool) -> dict[str, object]:
        function: dict[str, object] = {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.schema(),
        }
        return {"type": "function", "function": {**function, "strict": True} if self.strict else function}

    def give_way(self, complaint: str) -> bool:
        """Leaves out what the server complains of; False when that is nothing of ours."""
        text = complaint.lower()
        if self.cap == "max_completion_tokens" and "max_completion_tokens" in text:
            self.cap = "max_tokens"
        elif self.effort and "reasoning" in text:
            self.effort = "minimal" if self.effort == "none" and "'none'" in text else ""
        elif self.usage and ("stream_options" in text or "include_usage" in text):
            self.usage = False
        elif self.one_call and "parallel_tool_calls" in text:
            self.one_call = False
        elif self.strict and "strict" in text:
            self.strict = False
        elif self.tools and "tool" in text:
            self.tools = False
        else:
            return False
        return True


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
        calls, ended = _Calls(), False
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
        raise ProviderDown("no word in time") from None
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, ValueError) as error:
        raise ProviderDown(f"the stream broke: {type(error).__name__}") from error


class _Calls:
    """Reads chunks. Puts tool calls together from fragments: by index, else by id, else by order."""

    def __init__(self) -> None:
        self._calls: list[list[str]] = []  # [id, name, arguments]
        self._by_index: dict[int, list[str]] = {}
        self._over = False
        self.grew = False  # by a fragment in the last chunk

    def read(self, chunk: ChatCompletionChunk) -> list[Piece]:
        """Servers leave out what they like: nothing here is taken for granted."""
        found: list[Piece] = []
        self.grew = False
        for choice in getattr(chunk, "choices", None) or ():
            delta = getattr(choice, "delta", None)
            if words := getattr(delta, "content", None):
                found.append(Words(str(words)))
            for fragment in getattr(delta, "tool_calls", None) or ():
                self._add(fragment)
            if reason := getattr(choice, "finish_reason", None):
                found += [ToolCall(name, arguments) for _, name, arguments in self._calls if name]
                found.append(Ended(str(reason)))
                self._over = True
        usage = getattr(chunk, "usage", None)
        if usage is not None and (self._over or not getattr(chunk, "choices", None)):
            found.append(Tokens(int(usage.prompt_tokens or 0), int(usage.completion_tokens or 0)))
        return found

    def _add(self, fragment: Any) -> None:
        self.grew = True
        function = getattr(fragment, "function", None)
        identity, index = getattr(fragment, "id", None) or "", getattr(fragment, "index", None)
        name, arguments = getattr(function, "name", None) or "", getattr(function, "arguments", None) or ""
        call = self._by_index.get(index) if index is not None else next(iter(self._calls[-1:]), None)
        if call is None or _is_another(call, identity, name):
            call = ["", "", ""]
            self._calls.append(call)
            if index is not None:
                self._by_index[index] = call
        call[0], call[1] = call[0] or identity, call[1] or name
        call[2] += arguments


def _is_another(call: list[str], identity: str, name: str) -> bool:
    """A new call where the old one's place is taken: another id, or a name after arguments that are complete."""
    if identity and call[0]:
        return identity != call[0]
    return bool(name and call[1] and _complete(call[2]))


def _complete(arguments: str) -> bool:
    try:
        json.loads(arguments)
    except ValueError:
        return False
    return True
