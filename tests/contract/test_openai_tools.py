"""What the model may do, and what it may not, whatever it sends."""

from __future__ import annotations

import json

import pytest

from app.api.continued import Continued
from app.dialog.events import (
    AppointmentRequested,
    CallerKeyed,
    CallerSaid,
    ConsentGiven,
    Entry,
    FactLearned,
    HumanRequested,
    OptedOut,
    ProviderFailed,
)
from app.dialog.moves import Say
from app.exchange.completions import Call, Completion
from app.providers.openai import LanguageModelDialogue
from tests.contract.openai_talk import FRIDAY, Talk, guide, northlight, run, talking

RED = "those red curved things like in spain"
EFFECTS = (AppointmentRequested, ConsentGiven, FactLearned, HumanRequested, OptedOut)


def call(name: str, **arguments: object) -> Call:
    return Call(name, json.dumps(arguments))


def offered(talk: Talk) -> dict[str, dict[str, list[str]]]:
    """Tool -> argument -> the values it may have, as the last request listed them."""
    tools = talk.server.requests[-1].body.get("tools", [])
    functions = [tool["function"] for tool in tools]
    return {
        function["name"]: {name: one.get("enum", []) for name, one in function["parameters"]["properties"].items()}
        for function in functions
    }


@pytest.mark.parametrize("pieces", ["fragments", "whole", "no_index", "repeated_id"])
def test_a_fact_the_engine_did_not_hear_is_noted_and_the_next_question_put(pieces: str) -> None:
    async def main() -> None:
        noted = Completion(calls=(call("note_fact", fact="roof", value="tile"),), pieces=pieces)
        async with talking(noted) as talk:
            await talk.presses("1")  # owns the home; the roof is asked
            said = await talk.says(RED)
            assert FactLearned("roof", "tile", RED) in talk.facts
            assert said.endswith(northlight().fact("monthly_bill").prompt.ask)
            assert "did not catch" not in said
            assert talk.dialogue.expecting().topic == "ask:monthly_bill"

    run(main)


@pytest.mark.parametrize("pieces", ["fragments", "whole", "no_index"])
def test_two_tools_in_one_turn(pieces: str) -> None:
    async def main() -> None:
        both = (
            call("note_fact", fact="roof", value="tile"),
            Call("note_fact", json.dumps({"fact": "monthly_bill", "value": "180"}), "call_2"),
        )
        async with talking(Completion("Lovely.", calls=both, pieces=pieces)) as talk:
            await talk.presses("1")
            said = await talk.says(RED)
            assert talk.dialogue.state.facts == {"owns_home": "yes", "roof": "tile", "monthly_bill": "180"}
            assert said == f"Lovely. {northlight().fact('shade').prompt.ask}"

    run(main)


def test_a_callback_is_asked_for_and_the_time_put_as_a_question() -> None:
    async def main() -> None:
        async with talking(Completion(calls=(call("request_callback", when="not_said"),))) as talk:
            said = await talk.says("would it be possible that somebody gets in touch")
            assert HumanRequested("") in talk.facts
            assert said.endswith(northlight().callback.prompt.ask)

    run(main)


def test_an_appointment_is_only_put_on_the_table_and_the_callers_words_choose_it() -> None:
    async def main() -> None:
        async with talking(Completion(calls=(call("offer_appointment", slot="2026-11-24T14:00"),))) as talk:
            said = await talk.says("maybe somebody could have a look at the place")
            assert "Tuesday at two in the afternoon" in said
            assert not [fact for fact in talk.facts if isinstance(fact, AppointmentRequested)]
            await talk.says("tuesday please")
            assert AppointmentRequested("2026-11-24T14:00", "tuesday please") in talk.facts

    run(main)


def test_the_end_of_the_call_is_ours_to_word() -> None:
    async def main() -> None:
        async with talking(Completion(calls=(call("end_call"),))) as talk:
            assert await talk.says("so that would be all then") == northlight().closing.goodbye
            assert talk.finished

    run(main)


