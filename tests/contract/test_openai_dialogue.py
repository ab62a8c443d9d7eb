"""The model's dialogue through the official SDK against our own chat-completions server."""

from __future__ import annotations

from app.dialog.events import QuestionAnswered
from app.exchange.completions import Completion
from tests.contract.openai_talk import run, talking

WORDS = "It depends on the roof. Most homes pay between ten and twenty eight thousand dollars. Do you own your home?"


def test_the_model_words_the_answer_and_the_question_of_the_engine() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            assert await talk.says("how much does it cost") == WORDS
            assert [line.purpose for line in talk.lines] == ["answer:price", "answer:price", "ask:owns_home"]
            assert QuestionAnswered("price") in talk.facts
            assert talk.failures == []
            assert talk.dialogue.state.asked

    run(main)
