"""The client's pure parts: how requests give way, and how tool calls are put together."""

from __future__ import annotations

from typing import Any

import pytest

from app.providers.chat_protocol import Chunks, Dialect, Ended, Tokens, ToolCall, Words


@pytest.mark.parametrize(
    ("complaints", "left"),
    [
        (["'reasoning_effort' does not support 'none' with this model."], {"reasoning_effort": "minimal"}),
        (["Unsupported value: 'none'. reasoning_effort", "reasoning_effort is unknown"], {"reasoning_effort": None}),
        (["Use 'max_tokens' instead of max_completion_tokens"], {"max_tokens": 300, "max_completion_tokens": None}),
        (["model does not support tools"], {"tools": None}),
    ],
)
def test_the_request_gives_way(complaints: list[str], left: dict[str, object]) -> None:
    dialect = Dialect()
    for complaint in complaints:
        assert dialect.give_way(complaint)
    request = dialect.request("m", [], ())
    assert {name: request.get(name) for name in left} == left


def test_a_complaint_about_something_else_is_final() -> None:
    assert not Dialect().give_way("context length exceeded")


def chunk(*fragments: Any, finish: str | None = None, content: str | None = None, usage: Any = None) -> Any:
    delta = {"content": content, "tool_calls": list(fragments) or None}
    return {"choices": [{"delta": delta, "finish_reason": finish}], "usage": usage}


def fragment(index: int | None, identity: str | None, name: str | None, arguments: str | None) -> Any:
    return {"index": index, "id": identity, "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    "fragments",
    [
        [(0, "a", "f", '{"x"'), (0, None, None, ":1}"), (1, "b", "g", "{}")],
        [(0, "a", "f", '{"x":1}'), (1, "b", "g", "{}")],
        [(None, "a", "f", '{"x":1}'), (None, "b", "g", "{}")],
        [(None, None, "f", '{"x":1}'), (None, None, "g", "{}")],
        [(0, "a", "f", '{"x":1}'), (0, "b", "g", "{}")],  # every call is the first
        [(0, "a", "f", '{"x"'), (0, "a", "f", ":1}"), (1, "b", "g", ""), (1, "b", "g", "{}")],
        [(0, "", "f", '{"x"'), (1, "", "g", "{}"), (0, "", "", ":1}")],
    ],
)
def test_tool_calls_in_every_form_servers_send(fragments: list[tuple[Any, ...]]) -> None:
    calls = Chunks()
    for one in fragments:
        assert calls.read(chunk(fragment(*one))) == []
        assert calls.grew
    assert calls.read(chunk(finish="tool_calls")) == [
        ToolCall("f", '{"x":1}'),
        ToolCall("g", "{}"),
        Ended("tool_calls"),
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": [{"delta": None, "finish_reason": None}]},
        {"choices": ["odd"], "usage": "odd"},
        ["odd"],
        None,
        {"choices": [{}]},
        chunk({}),
        chunk(content=""),
    ],
)
def test_chunks_with_nothing_in_them_are_nothing(odd: Any) -> None:
    assert Chunks().read(odd) == []


def test_usage_comes_alone_or_with_the_last_chunk() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": None}
    assert Chunks().read({"choices": [], "usage": usage}) == [Tokens(5, 0)]
    assert Chunks().read(chunk(content="hi", usage=usage)) == [Words("hi")], "a running count is not the last word"
    assert Chunks().read(chunk(finish="stop", usage=usage)) == [Ended("stop"), Tokens(5, 0)]
