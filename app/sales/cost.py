"""What a call cost, read from its log and a price table. What has no price is named, never guessed or left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.dialog.events import CallBegan, CallEnded, Entry, TokensUsed, UnitsUsed
from app.sales.prices import Prices

CARRIER = "twilio"
_METERED = {"ms": ("minute", "started_minute"), "characters": ("thousand_characters",)}
_Use = tuple[str, str, str, tuple[str, ...]]  # stage, provider, model, the units a price may be for


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill. `amount` in `unit`: ms, characters, prompt or completion tokens; `price` None: unknown."""

    stage: str
    provider: str
    model: str
    unit: str
    amount: int
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Cost:
    """`known` is the sum of what has a price; `unknown` names the rest, so that nobody takes the sum for all of it."""

    items: tuple[Item, ...]
    known: Decimal
    unknown: tuple[str, ...]
    currency: str
    prices: str  # version of the table

    @property
    def complete(self) -> bool:
        return not self.unknown


def cost_of(entries: Iterable[Entry], prices: Prices) -> Cost:
    """Of one call, with all its streams. Where the process died the meters were not read, which is said."""
    uses: dict[_Use, int] = defaultdict(int)
    began: CallBegan | None = None
    closed, last_ms = False, 0
    for entry in entries:
        last_ms = max(last_ms, entry.at_ms)
        match entry.fact:
            case CallBegan() as fact:
                began = fact
            case UnitsUsed(stage, provider, model, unit, amount):
                uses[stage, provider, model, _METERED[unit]] += amount
            case TokensUsed() as used:
                uses["dialogue", used.provider, used.model, ("million_prompt_tokens",)] += used.prompt
                uses["dialogue", used.provider, used.model, ("million_completion_tokens",)] += used.completion
            case CallEnded():
                closed = True
    if began is not None:
        uses["carrier", CARRIER, began.direction, ("started_minute",)] += last_ms
        uses["media", CARRIER, "stream", ("started_minute",)] += last_ms
    items = tuple(_item(use, amount, prices) for use, amount in uses.items())
    unknown = [f"{item.stage} {item.provider} {item.model}".strip() for item in items if item.price is None]
    if began is not None and not closed:
        unknown.append("what was used before the call broke off")
    known = sum((item.price for item in items if item.price is not None), Decimal(0))
    return Cost(items, known, tuple(dict.fromkeys(unknown)), prices.currency, prices.version)


def _item(use: _Use, amount: int, prices: Prices) -> Item:
    stage, provider, model, units = use
    row = prices.find(stage, provider, model, *units)
    unit = {"million_prompt_tokens": "prompt tokens", "million_completion_tokens": "completion tokens"}.get(
        units[0], "characters" if units[0] == "thousand_characters" else "ms"
    )
    return Item(stage, provider, model, unit, amount, row.of(amount) if row else None)
