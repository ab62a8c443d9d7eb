"""What a chat-completions server answers: one reply as chunks of a stream, and everything that can go wrong with it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

_CREATED = 1_790_000_000
_TOKEN = re.compile(r"\s*\S{1,8}")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call. `arguments` are sent as they are, valid or not."""

    name: str
    arguments: str
    identity: str = "call_1"


@dataclass(frozen=True, slots=True)
class Completion:
    """A reply of the model. Times in seconds; `at` is the number of pieces after which `trouble` comes.

    trouble     "stalls": nothing more comes; "idles": only empty pieces do, every 50 ms; "breaks": the connection
                does; "error": an error event; "garbage": a line that is no JSON; "ends": without a finish reason
    pieces      how tool calls come: "fragments", "whole", "no_index", "repeated_id"
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = ""
    first_s: float = 0.0
    token_s: float = 0.0
    trouble: str = ""
    at: int = 5
    pieces: str = "fragments"
    status: int = 200
    retry_after: str = ""
    code: str = ""
    role: bool = True  # a first chunk with the role and no words
    words: tuple[str, ...] = ()  # `text` as its tokens, where it matters how it is cut

    def error(self) -> dict[str, object]:
        kind = "requests" if self.status == 429 else "server_error"
        code = self.code or ("rate_limit_exceeded" if self.status == 429 else None)
        return {"error": {"message": f"Status {self.status}, as asked.", "type": kind, "param": None, "code": code}}

    def headers(self) -> dict[str, str]:
        return {"retry-after": self.retry_after} if self.retry_after else {}

    def tokens(self) -> list[str]:
        return list(self.words) or _TOKEN.findall(self.text)

    def reason(self) -> str:
        return self.finish or ("tool_calls" if self.calls else "stop")

    def whole(self, model: str) -> dict[str, object]:
        """The answer to a request without `stream`."""
        message: dict[str, object] = {"role": "assistant", "content": self.text or None}
        if self.calls:
            message["tool_calls"] = [_called(call, call.identity) for call in self.calls]
        choice = {"index": 0, "message": message, "finish_reason": self.reason(), "logprobs": None}
        head = {"id": "chatcmpl-1", "object": "chat.completion", "created": _CREATED, "model": model}
        return {**head, "choices": [choice], "usage": self.usage()}

    def usage(self) -> dict[str, int]:
        return {"prompt_tokens": 90, "completion_tokens": len(self.tokens()), "total_tokens": 90 + len(self.tokens())}


async def chunks(reply: Completion, model: str, *, usage: bool) -> AsyncIterator[str | None]:
    """Server-sent events; None where the connection shall break."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": _CREATED, "model": model}

    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        return _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    if reply.role:
        yield event({"role": "assistant", "content": ""})
    clock = asyncio.get_running_loop().time
    due = clock() + reply.first_s
    for number, delta in enumerate(_deltas(reply)):
        if reply.trouble and number == reply.at:
            break
        await asyncio.sleep(max(0.0, due - clock()))
        due += reply.token_s
        yield event(delta)
    match reply.trouble:
        case "stalls":
            await asyncio.Event().wait()
        case "idles":
            while True:
                yield event({})
                await asyncio.sleep(0.05)
        case "breaks":
            yield None
        case "error":
            yield _event({"error": {"message": "The server had an error.", "type": "server_error", "code": None}})
        case "garbage":
            yield 'data: {"id": "chatcmpl-1", "choices": [{"del\n\n'
        case "":
            yield event({}, reply.reason())
            if usage:
                yield _event({**head, "choices": [], "usage": reply.usage()})
            yield "data: [DONE]\n\n"


def _event(body: object) -> str:
    return f"data: {json.dumps(body)}\n\n"


def _deltas(reply: Completion) -> Iterator[dict[str, Any]]:
    for token in reply.tokens():
        yield {"content": token}
    for index, call in enumerate(reply.calls):
        if reply.pieces in ("whole", "no_index"):
            place = {"index": index} if reply.pieces == "whole" else {}
            yield {"tool_calls": [{**place, **_called(call, call.identity)}]}
            continue
        yield {"tool_calls": [{"index": index, **_called(Call(call.name, ""), call.identity)}]}
        again = {"id": call.identity} if reply.pieces == "repeated_id" else {}
        for start in range(0, len(call.arguments), 7):
            piece = call.arguments[start : start + 7]
            yield {"tool_calls": [{"index": index, **again, "function": {"arguments": piece}}]}


def _called(call: Call, identity: str) -> dict[str, object]:
    return {"id": identity, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
