"""What a fault has to show: a criterion with its limit, and the worst of what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` must be at most `limit`, or at least where `at_least`."""

    what: str
    value: float
    limit: float
    unit: str = "s"
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def written(self) -> tuple[str, str, str]:
        """Criterion, limit and value as a table shows them."""
        sign = ">=" if self.at_least else "<="
        return self.what, f"{sign} {_number(self.limit)} {self.unit}".rstrip(), f"{_number(self.value)} {self.unit}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


def worst(figures: Iterable[tuple[int, Figure]]) -> list[tuple[int, Figure]]:
    """Of each criterion, in the order of their first appearance, the worst and its seed."""
    found: dict[str, tuple[int, Figure]] = {}
    for seed, figure in figures:
        before = found.get(figure.what)
        worse = before is None or (
            figure.value < before[1].value if figure.at_least else figure.value > before[1].value
        )
        if worse:
            found[figure.what] = (seed, figure)
    return list(found.values())