def test_F21_a_conversation_goes_on_from_its_log_without_asking_the_model_again() -> None:
    async def main() -> None:
        async with talking(Completion(calls=(call("note_fact", fact="roof", value="tile"),))) as talk:
            await talk.presses("1")
            await talk.says(RED)
            log = [CallerKeyed(1, "1"), CallerKeyed(2, "1"), CallerSaid(3, RED, 1.0, 0, 0, ""), *talk.facts]
            fresh = LanguageModelDialogue(guide(), talk.model, today=FRIDAY)
            asked = len(talk.server.requests)
            again = Continued(fresh, [Entry(seq, 0, fact) for seq, fact in enumerate(log, 1)])
            moves = [move async for move in again.begin()]
            assert fresh.state.facts == talk.dialogue.state.facts == {"owns_home": "yes", "roof": "tile"}
            assert [move for move in moves if isinstance(move, Say)]
            assert len(talk.server.requests) == asked

    run(main)


def test_T10_tools_are_those_of_the_state_with_closed_schemas() -> None:
    async def main() -> None:
        async with talking(Completion("It is hard to say.")) as talk:
            await talk.says(RED)
            now = offered(talk)
            assert set(now) == {"note_fact", "request_callback", "offer_appointment", "end_call"}
            assert now["note_fact"]["fact"] == [fact.name for fact in northlight().facts]
            assert len(now["offer_appointment"]["slot"]) <= 8
            await talk.says("how much does it cost")
            assert "end_call" not in offered(talk), "the caller was understood, and it was no goodbye"

    run(main)


FORGED = [
    call("note_fact", fact="roof", value="gold"),
    call("note_fact", fact="credit_card", value="4111111111111111"),
    call("note_fact", fact="monthly_bill", value="-5"),
    call("note_fact", fact="monthly_bill", value="999999"),
    call("note_fact", fact="monthly_bill", value="nan"),
    call("note_fact", fact="zip_code", value="123"),
    call("note_fact", fact="roof", value="tile", lead_id="7d4c6c7e-0000-4000-8000-000000000000"),
    call("note_fact", fact=["roof"], value="tile"),
    call("note_fact", fact="roof"),
    call("offer_appointment", slot="2026-11-22T03:00"),
    call("offer_appointment", slot="2031-01-01T10:00"),
    call("offer_appointment", slot="tomorrow"),
    call("request_callback", when="today", number="+19005550100"),
    call("request_callback", when="2 a.m."),
    call("book_appointment", slot="2026-11-24T14:00"),
    call("send_whatsapp", to="+19005550100", text="hello"),
    call("transfer_call", to="+19005550100"),
    call("opt_out"),
    call("give_consent", kind="whatsapp"),
    call("end_call", reason="x"),
    Call("note_fact", '{"fact": "roof", "value": "tile"'),
    Call("note_fact", "[]"),
    Call("note_fact", "null"),
    Call("note_fact", '"roof"'),
    Call("", '{"fact": "roof", "value": "tile"}'),
    Call("__init__", "{}"),
]


@pytest.mark.parametrize("forged", FORGED, ids=lambda forged: f"{forged.name}{forged.arguments}"[:60])
def test_T10_a_call_outside_of_the_schema_or_the_state_changes_nothing(forged: Call) -> None:
    async def main() -> None:
        async with talking(Completion(calls=(forged,))) as talk:
            await talk.presses("1")
            before = talk.dialogue.state.facts
            said = await talk.says(RED)
            assert not [fact for fact in talk.facts if isinstance(fact, EFFECTS)]
            assert not talk.finished
            assert talk.dialogue.state.facts == before
            assert talk.dialogue.state.visits == ()
            assert said.endswith(northlight().fact("roof").prompt.again), "the open question stays open"
            assert forged.name == "" or [type(fact) for fact in talk.failures] == [ProviderFailed]
            assert "+1900" not in str(talk.failures), "the log does not repeat what the model wrote"

    run(main)


def test_T10_a_callback_cannot_be_asked_for_twice_nor_a_fact_changed() -> None:
    async def main() -> None:
        calls = (call("note_fact", fact="owns_home", value="no"),)
        async with talking(Completion(calls=calls)) as talk:
            await talk.presses("1")
            await talk.says(RED)
            assert talk.dialogue.state.facts == {"owns_home": "yes"}, "what the caller told us himself stands"

    run(main)


def test_T08_the_tools_of_a_call_are_counted() -> None:
    async def main() -> None:
        async with talking(Completion(calls=(call("offer_appointment", slot="2026-11-24T14:00"),) * 50)) as talk:
            for _ in range(9):
                await talk.says("hm")
            assert "tools" not in talk.server.requests[-1].body

    run(main)
