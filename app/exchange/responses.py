"""A local Responses API as OpenAI's documentation has it: words that follow a script, and bad days.

async with ResponsesServer(Completion("It costs ten thousand dollars.")) as server:
    OPENAI_BASE_URL = server.url
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import count
from typing import Any

from app.exchange.completions import Call, Completion
from app.exchange.model_server import Answer, ModelServer, Request

_KNOWN = frozenset(
    ("model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "stream", "max_output_tokens",
     "previous_response_id", "store", "text", "reasoning", "temperature", "top_p", "metadata", "include",
     "service_tier", "truncation", "prompt_cache_key", "safety_identifier", "stream_options")
)  # fmt: skip
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
Event = dict[str, Any]


class ResponsesServer(ModelServer):
    """`refuses` may hold "reasoning.effort=none" too, as models have it that always think a little. `unknown` puts
    events from the future between those of today."""

    path, base = "/v1/responses", "/v1"

    def __init__(self, *replies: Completion | Answer, key: str = "openai-key", model: str = "model") -> None:
        super().__init__(*replies, key=key, model=model)
        self.unknown = False

    def check(self, body: Request, headers: Mapping[str, str]) -> tuple[int, object] | None:
        if headers.get("authorization") != f"Bearer {self.key}":
            return 401, self.problem(401, "Incorrect API key provided.")
        if unknown := [name for name in body if name not in _KNOWN or name in self.refuses]:
            return 400, self.problem(400, f"Unsupported parameter: '{unknown[0]}' is not supported with this model.")
        if body.get("model") != self.model:
            return 404, self.problem(404, f"The model '{body.get('model')}' does not exist.")
        effort = (body.get("reasoning") or {}).get("effort", "low")
        if effort not in _EFFORTS or f"reasoning.effort={effort}" in self.refuses:
            return 400, self.problem(400, f"Unsupported value: 'reasoning.effort' does not support '{effort}'.")
        wrong = _check_input(body.get("input")) or _check_tools(body)
        return (400, self.problem(400, wrong)) if wrong else None

    def events(self, reply: Completion, body: Request) -> AsyncIterator[str | None]:
        return _numbered(_events(reply, self.model, unknown=self.unknown))

    def whole(self, reply: Completion) -> object:
        return _response(reply, self.model, "completed")

    def failure(self, reply: Completion) -> object:
        return reply.error()

    def problem(self, status: int, message: str) -> object:
        kind = "invalid_request_error"
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _check_input(given: object) -> str:
    if isinstance(given, str) and given:
        return ""
    if not isinstance(given, list) or not given:
        return "Missing required parameter: 'input'."
    for number, item in enumerate(given):
        if item.get("role") not in ("user", "assistant", "system", "developer"):
            return f"Invalid value: 'input[{number}].role'."
        if not isinstance(item.get("content"), str | list):
            return f"Invalid type for 'input[{number}].content'."
    return ""


def _check_tools(body: Request) -> str:
    """Flat, unlike those of chat completions."""
    for number, tool in enumerate(body.get("tools", ())):
        if tool.get("type") != "function" or not re.fullmatch(r"[\w-]{1,64}", tool.get("name", "")):
            return f"Missing required parameter: 'tools[{number}].name'."
        schema = tool.get("parameters", {})
        closed = schema.get("additionalProperties") is False
        if tool.get("strict") and not (closed and set(schema.get("required", ())) == set(schema["properties"])):
            return f"Invalid schema for function '{tool['name']}': strict needs a closed one."
    return ""


async def _numbered(events: AsyncIterator[Event | str | None]) -> AsyncIterator[str | None]:
    numbers = count()
    async for event in events:
        if isinstance(event, dict):
            event = f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': next(numbers)})}\n\n"
        yield event


async def _events(reply: Completion, model: str, *, unknown: bool) -> AsyncIterator[Event | str | None]:
    yield {"type": "response.created", "response": _response(reply, model, "in_progress")}
    yield {"type": "response.in_progress", "response": _response(reply, model, "in_progress")}
    await asyncio.sleep(reply.first_s)
    for number, events in enumerate(_pieces(reply)):
        if reply.trouble and number == reply.at:
            break
        if number:
            await asyncio.sleep(reply.token_s)
        if unknown:
            yield {"type": "response.gesture.delta", "item_id": "msg_1", "gesture": "nod"}
        for event in events:
            yield event
    match reply.trouble:
        case "stalls":
            await asyncio.Event().wait()
        case "idles":
            while True:
                yield {"type": "response.in_progress", "response": _response(reply, model, "in_progress")}
                await asyncio.sleep(0.05)
        case "breaks":
            yield None
        case "error":
            yield {"type": "error", "code": "server_error", "message": "The server had an error.", "param": None}
        case "garbage":
            yield 'event: response.output_text.delta\ndata: {"type": "response.output_te\n\n'
        case "":
            cut = reply.reason() in ("length", "content_filter")
            status = "incomplete" if cut else "completed"
            yield {"type": f"response.{status}", "response": _response(reply, model, status)}


def _pieces(reply: Completion) -> Iterator[list[Event]]:
    """What can be used, with whatever has to be told before it."""
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    begun: list[Event] = [
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **place, "part": part},
    ]
    for token in reply.tokens():
        yield [*begun, {"type": "response.output_text.delta", **place, "delta": token, "logprobs": []}]
        begun = []
    if reply.text:
        yield [
            {"type": "response.output_text.done", **place, "text": reply.text, "logprobs": []},
            {"type": "response.content_part.done", **place, "part": {**part, "text": reply.text}},
            {"type": "response.output_item.done", "output_index": 0, "item": _output(reply)[0]},
        ]
    for index, call in enumerate(reply.calls, start=1 if reply.text else 0):
        where = {"item_id": f"fc_{index}", "output_index": index}
        begun = [{"type": "response.output_item.added", "output_index": index, "item": _called(call, index, "")}]
        for start in range(0, len(call.arguments), 7):
            delta = call.arguments[start : start + 7]
            yield [*begun, {"type": "response.function_call_arguments.delta", **where, "delta": delta}]
            begun = []
        done = {"type": "response.function_call_arguments.done", **where, "name": call.name}
        item = _called(call, index, call.arguments)
        yield [
            {**done, "arguments": call.arguments},
            {"type": "response.output_item.done", "output_index": index, "item": item},
        ]


def _called(call: Call, index: int, arguments: str) -> Event:
    head = {"type": "function_call", "id": f"fc_{index}", "call_id": call.identity, "name": call.name}
    return {**head, "arguments": arguments, "status": "completed" if arguments else "in_progress"}


def _output(reply: Completion) -> list[Event]:
    part = {"type": "output_text", "text": reply.text, "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    calls = [_called(call, index, call.arguments) for index, call in enumerate(reply.calls, start=1)]
    return [message, *calls] if reply.text else calls


def _response(reply: Completion, model: str, status: str) -> Event:
    over = status != "in_progress"
    used = reply.usage()
    usage = {
        "input_tokens": used["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": used["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": used["total_tokens"],
    }
    reason = {"length": "max_output_tokens"}.get(reply.reason(), reply.reason())
    return {
        "id": "resp_1", "object": "response", "created_at": 1_790_000_000, "model": model, "status": status,
        "output": _output(reply) if over else [], "usage": usage if over else None, "error": None,
        "incomplete_details": {"reason": reason} if status == "incomplete" else None,
        "instructions": None, "metadata": {}, "parallel_tool_calls": False, "tool_choice": "auto", "tools": [],
    }  # fmt: skip
