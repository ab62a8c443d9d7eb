"""The same conversation over Anthropic's Messages API and OpenAI's Responses API: words, tools, and bad days.

Responses go through the real SDK; for Anthropic there is none here, and the adapter's own client is used.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import pytest

from app.dialog.events import TokensUsed
from app.exchange.anthropic import MessagesServer
from app.exchange.completions import Call, Completion
from app.exchange.responses import ResponsesServer
from app.providers.anthropic import AnthropicModel
from app.providers.anthropic_protocol import MessageReader
from app.providers.chat import client_of
from app.providers.language_model import Limits, Words
from app.providers.responses import ResponsesModel
from app.providers.sse import EventStream
from tests.contract.openai_talk import PATIENT, AnyTalk, northlight, run

pytestmark = pytest.mark.realtime

PRICE = "how much does it cost"
BOOK = northlight()
AGAIN = BOOK.fact("owns_home").prompt.again
WRITTEN = f"{next(answer.say for answer in BOOK.answers if answer.name == 'price')} {AGAIN}"
WORDS = "It depends on your roof, and on the sun it gets. Most homes pay more than that. Do you own your home?"
HASTY = Limits(first_s=0.3, gap_s=0.3, usage_s=0.3)  # only ever for what never comes

OtherTalk = AnyTalk[AnthropicModel | ResponsesModel, MessagesServer | ResponsesServer]


@dataclass(frozen=True, slots=True)
class Api:
    """One of the two."""

    name: str

    @asynccontextmanager
    async def talking(self, *replies: Completion, limits: Limits = PATIENT, key: str = "") -> AsyncIterator[OtherTalk]:
        made: MessagesServer | ResponsesServer
        made = MessagesServer(*replies) if self.name == "anthropic" else ResponsesServer(*replies)
        async with made as server:
            model: AnthropicModel | ResponsesModel
            if self.name == "anthropic":
                model = AnthropicModel(key or server.key, server.url, server.model, limits)
            else:
                model = ResponsesModel(client_of(key or server.key, server.url), server.model, limits)
            try:
                talk = OtherTalk(model, server)
                await talk.begin()
                await talk.presses("1")
                yield talk
            finally:
                await model.close()


@pytest.fixture(params=["anthropic", "openai_responses"])
def api(request: pytest.FixtureRequest) -> Api:
    return Api(request.param)


def test_the_caller_hears_the_model_and_its_tokens_are_counted(api: Api) -> None:
    async def main() -> None:
        async with api.talking(Completion(WORDS)) as talk:
            assert await talk.says(PRICE) == WORDS
            assert talk.failures == []
            used = next(fact for fact in talk.facts if isinstance(fact, TokensUsed))
            tokens = len(Completion(WORDS).tokens())
            assert (used.provider, used.prompt, used.completion) == (api.name, 90, tokens)

    run(main)


def test_the_playbook_is_told_apart_from_the_conversation(api: Api) -> None:
    async def main() -> None:
        async with api.talking(Completion(WORDS)) as talk:
            await talk.says(PRICE)
            await talk.says(PRICE)
            body = talk.server.requests[-1].body
            turns, rules = body.get("messages") or body["input"], body.get("system") or body["instructions"]
            assert "Northlight Solar" in rules
            assert PRICE not in rules, "what the caller says is never an instruction"
            assert [turn["role"] for turn in turns][::2] == ["user"] * len(turns[::2])
            assert turns[-1]["content"].endswith(f'The caller said: "{PRICE}"')

    run(main)


def test_a_tool_is_used(api: Api) -> None:
    async def main() -> None:
        call = Call("note_fact", '{"fact": "roof", "value": "tile"}')
        async with api.talking(Completion("Thank you.", calls=(call,))) as talk:
            await talk.says("the roof is red clay")
            assert talk.dialogue.state.facts.get("roof") == "tile"
            offered = talk.server.requests[-1].body["tools"]
            assert "note_fact" in [tool["name"] for tool in offered]

    run(main)


def test_a_tool_without_arguments_is_used(api: Api) -> None:
    async def main() -> None:
        async with api.talking(Completion(calls=(Call("end_call", "{}"),))) as talk:
            assert await talk.says("so that would be all then") == BOOK.closing.goodbye
            assert talk.finished

    run(main)


def test_events_from_the_future_are_passed_over(api: Api) -> None:
    async def main() -> None:
        async with api.talking(Completion(WORDS)) as talk:
            talk.server.unknown = True
            assert await talk.says(PRICE) == WORDS
            assert talk.failures == []

    run(main)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 529])
def test_F09_errors_are_answered_from_the_playbook(api: Api, status: int) -> None:
    async def main() -> None:
        async with api.talking(Completion(status=status, retry_after="60")) as talk:
            assert await talk.says(PRICE) == WRITTEN
            [failed] = talk.failures
            assert failed.provider == api.name
            assert failed.reason.startswith(f"HTTP {status}")
            assert failed.kind == ("limited" if status == 429 else "server" if status >= 500 else "refused")
            assert len(talk.server.requests) == 1, "no retry: the caller is waiting"

    run(main)


def test_a_wrong_key_is_refused(api: Api) -> None:
    async def main() -> None:
        async with api.talking(Completion(WORDS), key="wrong") as talk:
            assert await talk.says(PRICE) == WRITTEN
            assert [failed.kind for failed in talk.failures] == ["refused"]

    run(main)


@pytest.mark.parametrize("trouble", ["stalls", "idles"])
def test_F10_a_late_first_word_is_replaced_and_signs_of_life_are_no_words(api: Api, trouble: str) -> None:
    async def main() -> None:
        async with api.talking(Completion(WORDS, trouble=trouble, at=0), limits=HASTY) as talk:
            assert await talk.says(PRICE) == WRITTEN
            assert [failed.kind for failed in talk.failures] == ["late"]
            late = talk.server.requests[0]
            await late.over.wait()
            assert late.left_early

    run(main)


@pytest.mark.parametrize("trouble", ["stalls", "idles", "breaks", "error", "garbage", "ends"])
def test_F11_after_a_spoken_clause_the_answer_still_comes(api: Api, trouble: str) -> None:
    async def main() -> None:
        async with api.talking(Completion(WORDS, trouble=trouble, at=8), limits=HASTY) as talk:
            assert await talk.says(PRICE) == f"It depends on your roof, {WRITTEN}"
            assert len(talk.failures) == 1

    run(main)


def test_F11_a_reply_cut_off_by_its_length_ends_with_a_whole_sentence(api: Api) -> None:
    async def main() -> None:
        cut = Completion("It depends on the roof. Most homes pay between ten and", finish="length")
        async with api.talking(cut) as talk:
            assert await talk.says(PRICE) == f"It depends on the roof. {AGAIN}"

    run(main)


def test_F11_a_reply_stopped_by_a_filter_is_completed_from_the_playbook(api: Api) -> None:
    async def main() -> None:
        async with api.talking(Completion("It depends on", finish="content_filter")) as talk:
            assert await talk.says(PRICE) == WRITTEN

    run(main)


def test_connections_are_made_before_the_first_call(api: Api) -> None:
    async def main() -> None:
        async with api.talking(Completion(WORDS)) as talk:
            await talk.model.warm()
            assert talk.server.requests == [], "and cost no tokens"

    run(main)


def test_a_probe_without_rules_is_answered(api: Api) -> None:
    async def main() -> None:
        async with (
            api.talking(Completion("Hello.")) as talk,
            aclosing(talk.model.stream([{"role": "user", "content": "Say hello."}])) as pieces,
        ):
            assert await anext(pieces) == Words("Hello.")

    run(main)


def test_a_model_that_always_thinks_is_asked_to_think_little() -> None:
    async def main() -> None:
        async with Api("openai_responses").talking(Completion(WORDS)) as talk:
            talk.server.refuses = frozenset(["reasoning.effort=none"])
            assert await talk.says(PRICE) == WORDS
            talk.server.refuses = frozenset(["reasoning"])
            assert await talk.says(PRICE) == WORDS
            assert [served.body.get("reasoning") for served in talk.server.requests] == [
                {"effort": "none"}, {"effort": "minimal"}, {"effort": "minimal"}, None,
            ]  # fmt: skip
            assert await talk.says(PRICE) == WORDS
            assert len(talk.server.requests) == 5, "what was learned once is not tried again"

    run(main)


@pytest.mark.parametrize(
    "data",
    [
        "[]",
        "nothing",
        '{"type": "content_block_delta", "index": 0}',
        '{"type": "content_block_delta", "index": 7, "delta": {"type": "input_json_delta", "partial_json": "{"}}',
        '{"type": "message_start", "message": {"usage": {"input_tokens": "many"}}}',
    ],
)
def test_events_of_anthropics_without_their_parts_are_told_from_new_ones(data: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        MessageReader().read(data)


def test_tokens_from_and_to_the_cache_are_counted_too() -> None:
    reader = MessageReader()
    usage = '{"input_tokens": 5, "cache_read_input_tokens": 70, "cache_creation_input_tokens": 0}'
    reader.read(f'{{"type": "message_start", "message": {{"usage": {usage}}}}}')
    *_, tokens = reader.read(
        '{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}'
    )
    assert (tokens.prompt, tokens.completion) == (75, 3)  # type: ignore[union-attr]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_server_sent_events_in_pieces_of_any_size(size: int) -> None:
    raw = ': hello\nevent: a\ndata: {"x": "\u2028é"}\n\ndata: one\r\ndata: two\r\n\r\n\n\nevent: b\ndata: cut'.encode()
    stream = EventStream()
    found = [data for start in range(0, len(raw), size) for data in stream.feed(raw[start : start + size])]
    assert found == ['{"x": "\u2028é"}', "one\ntwo"]
