"""The price table of this installation, and a call's bill as people read it."""

from __future__ import annotations

from pathlib import Path

from app.errors import BadSetting
from app.sales.cost import Cost
from app.sales.prices import Prices, parse, shipped


def table(path: Path | None) -> Prices:
    """The file STROWGER_PRICES names, or the shipped one. Raises BadSetting, or BadInput for a row that is wrong."""
    if path is None:
        return shipped()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"STROWGER_PRICES={path} cannot be read ({error}). Example: ./prices.yaml") from None
    return parse(text, path.name)


def in_words(cost: Cost) -> str:
    """ "0.0125 USD at list prices of 2026-11-21; unknown: tts acme v1"."""
    sum_ = f"{cost.known:.4f} {cost.currency} at the prices of {cost.prices}"
    return sum_ if cost.complete else f"{sum_}; unknown: {', '.join(cost.unknown)}"
