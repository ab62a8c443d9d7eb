"""A journal in memory."""

from __future__ import annotations

from app.dialog.events import Entry, Fact


class Journal:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    @property
    def facts(self) -> list[Fact]:
        return [entry.fact for entry in self.entries]

    def record(self, entry: Entry) -> None:
        self.entries.append(entry)

    async def commit(self, entry: Entry) -> None:
        self.record(entry)

    async def settle(self) -> None:
        pass
