"""STROWGER_LLM=openai,openai_2,playbook: who answers when the first is late or down, through the real SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from app.dialog.events import ProviderFailed, TokensUsed
from app.exchange.completions import Completion
from app.exchange.openai import Answer, ChatServer
from app.providers.breaker import Rules
from app.providers.chat import ChatModel, Limits, connect
from app.providers.circuits import FuseBox
from app.providers.model_chain import Hedge, ModelChain
from app.providers.openai import LanguageModelDialogue
from tests.contract.openai_talk import FRIDAY, PATIENT, Talk, guide, northlight, run

pytestmark = pytest.mark.realtime

PRICE = "how much does it cost"
BOOK = northlight()
WRITTEN = (
    f"{next(answer.say for answer in BOOK.answers if answer.name == 'price')} {BOOK.fact('owns_home').prompt.again}"
)
FIRST = "It depends on your roof, and on the sun it gets. Do you own your home?"
SECOND = "That depends on the sun your roof gets. Do you own your home?"
SOON = Hedge(next_s=0.15, total_s=5.0)
STALLS = Completion(FIRST, trouble="stalls", at=0)


class Pair(Talk):
    """A talk over two servers."""

    def __init__(
        self,
        models: Sequence[ChatModel],
        servers: tuple[ChatServer, ChatServer],
        hedge: Hedge,
        fuses: FuseBox | None = None,
    ) -> None:
        super().__init__(models[0], servers[0])
        self.models, (self.first, self.second) = models, servers
        self.fuses = fuses or self.fuses
        self.chain = ModelChain(models, self.fuses.circuits("llm"), hedge)
        self.dialogue = LanguageModelDialogue(guide(), self.chain, today=FRIDAY)

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.first.requests), len(self.second.requests)


@asynccontextmanager
async def pair(
    first: Completion, second: Completion | Answer, hedge: Hedge = SOON, limits: Limits = PATIENT
) -> AsyncIterator[Pair]:
    async with ChatServer(first) as one, ChatServer(second, key="other", model="small") as other:
        models = [
            connect(key=one.key, base_url=one.url, model=one.model, limits=limits),
            connect(key=other.key, base_url=other.url, model=other.model, name="openai_2", limits=limits),
        ]
        talk = Pair(models, (one, other), hedge)
        try:
            await talk.begin()
            await talk.presses("1")
            yield talk
        finally:
            await talk.chain.close()


def test_while_the_first_answers_in_time_nobody_else_is_asked() -> None:
    async def main() -> None:
        async with pair(Completion(FIRST), Completion(SECOND), Hedge(10, 10)) as talk:
            assert await talk.says(PRICE) == FIRST
            assert talk.asked == (1, 0)
            assert talk.failures == []
            assert next(fact for fact in talk.facts if isinstance(fact, TokensUsed)).provider == "openai"

    run(main)


@pytest.mark.parametrize("status", [401, 429, 503])
def test_F09_who_fails_is_replaced_at_once_within_the_turn(status: int) -> None:
    async def main() -> None:
        async with pair(Completion(status=status), Completion(SECOND), Hedge(10, 10)) as talk:
            assert await talk.says(PRICE) == SECOND
            [failed] = talk.failures
            assert (failed.provider, failed.reason, failed.fallback) == ("openai", f"HTTP {status}", "openai_2")
            [used] = [fact for fact in talk.facts if isinstance(fact, TokensUsed)]
            assert (used.provider, used.model) == ("openai_2", "small")

    run(main)


def test_F10_who_is_late_gets_company_and_is_not_heard_any_more() -> None:
    async def main() -> None:
        async with pair(STALLS, Completion(SECOND)) as talk:
            assert await talk.says(PRICE) == SECOND
            assert [(failed.provider, failed.fallback, failed.kind) for failed in talk.failures] == [
                ("openai", "openai_2", "late")
            ]
            late = talk.first.requests[0]
            await late.over.wait()
            assert late.left_early
            unheard, heard = (fact for fact in talk.facts if isinstance(fact, TokensUsed))
            assert (unheard.provider, unheard.cancelled, unheard.estimated) == ("openai", True, True)
            assert unheard.prompt > 100, "it read the request, and will charge for it"
            assert (heard.provider, heard.cancelled) == ("openai_2", False)

    run(main)


def test_the_one_that_was_asked_first_may_still_win() -> None:
    async def main() -> None:
        async with pair(Completion(FIRST, first_s=0.4), Completion(SECOND, trouble="stalls", at=0)) as talk:
            assert await talk.says(PRICE) == FIRST
            assert talk.asked == (1, 1)
            assert talk.failures == [], "the one that was asked for company did nothing wrong"
            used = {fact.provider: fact.cancelled for fact in talk.facts if isinstance(fact, TokensUsed)}
            assert used == {"openai": False, "openai_2": True}
            await talk.second.requests[0].over.wait()
            assert talk.second.requests[0].left_early

    run(main)


def test_the_next_turn_begins_with_the_one_that_spoke() -> None:
    async def main() -> None:
        async with pair(STALLS, Completion(SECOND)) as talk:
            assert [await talk.says(PRICE) for _ in range(3)] == [SECOND] * 3
            assert talk.asked == (1, 3)

    run(main)


def test_F10_when_nobody_speaks_the_playbook_does_in_time() -> None:
    async def main() -> None:
        async with pair(STALLS, STALLS, Hedge(next_s=0.1, total_s=0.4)) as talk:
            began = asyncio.get_running_loop().time()
            assert await talk.says(PRICE) == WRITTEN
            assert asyncio.get_running_loop().time() - began < 2.5
            assert [(failed.provider, failed.fallback) for failed in talk.failures] == [
                ("openai", "openai_2"),
                ("openai_2", "playbook"),
            ]

    run(main)


def test_F11_who_breaks_off_in_mid_answer_is_completed_from_the_playbook_not_by_another_model() -> None:
    async def main() -> None:
        async with pair(Completion(FIRST, trouble="breaks", at=8), Completion(SECOND), Hedge(10, 10)) as talk:
            assert await talk.says(PRICE) == f"It depends on your roof, {WRITTEN}"
            assert talk.asked == (1, 0)
            assert [(failed.provider, failed.fallback) for failed in talk.failures] == [("openai", "playbook")]

    run(main)


def test_F09_who_keeps_failing_is_left_alone_by_new_calls() -> None:
    async def main() -> None:
        async with pair(Completion(status=500), Completion(SECOND), Hedge(10, 10)) as talk:
            for _ in range(Rules().failures + 2):  # each call begins with the first of the chain
                fresh = Pair(talk.models, (talk.first, talk.second), Hedge(10, 10), talk.fuses)
                await fresh.begin()
                await fresh.presses("1")
                assert await fresh.says(PRICE) == SECOND
            assert talk.asked == (Rules().failures, Rules().failures + 2)

    run(main)


def test_with_every_circuit_open_the_playbook_speaks_and_nobody_is_asked() -> None:
    async def main() -> None:
        async with pair(Completion(status=429), Completion(status=429), Hedge(10, 10)) as talk:
            assert await talk.says(PRICE) == WRITTEN
            assert await talk.says(PRICE) == WRITTEN
            assert talk.asked == (1, 1)
            assert talk.failures == [
                ProviderFailed("dialogue", "openai_2", "left alone after failures", "playbook", "open")
            ]

    run(main)


def test_a_turn_given_up_while_asking_leaves_no_request_behind() -> None:
    async def main() -> None:
        both_asked = asyncio.Event()

        def second(request: object) -> Completion:
            both_asked.set()
            return STALLS

        async with pair(STALLS, second) as talk:
            speaking = asyncio.ensure_future(talk.says(PRICE))
            await both_asked.wait()
            speaking.cancel()
            await asyncio.wait([speaking])
            for served in (*talk.first.requests, *talk.second.requests):
                await served.over.wait()
                assert served.left_early

    run(main)
