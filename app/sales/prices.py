"""The price table: dated, with where each figure comes from. No price is ever guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib import resources
from typing import Any

import yaml

from app.errors import BadInput

UNITS: Mapping[str, int] = {  # how many of what is metered a price is for
    "started_minute": 60_000,
    "minute": 60_000,
    "thousand_characters": 1_000,
    "million_prompt_tokens": 1_000_000,
    "million_completion_tokens": 1_000_000,
}


@dataclass(frozen=True, slots=True)
class Price:
    stage: str
    provider: str
    model: str  # may end in "*"
    per: str  # of UNITS
    price: Decimal
    basis: str

    def covers(self, stage: str, provider: str, model: str) -> bool:
        if (self.stage, self.provider) != (stage, provider):
            return False
        return model.startswith(self.model[:-1]) if self.model.endswith("*") else model == self.model

    def of(self, amount: int) -> Decimal:
        """`amount` in ms, characters or tokens."""
        size = UNITS[self.per]
        if self.per == "started_minute":
            return self.price * -(-amount // size)
        return self.price * amount / size


@dataclass(frozen=True, slots=True)
class Prices:
    version: str
    currency: str
    rows: tuple[Price, ...]

    def find(self, stage: str, provider: str, model: str, *per: str) -> Price | None:
        """The first row that fits, for one of the units `per`."""
        return next((row for row in self.rows if row.per in per and row.covers(stage, provider, model)), None)


def shipped() -> Prices:
    """The table of this version of Strowger. Raises BadInput."""
    return parse(resources.files("app.sales").joinpath("prices.yaml").read_text(encoding="utf-8"), "prices.yaml")


def parse(text: str, name: str) -> Prices:
    """Raises BadInput naming the row that cannot be used."""
    try:
        body = yaml.safe_load(text)
        version, currency, rows = str(body["version"]), str(body["currency"]), list(body["prices"])
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise BadInput(f"{name}: not a price table ({error}); it has version, currency and a list of prices.") from None
    return Prices(version, currency, tuple(_row(row, place, name) for place, row in enumerate(rows, 1)))


def _row(row: Mapping[str, Any], place: int, name: str) -> Price:
    try:
        price = Price(**{**row, "price": Decimal(str(row["price"]))})
    except (KeyError, TypeError, InvalidOperation):
        raise BadInput(f"{name}, price {place}: needs stage, provider, model, per, price and basis.") from None
    if price.per not in UNITS:
        raise BadInput(f"{name}, price {place}: per is {price.per!r}; it must be one of {', '.join(UNITS)}.")
    if not price.price.is_finite() or price.price < 0:
        raise BadInput(f"{name}, price {place}: price is {price.price}; it must be 0 or more.")
    return price
