"""One key press, told of twice: by the carrier's event and by its tone in the sound. It counts once."""

from __future__ import annotations

APART_MS = 1000  # the same press, told by both, at most so far apart


class KeyReports:
    """One call's. Each report of one kind takes away at most one of the other kind."""

    def __init__(self) -> None:
        self._by_carrier: list[tuple[str, int]] = []
        self._in_band: list[tuple[str, int]] = []

    def from_carrier(self, digit: str, at_ms: int) -> bool:
        """False when the tone was heard before, and so the key has been counted."""
        return self._counts(digit, at_ms, self._by_carrier, self._in_band)

    def in_band(self, digit: str, at_ms: int) -> bool:
        """False when the carrier has told of it before."""
        return self._counts(digit, at_ms, self._in_band, self._by_carrier)

    @staticmethod
    def _counts(digit: str, at_ms: int, same: list[tuple[str, int]], other: list[tuple[str, int]]) -> bool:
        other[:] = [report for report in other if at_ms - report[1] <= APART_MS]
        for index, (told, _) in enumerate(other):
            if told == digit:
                del other[index]
                return False
        same.append((digit, at_ms))
        return True
