"""Chat completions as a protocol, without a socket: requests in the form a server takes, and what its chunks say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.providers.language_model import MOST_TOKENS, Ended, Piece, Tokens, ToolCall, Words


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


class Chunks:
    """Reads chunks. Puts tool calls together from fragments: by index, else by id, else by order."""

    def __init__(self) -> None:
        self._calls: list[list[str]] = []  # [id, name, arguments]
        self._by_index: dict[int, list[str]] = {}
        self._over = False
        self.grew = False  # by a fragment in the last chunk

    def read(self, chunk: object) -> list[Piece]:
        """Servers leave out what they like: nothing here is taken for granted."""
        found: list[Piece] = []
        self.grew = False
        choices = _list(chunk, "choices")
        for choice in choices:
            delta = _part(choice, "delta")
            if words := _part(delta, "content"):
                found.append(Words(str(words)))
            for fragment in _list(delta, "tool_calls"):
                self._add(fragment)
            if reason := _part(choice, "finish_reason"):
                found += [ToolCall(name, arguments) for _, name, arguments in self._calls if name]
                found.append(Ended(str(reason)))
                self._over = True
        usage = _part(chunk, "usage")
        if usage is not None and (self._over or not choices):
            found.append(Tokens(_count(usage, "prompt_tokens"), _count(usage, "completion_tokens")))
        return found

    def _add(self, fragment: object) -> None:
        self.grew = True
        function = _part(fragment, "function")
        identity, index = str(_part(fragment, "id") or ""), _part(fragment, "index")
        name, arguments = str(_part(function, "name") or ""), str(_part(function, "arguments") or "")
        call = self._by_index.get(index) if isinstance(index, int) else next(iter(self._calls[-1:]), None)
        if call is None or _is_another(call, identity, name):
            call = ["", "", ""]
            self._calls.append(call)
            if isinstance(index, int):
                self._by_index[index] = call
        call[0], call[1] = call[0] or identity, call[1] or name
        call[2] += arguments


def _part(of: object, name: str) -> Any:
    return of.get(name) if isinstance(of, dict) else None


def _list(of: object, name: str) -> list[Any]:
    found = _part(of, name)
    return found if isinstance(found, list) else []


def _count(of: object, name: str) -> int:
    found = _part(of, name)
    return found if isinstance(found, int) else 0


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
