"""Anthropic's Messages API without a socket: requests, and what its stream of events says.

Source: platform.claude.com, "Messages" and "Streaming Messages" (anthropic-version 2023-06-01). Events of a kind not
known here are passed over, as the documentation asks; known ones must have the parts they are read for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.errors import ProviderDown, ProviderError, ProviderRefused
from app.providers.language_model import MOST_TOKENS, Ended, Piece, Tokens, ToolCall, Words

VERSION = "2023-06-01"
_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "refusal": "content_filter"}
_STATUS = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "timeout_error": 504, "overloaded_error": 529,
}  # fmt: skip
_REFUSALS = {400, 401, 402, 403, 404, 413, 422}


def request(model: str, messages: Sequence[Message], tools: Sequence[Tool]) -> dict[str, Any]:
    """What was said to the system goes into a field of its own; the rest begins with the user, as it must."""
    found: dict[str, Any] = {
        "model": model,
        "max_tokens": MOST_TOKENS,
        "stream": True,
        "messages": [message for message in messages if message["role"] != "system"],
    }
    if rules := "\n".join(message["content"] for message in messages if message["role"] == "system"):
        found["system"] = rules
    if tools:
        found["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema()} for tool in tools
        ]
        found["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
    return found


def refusal(status: int, kind: str = "") -> ProviderError:
    """`kind` is their word for it."""
    error = ProviderRefused if status in _REFUSALS else ProviderDown
    return error(f"HTTP {status}{f' ({kind})' if kind in _STATUS else ''}", provider_code=status)


@dataclass(slots=True)
class _Call:
    name: str
    arguments: str = ""


class MessageReader:
    """Reads the events of one message, in order."""

    def __init__(self) -> None:
        self.grew = False
        self._calls: dict[int, _Call] = {}
        self._prompt = 0

    def read(self, data: str) -> list[Piece]:
        """Raises ProviderError for an error of theirs, ValueError for what makes no sense."""
        self.grew = False
        try:
            event = json.loads(data)
            match event["type"]:
                case "message_start":
                    self._prompt = _prompt_tokens(event["message"]["usage"])
                case "content_block_start" if event["content_block"]["type"] == "tool_use":
                    self._calls[int(event["index"])] = _Call(str(event["content_block"]["name"]))
                    self.grew = True
                case "content_block_delta":
                    return self._delta(int(event["index"]), event["delta"])
                case "message_delta" if event["delta"].get("stop_reason"):
                    return self._end(str(event["delta"]["stop_reason"]), event.get("usage") or {})
                case "error":
                    kind = str(event["error"]["type"])
                    raise refusal(_STATUS.get(kind, 500), kind)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"an event without its parts: {error}") from None
        return []

    def _delta(self, index: int, delta: Mapping[str, Any]) -> list[Piece]:
        match delta["type"]:
            case "text_delta" if delta["text"]:
                return [Words(str(delta["text"]))]
            case "input_json_delta" if delta["partial_json"]:
                self._calls[index].arguments += str(delta["partial_json"])
                self.grew = True
        return []

    def _end(self, reason: str, usage: Mapping[str, Any]) -> list[Piece]:
        """A reason not known here is taken for a limit: only whole sentences are spoken then."""
        calls = [ToolCall(call.name, call.arguments or "{}") for call in self._calls.values()]
        tokens = Tokens(self._prompt, int(usage.get("output_tokens") or 0))
        return [*calls, Ended(_REASONS.get(reason, "length")), tokens]


def _prompt_tokens(usage: Mapping[str, Any]) -> int:
    """What came from or went to their cache is counted apart."""
    parts = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return sum(int(usage.get(part) or 0) for part in parts)
