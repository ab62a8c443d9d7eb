"""The model's dialogue through the official SDK against our own chat-completions server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.dialog.events import FactLearned, OptedOut, QuestionAnswered, TokensUsed
from app.dialog.moves import Closing, HeardLine, Said, Silent
from app.exchange.completions import Completion
from tests.contract.openai_talk import northlight, run, talking

PRICE = "how much does it cost"
WORDS = "It depends on the roof. Most homes pay between ten and twenty eight thousand dollars. Do you own your home?"


def test_the_model_words_the_answer_and_the_question_of_the_engine() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            assert await talk.says(PRICE) == WORDS
            assert [line.purpose for line in talk.lines] == ["answer:price", "answer:price", "ask:owns_home"]
            assert QuestionAnswered("price") in talk.facts
            assert talk.failures == []
            assert talk.dialogue.state.asked

    run(main)


def test_a_reply_is_spoken_clause_by_clause() -> None:
    async def main() -> None:
        async with talking(Completion("That depends a little, but most homes pay more. Do you own your home?")) as talk:
            await talk.says(PRICE)
            assert talk.lines[0].text == "That depends a little,", (
                "the caller need not wait for the end of the sentence"
            )

    run(main)


def test_the_engines_question_follows_when_the_model_asks_none_or_another_one() -> None:
    async def main() -> None:
        ask = northlight().fact("owns_home").prompt
        for words in ("It depends on the roof.", "It depends on the roof. Would you like to hear a story?"):
            async with talking(Completion(words)) as talk:
                assert await talk.says(PRICE) == f"It depends on the roof. {ask.again}"
                assert talk.dialogue.state.asked

    run(main)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("stop calling me", "We will not call you again"),
        ("are you a robot", "automated A.I. assistant, not a person"),
        ("i do not want to be recorded", "I will not keep a recording"),
    ],
)
def test_C32_what_has_legal_weight_is_said_as_written(said: str, expected: str) -> None:
    async def main() -> None:
        async with talking(Completion("I am a person, and I keep calling.")) as talk:
            assert expected in await talk.says(said)
            assert talk.server.requests == []

    run(main)


def test_C05_an_opt_out_never_waits_for_the_model() -> None:
    async def main() -> None:
        async with talking(Completion(trouble="stalls", at=0)) as talk:
            await talk.says("stop calling me")
            assert talk.finished
            assert OptedOut("stop calling me") in talk.facts
            assert talk.server.requests == []

    run(main)


def test_keys_silence_and_goodbyes_do_not_ask_the_model() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            await talk.presses("1")
            await talk.does(Silent(3, nudge=1))
            await talk.does(Closing(4, "drained"))
            assert talk.finished
            assert talk.server.requests == []

    run(main)


def test_the_model_remembers_what_was_heard_and_nothing_else() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS), Completion("Ten years on our work.")) as talk:
            moves = [move async for move in talk.dialogue.answer(Said(2, PRICE))]
            first, *_ = (move for move in moves if hasattr(move, "parts"))
            talk.dialogue.heard(HeardLine(replace(first), "It depends", complete=False))
            await talk.says("is there a warranty")
            messages = talk.server.requests[-1].body["messages"]
            spoken = " ".join(message["content"] for message in messages if message["role"] == "assistant")
            assert spoken.endswith("It depends")
            assert "on the roof" not in spoken

    run(main)


def test_the_request_is_one_that_strict_servers_take() -> None:
    """One system message, caller and agent by turns, closed tool schemas: the server refuses anything else."""

    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            talk.server.alternates = True
            await talk.says(PRICE)
            await talk.says("is there a warranty")
            assert talk.failures == []
            body = talk.server.requests[-1].body
            assert body["stream_options"] == {"include_usage": True}
            assert body["parallel_tool_calls"] is False
            assert body["max_completion_tokens"] <= 300

    run(main)


def test_tokens_are_counted_where_the_server_counts_them() -> None:
    async def main() -> None:
        async with talking(Completion("It depends on the roof.")) as talk:
            await talk.says(PRICE)
            assert [fact for fact in talk.facts if isinstance(fact, TokensUsed)] == [
                TokensUsed(2, "openai", "model", 90, 5)
            ]
            talk.server.refuses = frozenset(["stream_options"])
            await talk.says(PRICE)
            assert not [fact for fact in talk.facts if isinstance(fact, TokensUsed)], "nothing is made up"

    run(main)


@pytest.mark.parametrize(
    "refused", ["max_completion_tokens", "reasoning_effort", "stream_options", "parallel_tool_calls", "strict", "tools"]
)
def test_a_server_that_refuses_a_parameter_is_asked_without_it_from_then_on(refused: str) -> None:
    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            talk.server.refuses = frozenset([refused])
            assert await talk.says(PRICE) == WORDS
            asked = len(talk.server.requests)
            await talk.says(PRICE)
            assert len(talk.server.requests) == asked + 1, "it has been learned"
            assert refused not in talk.server.requests[-1].body
            assert talk.failures == []

    run(main)


def test_what_a_server_refuses_is_known_before_the_first_call() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            talk.server.refuses = frozenset(["max_completion_tokens", "reasoning_effort"])
            await talk.model.warm()
            asked = len(talk.server.requests)
            assert await talk.says(PRICE) == WORDS
            assert len(talk.server.requests) == asked + 1

    run(main)


def test_an_older_server_that_knows_next_to_nothing_still_answers() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            talk.server.refuses = frozenset(
                ["max_completion_tokens", "reasoning_effort", "stream_options", "parallel_tool_calls", "strict"]
            )
            assert await talk.says(PRICE) == WORDS
            body = talk.server.requests[-1].body
            assert body["max_tokens"] <= 300
            assert json.dumps(body["tools"]).count("strict") == 0

    run(main)


@pytest.mark.parametrize("gone", ["moved away", "closed"])
def test_an_interrupted_reply_leaves_nothing_running(gone: str) -> None:
    """The session cancels a reply at any point; here after its first phrase."""

    async def main() -> None:
        async with talking(Completion(WORDS, trouble="stalls", at=8)) as talk:
            reply = talk.dialogue.answer(Said(2, PRICE))
            async for move in reply:
                if hasattr(move, "parts"):
                    break
            await reply.aclose()  # type: ignore[attr-defined]
            served = talk.server.requests[-1]
            await served.over.wait()
            assert served.left_early
            talk.server.replies = [Completion("Ten years on our work.")]
            assert (await talk.says("is there a warranty")).startswith("Ten years")

    run(main)


def test_a_fork_that_is_dropped_leaves_no_trace_but_its_tokens() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS, trouble="stalls", at=8)) as talk:
            before = talk.dialogue.state
            fork = talk.dialogue.fork()
            assert fork is not None
            draft = fork.answer(Said(2, "yes i own it"))
            async for move in draft:
                if hasattr(move, "parts"):
                    break
            await draft.aclose()  # type: ignore[attr-defined]
            [used] = fork.unreported()
            assert (used.cancelled, used.estimated, used.turn, used.model) == (True, True, 2, "model")
            assert used.prompt > 100
            assert 0 < used.completion < 20
            assert fork.unreported() == talk.dialogue.unreported() == ()
            assert fork.state != before
            assert talk.dialogue.state is before
            talk.server.replies = [Completion("Ten years on our work.")]
            await talk.says("is there a warranty")
            assert "yes i own it" not in str(talk.server.requests[-1].body["messages"])

    run(main)


def test_a_second_fact_stays_known_to_the_engine() -> None:
    async def main() -> None:
        async with talking(Completion("Lovely. What kind of roof do you have?")) as talk:
            await talk.says("yes i own it")
            assert FactLearned("owns_home", "yes", "yes i own it") in talk.facts
            assert talk.dialogue.state.facts == {"owns_home": "yes"}
            assert talk.dialogue.expecting().topic == "ask:roof"

    run(main)


def test_one_connection_serves_turn_after_turn_until_an_answer_is_broken_off() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            for _ in range(3):
                assert await talk.says(PRICE) == WORDS
            assert talk.server.connected == 1
            stream = talk.model.stream([{"role": "user", "content": "hello"}])
            await anext(stream)
            await stream.aclose()
            await talk.says(PRICE)
            assert talk.server.connected == 2

    run(main)
