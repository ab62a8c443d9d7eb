"""The drift drill: a champion trained on the early part of a table meets the later part as new outcomes.

Night after night: what moved, is the promise kept, may the batch be learned from, a challenger is trained and tried on
frozen rows, and from then on both score every new lead before its outcome is known, until the bet is decided. Whether
and when a challenger wins is up to the table.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import ml.artifacts as artifacts
import ml.drift as drift
import ml.gate as gate
from app.errors import BadTable
from app.sales.registry import MemoryRegistry, Registry, Stage, at
from ml.columns import Schema
from ml.dataset import Dataset, Wishes, read
from ml.life import QUICK, card_for, entry_of
from ml.model import Model
from ml.pipeline import fit, one_thread, prepare
from ml.sequential import ALPHA, Duel, Verdict, share_of_alpha
from ml.shelf import FolderShelf

EARLY = 0.4
FROZEN_EVERY = 10  # each n-th early row is kept from all training
NIGHTS = 15
TRIAL_NIGHTS = 3  # a shadow that is undecided after these gives its place to one that has learned what came since
_WHO = "drill"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """`saved`: nats per outcome that the challenger spared in the duel it won."""

    promoted: str | None
    rolled_back_to: str | None
    alarms: tuple[str, ...]
    nights: int


@dataclass(slots=True)
class _Trial:
    model: Model
    duel: Duel
    nights: int = 0


def run(path: Path, wishes: Wishes, say: Say, registry: Registry | None = None) -> Ended:
    """Raises BadTable when the table cannot be used. Models lie in a folder that is removed in the end."""
    table = read(path, wishes)
    with tempfile.TemporaryDirectory() as folder, one_thread():
        return _Drill(table, registry or MemoryRegistry(), FolderShelf(Path(folder)), say).run()


class _Drill:
    def __init__(self, table: Dataset, registry: Registry, shelf: FolderShelf, say: Say) -> None:
        cut = int(len(table) * EARLY)
        if min(cut, len(table) - cut) < NIGHTS * drift.FEWEST:
            raise BadTable(f"{len(table)} rows are too few for a drill.")
        rows = np.arange(cut)
        self._known = prepare(table.take(rows[rows % FROZEN_EVERY != 0]))
        self._frozen = _alike(table.take(rows[rows % FROZEN_EVERY == 0]), self._known.schema)
        later = np.arange(cut, len(table))
        self._nights = [_alike(table.take(part), self._known.schema) for part in np.array_split(later, NIGHTS)]
        self._registry, self._shelf, self._say = registry, shelf, say
        self._alarms: list[str] = []
        self._challengers = 0

    def run(self) -> Ended:
        champion = self._train(self._known, f"{len(self._known):,} early rows")
        self._registry.promote(champion.version, _WHO, "the first model")
        self._say(f"Champion {champion.version}, trained on the first {len(self._known):,} rows.")
        reference, trial = self._known, None
        for night, batch in enumerate(self._nights, 1):
            self._say(f"\nNight {night}: {len(batch):,} outcomes, {batch.y.mean():.1%} converted.")
            self._look(champion, reference, batch)
            if trial is not None:
                trial.duel, trial.nights = _after(trial.duel, champion, trial.model, batch), trial.nights + 1
                if (done := self._judge(champion, trial)) is not None:
                    return replace(done, nights=night)
                if trial.duel.verdict is Verdict.WORSE or trial.nights >= TRIAL_NIGHTS:
                    trial = None
            passed = self._may_learn(batch, reference, champion)
            if passed:
                self._known = _joined(self._known, batch)
            if trial is None and passed:
                trial = self._challenge(champion)
        self._say("\nNo challenger has proven to be better: the champion stays.")
        return Ended(None, None, tuple(self._alarms), NIGHTS)

    def _look(self, champion: Model, reference: Dataset, batch: Dataset) -> None:
        found = drift.shifts(reference.schema, reference.block, batch.block)
        p = champion.predict(batch.block).probability
        scores = drift.shift("the score itself", champion.predict(reference.block).probability, p)
        moved = (*drift.moved(found), *drift.moved([scores]))
        for new in (m for m in moved if m.name not in self._alarms):
            self._say(f"  ALARM: {new.name} has moved, PSI {new.psi:.2f}, KS {new.ks:.2f}")
        again = sum(m.name in self._alarms for m in moved)
        if again:
            self._say(f"  alarms that stand: {again}")
        self._alarms += [m.name for m in moved if m.name not in self._alarms]
        kept = drift.kept(p, batch.y)
        if kept.broken():
            self._say(
                f"  ALARM: promises are not kept: promised {kept.promised:.1%}, seen {kept.seen:.1%}; "
                f"error {kept.error:.3f} [{kept.low:.3f}, {kept.high:.3f}], evidence {kept.evidence:.3g}"
            )

    def _may_learn(self, batch: Dataset, reference: Dataset, champion: Model) -> bool:
        answer = gate.look_at(batch, reference, champion)
        self._say(f"  batch {'accepted' if answer.passed else 'refused'}: {answer.why}")
        return answer.passed

    def _challenge(self, champion: Model) -> _Trial | None:
        candidate = self._train(self._known, f"{len(self._known):,} rows up to this night")
        answer = gate.try_on(
            self._frozen.y,
            champion.predict(self._frozen.block).probability,
            candidate.predict(self._frozen.block).probability,
        )
        self._say(f"  challenger {candidate.version} trained on {len(self._known):,} rows; gate: {answer.why}")
        if not answer.passed:
            self._registry.retire(candidate.version, _WHO, answer.why)
            return None
        self._challengers += 1
        self._registry.shadow(candidate.version, _WHO, answer.why)
        alpha = share_of_alpha(ALPHA, self._challengers)
        self._say(f"  it is the shadow now: no {self._challengers}, may win by chance with probability {alpha:.4f}")
        return _Trial(candidate, Duel(alpha))

    def _judge(self, champion: Model, trial: _Trial) -> Ended | None:
        found = trial.duel.to_json()
        self._say(
            f"  duel after {found['outcomes']:,} outcomes: {found['saved_per_outcome']:+.4f} nats saved per outcome, "
            f"evidence {found['evidence']:.3g} of {found['needed']:.3g} needed: {found['verdict']}"
        )
        if trial.duel.verdict is Verdict.WORSE:
            self._registry.retire(trial.model.version, _WHO, "worse than the champion")
            self._say(f"  {trial.model.version} is retired.")
        if trial.duel.verdict is not Verdict.BETTER:
            return None
        self._registry.promote(trial.model.version, _WHO, f"evidence {found['evidence']}")
        self._say(f"\nPromoted: {trial.model.version} is champion, {champion.version} is retired.")
        back = self._registry.rollback(_WHO, "the end of the drill")
        assert back is not None
        loaded = artifacts.load(self._shelf.fetch(back.file_sha256))
        self._say(f"Rolled back: {loaded.version} is champion again, loaded from its file by hash.")
        for entry in self._registry.entries():
            self._say(f"  {entry.version}  {entry.stage.value}")
        now = at(self._registry.entries(), Stage.CHAMPION)
        return Ended(trial.model.version, now.version if now else None, tuple(self._alarms), 0)

    def _train(self, dataset: Dataset, trained_on: str) -> Model:
        fitted = fit(dataset, QUICK)
        card = card_for(dataset, fitted, trained_on)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"model{artifacts.SUFFIX}"
            model = artifacts.save(replace(fitted.model, card=card.to_json()), file, card.to_markdown(), dataset.block)
            self._registry.add(entry_of(model, dataset, self._shelf.keep(file), card))
        return model


def _alike(dataset: Dataset, schema: Schema) -> Dataset:
    """The same columns in the same meaning: numbers that stand for "does not apply" are missing here as there."""
    values = dataset.block.numbers.copy()
    for j, column in enumerate(schema.numbers):
        if column.sentinel is not None:
            values[values[:, j] == column.sentinel, j] = np.nan
    return replace(dataset, schema=schema, block=replace(dataset.block, numbers=values))


def _joined(known: Dataset, batch: Dataset) -> Dataset:
    block = type(known.block).join([known.block, gate.capped(batch.block, known.block)])
    return replace(
        known, block=block, y=np.concatenate([known.y, batch.y]), time=np.concatenate([known.time, batch.time])
    )


def _after(duel: Duel, champion: Model, challenger: Model, batch: Dataset) -> Duel:
    p, q = (m.predict(batch.block).probability.tolist() for m in (champion, challenger))
    return duel.through(zip(p, q, map(bool, batch.y.tolist()), strict=True))
