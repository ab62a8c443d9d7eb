"""A local chat-completions server: the protocol as its documentation has it, words that follow a script, and bad days.

    async with ChatServer(Completion("It costs ten thousand dollars.")) as server:
        OPENAI_BASE_URL = server.url

Checked as the real one does: the key, the model, the messages, the tools. Not to be had here: what a model would say.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping

from app.exchange.completions import Completion, chunks
from app.exchange.model_server import Answer, ModelServer, Request

__all__ = ["Answer", "ChatServer"]

_KNOWN = frozenset(
    ("model", "messages", "stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p",
     "n", "tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "service_tier", "store",
     "metadata", "seed", "stop", "prompt_cache_key", "safety_identifier", "verbosity", "user")
)  # fmt: skip


class ChatServer(ModelServer):
    """`alternates` insists on user and assistant by turns."""

    path, base = "/v1/chat/completions", "/v1"

    def __init__(self, *replies: Completion | Answer, key: str = "openai-key", model: str = "model") -> None:
        super().__init__(*replies, key=key, model=model)
        self.alternates = False

    def check(self, body: Request, headers: Mapping[str, str]) -> tuple[int, object] | None:
        if headers.get("authorization") != f"Bearer {self.key}":
            return 401, _error("Incorrect API key provided.", "invalid_api_key")
        for name in body:
            if name not in _KNOWN or name in self.refuses:
                return 400, _error(f"Unsupported parameter: '{name}' is not supported.", "unsupported_parameter", name)
        if body.get("model") != self.model:
            return 404, _error(f"The model '{body.get('model')}' does not exist.", "model_not_found")
        wrong = _check_messages(body.get("messages"), self.alternates) or _check_tools(body)
        if wrong:
            return 400, _error(wrong, "invalid_value")
        if "strict" in self.refuses and any("strict" in tool["function"] for tool in body.get("tools", ())):
            return 400, _error("Unsupported parameter: 'tools[0].function.strict'.", "unsupported_parameter", "strict")
        return None

    def events(self, reply: Completion, body: Request) -> AsyncIterator[str | None]:
        return chunks(reply, self.model, usage=bool((body.get("stream_options") or {}).get("include_usage")))

    def whole(self, reply: Completion) -> object:
        return reply.whole(self.model)

    def failure(self, reply: Completion) -> object:
        return reply.error()

    def problem(self, status: int, message: str) -> object:
        return _error(message, "unknown_url" if status == 404 else None)


def _error(message: str, code: str | None, param: str | None = None) -> dict[str, object]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def _check_messages(messages: object, alternates: bool) -> str:
    if not isinstance(messages, list) or not messages:
        return "Invalid 'messages': expected a non-empty array."
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ("system", "user", "assistant", "tool"):
            return "Invalid 'messages[].role'."
        if not isinstance(message.get("content"), str) and not message.get("tool_calls"):
            return "Invalid 'messages[].content': expected a string."
    roles = [message["role"] for message in messages if message["role"] != "system"]
    if alternates and (roles[::2] != ["user"] * len(roles[::2]) or roles[1::2] != ["assistant"] * len(roles[1::2])):
        return "Conversation roles must alternate user/assistant/user/assistant/..."
    return ""


def _check_tools(body: Request) -> str:
    """Strict tools need a closed schema with every property required."""
    for tool in body.get("tools", ()):
        function = tool.get("function", {})
        if tool.get("type") != "function" or not re.fullmatch(r"[\w-]{1,64}", function.get("name", "")):
            return "Invalid 'tools[].function.name'."
        schema = function.get("parameters", {})
        closed = schema.get("additionalProperties") is False
        if function.get("strict") and not (closed and set(schema.get("required", ())) == set(schema["properties"])):
            return f"Invalid schema for function '{function['name']}': strict needs a closed one."
    if body.get("tools") == []:
        return "Invalid 'tools': empty array."
    return ""
