"""A language model behind OpenAI's Responses API, streamed by its SDK.

Nothing is kept at the server (`store` is false): what was said before is told again in each turn, as with the others.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.errors import ProviderDown
from app.providers.chat import client_of, translated
from app.providers.language_model import MOST_TOKENS, Ended, Limits, Piece, Tokens, ToolCall, Words, in_time
from app.settings import Settings

if TYPE_CHECKING:
    import openai
    from openai.types.responses import ResponseStreamEvent

NAME = "openai_responses"
_EFFORTS = ("none", "minimal", "")  # of thinking, tried in this order; "" leaves it out


class ResponsesModel:
    """The LanguageModel port. One serves all calls of a process: what one call learns of it spares the next."""

    name = NAME

    def __init__(self, client: openai.AsyncOpenAI, model: str, limits: Limits | None = None) -> None:
        self.client, self.model, self._limits = client, model, limits or Limits()
        self._efforts: tuple[str, ...] = _EFFORTS

    def stream(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> AsyncGenerator[Piece, None]:
        return in_time(lambda: self._open(messages, tools), ResponseReader(), self._limits, translated)

    async def warm(self) -> None:
        with translated():
            await self.client.models.list()

    async def close(self) -> None:
        await self.client.close()

    async def _open(
        self, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> openai.AsyncStream[ResponseStreamEvent]:
        import openai

        while True:
            try:
                body = request(self.model, messages, tools, self._efforts[0])
                return await self.client.responses.create(**body)  # type: ignore[no-any-return]
            except openai.BadRequestError as error:
                if len(self._efforts) == 1 or "reasoning" not in f"{error.message} {error.param}":
                    raise
                self._efforts = self._efforts[1:]


def request(model: str, messages: Sequence[Message], tools: Sequence[Tool], effort: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "model": model,
        "input": [message for message in messages if message["role"] != "system"],
        "max_output_tokens": MOST_TOKENS,
        "store": False,
        "stream": True,
    }
    if rules := "\n".join(message["content"] for message in messages if message["role"] == "system"):
        found["instructions"] = rules
    if effort:
        found["reasoning"] = {"effort": effort}
    if tools:
        found["parallel_tool_calls"] = False
        found["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.schema(),
                "strict": True,
            }
            for tool in tools
        ]
    return found


class ResponseReader:
    """Reads the events of one response. The SDK makes any class of a kind it does not know: only `type` counts."""

    def __init__(self) -> None:
        self.grew = False
        self._calls: list[ToolCall] = []

    def read(self, event: Any) -> list[Piece]:
        """Raises ProviderError for an error of theirs."""
        kind = str(getattr(event, "type", ""))
        self.grew = kind == "response.function_call_arguments.delta"
        match kind:
            case "response.output_text.delta" if event.delta:
                return [Words(str(event.delta))]
            case "response.output_item.done" if getattr(event.item, "type", "") == "function_call":
                self._calls.append(ToolCall(str(event.item.name), str(event.item.arguments)))
                self.grew = True
            case "response.completed":
                return self._end("tool_calls" if self._calls else "stop", event.response)
            case "response.incomplete":
                details = getattr(event.response, "incomplete_details", None)
                filtered = getattr(details, "reason", "") == "content_filter"
                return self._end("content_filter" if filtered else "length", event.response)
            case "response.failed":
                raise _trouble(getattr(event.response, "error", None))
            case "error":
                raise _trouble(event)
        return []

    def _end(self, reason: str, response: Any) -> list[Piece]:
        found: list[Piece] = [*self._calls, Ended(reason)]
        if usage := getattr(response, "usage", None):
            found.append(Tokens(int(usage.input_tokens or 0), int(usage.output_tokens or 0)))
        return found


def _trouble(error: Any) -> ProviderDown:
    code = str(getattr(error, "code", None) or "an error")
    limited = code in ("rate_limit_exceeded", "insufficient_quota")
    return ProviderDown(f"OpenAI reports {code}", provider_code=429 if limited else 500)


def make(settings: Settings) -> ResponsesModel:
    key = settings.openai_api_key
    return ResponsesModel(
        client_of(key.get_secret_value() if key else "", settings.openai_base_url), settings.openai_model
    )
