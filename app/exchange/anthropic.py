"""A local Messages API as Anthropic's documentation has it: words that follow a script, and bad days.

    async with MessagesServer(Completion("It costs ten thousand dollars.")) as server:
        ANTHROPIC_BASE_URL = server.url

Checked as the real one does: key and version, the model, every parameter, who speaks when, the tools. Not to be had
here: what a model would say.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from app.exchange.completions import Call, Completion
from app.exchange.model_server import Answer, ModelServer, Request

_KNOWN = frozenset(
    ("model", "max_tokens", "messages", "system", "stream", "tools", "tool_choice", "temperature", "top_p", "top_k",
     "stop_sequences", "metadata", "service_tier", "thinking", "container", "context_management", "mcp_servers")
)  # fmt: skip
_KINDS = {400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
          404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error",
          529: "overloaded_error"}  # fmt: skip
_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


class MessagesServer(ModelServer):
    """`unknown` puts events and deltas from the future between those of today."""

    path = "/v1/messages"

    def __init__(self, *replies: Completion | Answer, key: str = "anthropic-key", model: str = "model") -> None:
        super().__init__(*replies, key=key, model=model)
        self.unknown = False

    def check(self, body: Request, headers: Mapping[str, str]) -> tuple[int, object] | None:
        if headers.get("x-api-key") != self.key:
            return 401, self.problem(401, "invalid x-api-key")
        if headers.get("anthropic-version") != "2023-06-01":
            return 400, self.problem(400, "anthropic-version: header is required")
        if body.get("model") != self.model:
            return 404, self.problem(404, f"model: {body.get('model')}")
        if unknown := [name for name in body if name not in _KNOWN or name in self.refuses]:
            return 400, self.problem(400, f"{unknown[0]}: Extra inputs are not permitted")
        wrong = _check_request(body) or _check_tools(body)
        return (400, self.problem(400, wrong)) if wrong else None

    def events(self, reply: Completion, body: Request) -> AsyncIterator[str | None]:
        return _events(reply, self.model, unknown=self.unknown)

    def whole(self, reply: Completion) -> object:
        content: list[dict[str, object]] = [{"type": "text", "text": reply.text}] if reply.text else []
        content += [{**_tool(call), "input": json.loads(call.arguments or "{}")} for call in reply.calls]
        return {**_message(reply, self.model), "content": content, "stop_reason": _REASONS[reply.reason()]}

    def problem(self, status: int, message: str) -> object:
        kind = _KINDS.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def _check_request(body: Request) -> str:
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        return "max_tokens: Field required"
    if "system" in body and not (isinstance(body["system"], str) and body["system"].strip()):
        return "system: text content blocks must be non-empty"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    for number, message in enumerate(messages):
        if message.get("role") not in ("user", "assistant"):
            return f"messages.{number}.role: Input should be 'user' or 'assistant'"
        if not isinstance(message.get("content"), str) or not message["content"].strip():
            return f"messages.{number}: text content blocks must be non-empty"
    return "" if messages[0]["role"] == "user" else 'messages: first message must use the "user" role'


def _check_tools(body: Request) -> str:
    for number, tool in enumerate(body.get("tools", ())):
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool.get("name", "")):
            return f"tools.{number}.name: String should match pattern"
        if tool.get("input_schema", {}).get("type") != "object":
            return f"tools.{number}.input_schema.type: Field required"
    if "tool_choice" in body and not body.get("tools"):
        return "tool_choice: may only be specified while providing tools"
    return ""


async def _events(reply: Completion, model: str, *, unknown: bool) -> AsyncIterator[str | None]:
    yield _event("message_start", message=_message(reply, model))
    yield _event("ping")
    await asyncio.sleep(reply.first_s)
    for number, event in enumerate(_blocks(reply)):
        if reply.trouble and number == reply.at:
            break
        if number:
            await asyncio.sleep(reply.token_s)
        if unknown:
            yield _event("content_block_hint", index=0, hint={"type": "from_the_future"})
            yield _event("content_block_delta", index=0, delta={"type": "gesture_delta", "gesture": "nod"})
        yield event
    match reply.trouble:
        case "stalls":
            await asyncio.Event().wait()
        case "idles":
            while True:
                yield _event("ping")
                await asyncio.sleep(0.05)
        case "breaks":
            yield None
        case "error":
            yield _event("error", error={"type": "overloaded_error", "message": "Overloaded"})
        case "garbage":
            yield 'event: content_block_delta\ndata: {"type": "content_block_delta", "ind\n\n'
        case "":
            usage = {"output_tokens": reply.usage()["completion_tokens"]}
            delta = {"stop_reason": _REASONS.get(reply.reason(), reply.reason()), "stop_sequence": None}
            yield _event("message_delta", delta=delta, usage=usage)
            yield _event("message_stop")


def _blocks(reply: Completion) -> Iterator[str]:
    """The start of a block comes with its first piece, so that `at` counts what a listener can use."""
    index = 0
    for place, token in enumerate(reply.tokens()):
        start = "" if place else _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield start + _event("content_block_delta", index=0, delta={"type": "text_delta", "text": token})
        index = 1
    stop = _event("content_block_stop", index=0) if index else ""
    for call in reply.calls:
        block = {**_tool(call), "input": {}}
        yield stop + _event("content_block_start", index=index, content_block=block)
        for at in range(0, len(call.arguments), 7):
            delta = {"type": "input_json_delta", "partial_json": call.arguments[at : at + 7]}
            yield _event("content_block_delta", index=index, delta=delta)
        stop, index = _event("content_block_stop", index=index), index + 1


def _tool(call: Call) -> dict[str, object]:
    return {"type": "tool_use", "id": f"toolu_{call.identity}", "name": call.name}


def _message(reply: Completion, model: str) -> dict[str, object]:
    usage = {"input_tokens": reply.usage()["prompt_tokens"], "output_tokens": 1}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": []}
    return {**head, "stop_reason": None, "stop_sequence": None, "usage": usage}


def _event(kind: str, **body: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **body}, ensure_ascii=False)}\n\n"
