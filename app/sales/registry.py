"""The life of a model: candidate, shadow, champion, retired. What is written about it, and who may follow whom.

A model begins as a candidate. As the shadow it scores the same leads as the champion, unseen; as the champion its
scores show. There is one champion and one shadow per target at most. Promotion remembers who was champion, so that
rolling back is one step. Where there is no champion, the model that ships with Strowger serves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from app.errors import Conflict, NotFound

TARGET = "converted"


class Stage(StrEnum):
    CANDIDATE = "candidate"
    SHADOW = "shadow"
    CHAMPION = "champion"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a model comes from. `data_from` and `data_to` are the times of its first and last training row."""

    trained_on: str
    data_sha256: str
    code_version: str
    rows: int
    positives: int
    data_from: datetime | None = None
    data_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One model in the registry. `replaced` is the champion before it, None for the shipped model."""

    version: str
    target: str
    stage: Stage
    file_sha256: str
    features: int
    lineage: Lineage
    metrics: Mapping[str, Any] = field(default_factory=dict)
    card: str = ""
    replaced: str | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Registry(Protocol):
    """What a model's life is written in. `why` and `who` are kept with every step.

    `promote`, `rollback` and `retire` raise NotFound for a version that is not there and Conflict for a step that
    cannot be taken.
    """

    def add(self, entry: Entry) -> bool: ...

    def entries(self, target: str = TARGET) -> tuple[Entry, ...]: ...

    def shadow(self, version: str, who: str, why: str) -> Entry: ...

    def promote(self, version: str, who: str, why: str) -> Entry: ...

    def rollback(self, who: str, why: str, target: str = TARGET) -> Entry | None: ...

    def retire(self, version: str, who: str, why: str) -> Entry: ...


def at(entries: tuple[Entry, ...], stage: Stage) -> Entry | None:
    """The newest at this stage."""
    return next((entry for entry in entries if entry.stage is stage), None)


def named(entries: tuple[Entry, ...], version: str) -> Entry:
    """By its version, or by enough of its end or beginning to be the only one."""
    found = [e for e in entries if e.version == version]
    found = found or [e for e in entries if e.version.startswith(version) or e.version.endswith(version)]
    if len(found) != 1:
        which = "no model" if not found else f"{len(found)} models"
        raise NotFound(f"There is {which} {version!r}; `strowger models list` shows those there are.")
    return found[0]


def fallbacks(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The champion, then whoever was champion before it, and so on: the order in which to look for one that loads."""
    chain: list[Entry] = []
    entry = at(entries, Stage.CHAMPION)
    while entry is not None and entry not in chain:
        chain.append(entry)
        before = entry.replaced
        entry = next((e for e in entries if e.version == before), None)
    return tuple(chain)


# --- What each step does to the entries that it touches: shared by every registry ---------------------------------


def promoted(entries: tuple[Entry, ...], version: str) -> tuple[Entry, ...]:
    """The entries that change, the one that leaves its place first."""
    entry, champion = named(entries, version), at(entries, Stage.CHAMPION)
    if entry.stage is Stage.CHAMPION:
        raise Conflict(f"{entry.version} is the champion already.")
    out = replace(champion, stage=Stage.RETIRED) if champion else None
    new = replace(entry, stage=Stage.CHAMPION, replaced=champion.version if champion else None)
    return (out, new) if out else (new,)


def rolled_back(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The champion leaves; whoever it replaced comes back as it was, or nobody: then the shipped model serves."""
    champion = at(entries, Stage.CHAMPION)
    if champion is None:
        raise Conflict("There is no champion to roll back: the model that ships with Strowger is in use.")
    before = next((e for e in entries if e.version == champion.replaced), None)
    out = replace(champion, stage=Stage.RETIRED)
    return (out, replace(before, stage=Stage.CHAMPION)) if before else (out,)


def shadowed(entries: tuple[Entry, ...], version: str) -> tuple[Entry, ...]:
    entry, shadow = named(entries, version), at(entries, Stage.SHADOW)
    if entry.stage is Stage.CHAMPION:
        raise Conflict(f"{entry.version} is the champion; it cannot be its own shadow.")
    new = replace(entry, stage=Stage.SHADOW)
    return (replace(shadow, stage=Stage.RETIRED), new) if shadow and shadow != entry else (new,)


def retired(entries: tuple[Entry, ...], version: str) -> tuple[Entry, ...]:
    entry = named(entries, version)
    if entry.stage is Stage.CHAMPION:
        raise Conflict(f"{entry.version} is the champion: promote another, or roll back.")
    return (replace(entry, stage=Stage.RETIRED),)


class MemoryRegistry:
    """For drills and tests: nothing outlives the process. `steps` tells what was done, by whom and why."""

    def __init__(self) -> None:
        self._entries: tuple[Entry, ...] = ()
        self.steps: list[tuple[str, str, str, str]] = []

    def add(self, entry: Entry) -> bool:
        if any(e.version == entry.version and e.target == entry.target for e in self._entries):
            return False
        self._entries = (replace(entry, stage=Stage.CANDIDATE), *self._entries)
        return True

    def entries(self, target: str = TARGET) -> tuple[Entry, ...]:
        return tuple(e for e in self._entries if e.target == target)

    def shadow(self, version: str, who: str, why: str) -> Entry:
        return self._step("shadow", shadowed, version, who, why)

    def promote(self, version: str, who: str, why: str) -> Entry:
        return self._step("promote", promoted, version, who, why)

    def retire(self, version: str, who: str, why: str) -> Entry:
        return self._step("retire", retired, version, who, why)

    def rollback(self, who: str, why: str, target: str = TARGET) -> Entry | None:
        changed = rolled_back(self.entries(target))
        self._keep(changed)
        self.steps.append(("rollback", changed[0].version, who, why))
        return at(self.entries(target), Stage.CHAMPION)

    def _step(
        self, name: str, step: Callable[[tuple[Entry, ...], str], tuple[Entry, ...]], version: str, who: str, why: str
    ) -> Entry:
        changed = step(self.entries(named(self._entries, version).target), version)
        self._keep(changed)
        self.steps.append((name, changed[-1].version, who, why))
        return changed[-1]

    def _keep(self, changed: tuple[Entry, ...]) -> None:
        by = {(e.target, e.version): e for e in changed}
        self._entries = tuple(by.get((e.target, e.version), e) for e in self._entries)
