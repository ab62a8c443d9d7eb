"""Bad days of a language model: the caller is answered within the turn, from the playbook."""

from __future__ import annotations

import pytest

from app.dialog.events import ProviderFailed
from app.dialog.moves import HeardLine, Said, Say
from app.exchange.completions import Completion
from app.providers.breaker import Rules
from app.providers.chat import Limits
from app.providers.circuits import Circuit
from tests.contract.openai_talk import Talk, northlight, run, talking

PRICE = "how much does it cost"
BOOK = northlight()
ANSWER = next(answer.say for answer in BOOK.answers if answer.name == "price")
AGAIN = BOOK.fact("owns_home").prompt.again
WRITTEN = f"{ANSWER} {AGAIN}"
WORDS = "It depends on your roof, and on the sun it gets. Most homes pay more than that. Do you own your home?"
HASTY = Limits(first_s=0.3, gap_s=0.3, usage_s=0.3)  # only ever for what never comes


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_F09_errors_are_answered_from_the_playbook(status: int) -> None:
    async def main() -> None:
        async with talking(Completion(status=status, retry_after="60")) as talk:
            assert await talk.says(PRICE) == WRITTEN
            kind = "limited" if status == 429 else "server" if status >= 500 else "refused"
            assert talk.failures == [ProviderFailed("dialogue", "openai", f"HTTP {status}", "playbook", kind)]
            assert len(talk.server.requests) == 1, "no retry: the caller is waiting"

    run(main)


def test_F09_a_server_that_keeps_failing_is_left_alone_and_tried_again() -> None:
    async def main() -> None:
        async with talking(Completion(status=500)) as talk:
            for _ in range(Rules().failures + 1):
                assert await talk.says(PRICE) == WRITTEN
            assert len(talk.server.requests) == Rules().failures
            talk.server.replies = [Completion(WORDS)]
            talk.fuses.worked(Circuit("llm", "openai"))  # somebody found out that it is well again
            assert await talk.says(PRICE) == WORDS, "then it is asked again"
            assert talk.failures == []

    run(main)


def test_F09_a_server_that_asks_for_rest_gets_it_at_once() -> None:
    async def main() -> None:
        async with talking(Completion(status=429, retry_after="30")) as talk:
            await talk.says(PRICE)
            await talk.says(PRICE)
            assert len(talk.server.requests) == 1

    run(main)


def test_F09_failures_count_only_in_a_row() -> None:
    async def main() -> None:
        failing, well = Completion(status=500), Completion(WORDS)
        async with talking(failing, failing, well, failing, failing, well) as talk:
            said = [await talk.says(PRICE) for _ in range(6)]
            assert [words == WORDS for words in said] == [False, False, True, False, False, True]

    run(main)


def test_F10_a_late_first_word_is_replaced_and_never_spoken_later() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS, trouble="stalls", at=0), Completion("Ten years."), limits=HASTY) as talk:
            assert await talk.says(PRICE) == WRITTEN
            assert [failed.reason for failed in talk.failures] == ["no word in time"]
            late = talk.server.requests[0]
            await late.over.wait()
            assert late.left_early, "the answer has nowhere to go any more"

    run(main)


@pytest.mark.parametrize("trouble", ["stalls", "idles"])
def test_F10_a_role_and_empty_pieces_are_no_sign_of_life(trouble: str) -> None:
    async def main() -> None:
        async with talking(Completion(WORDS, trouble=trouble, at=0), limits=HASTY) as talk:
            assert await talk.says(PRICE) == WRITTEN

    run(main)


@pytest.mark.parametrize("trouble", ["stalls", "breaks", "error", "garbage", "ends"])
def test_F11_a_stream_that_stops_after_five_tokens_ends_at_a_word_and_the_playbook_goes_on(trouble: str) -> None:
    async def main() -> None:
        async with talking(Completion("It depends on your roof", trouble=trouble, at=5), limits=HASTY) as talk:
            assert await talk.says(PRICE) == WRITTEN, "half a phrase is not spoken"
            assert len(talk.failures) == 1

    run(main)


@pytest.mark.parametrize("trouble", ["stalls", "breaks", "error", "garbage", "ends"])
def test_F11_after_a_spoken_clause_the_answer_still_comes(trouble: str) -> None:
    async def main() -> None:
        async with talking(Completion(WORDS, trouble=trouble, at=8), limits=HASTY) as talk:
            said = await talk.says(PRICE)
            assert said == f"It depends on your roof, {WRITTEN}"
            assert len(talk.failures) == 1

    run(main)


def test_F11_a_reply_cut_off_by_its_length_ends_with_a_whole_sentence() -> None:
    async def main() -> None:
        cut = Completion("It depends on the roof. Most homes pay between ten and", finish="length")
        async with talking(cut) as talk:
            assert await talk.says(PRICE) == f"It depends on the roof. {AGAIN}"

    run(main)


def test_F11_a_reply_stopped_by_a_filter_is_completed_from_the_playbook() -> None:
    async def main() -> None:
        async with talking(Completion("It depends on", finish="content_filter")) as talk:
            assert await talk.says(PRICE) == WRITTEN

    run(main)


def test_a_model_with_nothing_to_say_is_spoken_for() -> None:
    async def main() -> None:
        async with talking(Completion("")) as talk:
            assert await talk.says(PRICE) == WRITTEN

    run(main)


def test_F13_a_voice_that_cannot_say_the_models_words_gets_the_playbooks() -> None:
    """ElevenLabs is down and the voice pack knows no other lines than ours: what it refuses is never heard."""

    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            assert [await hoarse(talk) for _ in range(6)] == [WORDS, WRITTEN, WORDS, WRITTEN, WRITTEN, WRITTEN]

    run(main)


def test_a_reply_cut_before_its_first_word_silences_the_model_for_one_turn_only() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            assert await hoarse(talk) == WORDS
            assert [await talk.says(PRICE) for _ in range(3)] == [WRITTEN, WORDS, WORDS]

    run(main)


async def hoarse(talk: Talk) -> str:
    """One turn in which only lines of the playbook come through."""
    ours = northlight().spoken_parts()
    lines = [move async for move in talk.dialogue.answer(Said(2, PRICE)) if isinstance(move, Say)]
    for line in lines:
        spoken = set(line.parts) <= ours
        talk.dialogue.heard(HeardLine(line, line.text if spoken else "", spoken))
    return " ".join(line.text for line in lines)


def test_a_server_that_is_not_there_is_a_failure_like_any_other() -> None:
    async def main() -> None:
        async with talking(Completion(WORDS)) as talk:
            talk.model.client.base_url = "http://127.0.0.1:9/v1"  # type: ignore[assignment]  # nobody listens there
            moves = [move async for move in talk.dialogue.answer(Said(2, PRICE))]
            assert " ".join(move.text for move in moves if isinstance(move, Say)) == WRITTEN

    run(main)
