from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialog.events import CallBegan, CallEnded, Entry, Fact, TokensUsed, UnitsUsed
from app.errors import BadInput
from app.sales.cost import cost_of
from app.sales.prices import Price, parse, shipped

TABLE = """
version: v7
currency: USD
prices:
  - {stage: carrier, provider: twilio, model: inbound, per: started_minute, price: "0.01", basis: test}
  - {stage: media, provider: twilio, model: "*", per: started_minute, price: "0.004", basis: test}
  - {stage: stt, provider: deepgram, model: "nova-3*", per: minute, price: "0.006", basis: test}
  - {stage: tts, provider: elevenlabs, model: flash, per: thousand_characters, price: "0.05", basis: test}
  - {stage: dialogue, provider: openai, model: m, per: million_prompt_tokens, price: "1", basis: test}
  - {stage: dialogue, provider: openai, model: m, per: million_completion_tokens, price: "4", basis: test}
"""
BEGAN = CallBegan("CA1", "inbound", "", "", "book", 1, "deepgram", "openai", "elevenlabs")


def log(*facts: Fact, ends_ms: int = 61_000) -> list[Entry]:
    return [Entry(seq, 0 if seq == 1 else ends_ms, fact) for seq, fact in enumerate(facts, 1)]


def test_every_unit_has_its_price() -> None:
    cost = cost_of(
        log(
            BEGAN,
            TokensUsed(1, "openai", "m", 1000, 100),
            TokensUsed(2, "openai", "m", 1000, 150),
            UnitsUsed("stt", "deepgram", "nova-3-general", "ms", 30_000),
            UnitsUsed("tts", "elevenlabs", "flash", "characters", 500),
            CallEnded("finished"),
        ),
        parse(TABLE, "t"),
    )
    prices = {(item.stage, item.unit): item.price for item in cost.items}
    assert prices == {
        ("carrier", "ms"): Decimal("0.02"),  # a second minute was started
        ("media", "ms"): Decimal("0.008"),
        ("stt", "ms"): Decimal("0.003"),
        ("tts", "characters"): Decimal("0.025"),
        ("dialogue", "prompt tokens"): Decimal("0.002"),
        ("dialogue", "completion tokens"): Decimal("0.001"),
    }
    assert (cost.known, cost.complete, cost.prices) == (Decimal("0.059"), True, "v7")


def test_an_unknown_price_is_named_and_not_taken_for_nothing() -> None:
    cost = cost_of(
        log(BEGAN, UnitsUsed("tts", "acme", "v1", "characters", 10), CallEnded("finished")), parse(TABLE, "t")
    )
    assert cost.unknown == ("tts acme v1",)
    assert not cost.complete


def test_F21_a_call_that_broke_off_has_meters_nobody_read() -> None:
    assert cost_of(log(BEGAN), parse(TABLE, "t")).unknown == ("what was used before the call broke off",)


def test_an_empty_log_costs_nothing() -> None:
    assert cost_of([], shipped()).known == 0


def test_the_offline_parts_are_free_in_the_shipped_table() -> None:
    used = (UnitsUsed("stt", "offline", "", "ms", 60_000), UnitsUsed("tts", "offline", "", "characters", 900))
    cost = cost_of(log(BEGAN, *used, CallEnded("finished")), shipped())
    assert [item.price for item in cost.items if item.provider == "offline"] == [0, 0]
    assert cost.complete


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_never_costs_less_and_parts_never_less_than_the_whole(some: int, more: int) -> None:
    for per in ("started_minute", "minute", "million_prompt_tokens"):
        price = Price("stt", "p", "m", per, Decimal("0.01"), "test")
        assert price.of(some) <= price.of(some + more) <= price.of(some) + price.of(more) + Decimal("1e-20")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- 1", "not a price table"),
        (TABLE + "  - {stage: stt}", "price 7: needs stage"),
        (TABLE.replace("thousand_characters", "mile"), "price 4: per is 'mile'"),
        (TABLE.replace('"0.05"', '"-1"'), "price 4: price is -1"),
        (TABLE.replace('"0.05"', '"nan"'), "price 4: price is NaN"),
    ],
)
def test_a_table_with_a_fault_says_which_row(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        parse(text, "mine.yaml")
