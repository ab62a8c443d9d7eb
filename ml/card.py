"""The model card: what a model is for, what it was trained on, how good it was on rows it had not seen, and what to
mind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ml.evaluate import METRICS, Report
from ml.lift import LiftTrial
from ml.pipeline import Fitted, describe
from ml.tiers import Team
from ml.uplift import Uplift

INTENDED = (
    "Ranking leads so that people call the most promising first. Advisory: a person may always override the tier."
)
NOT_FOR = (
    "Decisions with legal or similar effect on a person (price, credit, refusal of service), identifying a person, or "
    "leads from a market, product or period unlike the training table without a fresh evaluation."
)


@dataclass(frozen=True, slots=True)
class Trial:
    name: str
    log_loss: float
    chosen: bool


@dataclass(frozen=True, slots=True)
class Card:
    """`later` are figures on the last fifth in time, by a model trained on the rows before it; `buyers` are the scores
    it gave to those of them who bought, lowest first (a sample where there are very many);
    `people` says how far its tiers agree with those that people chose."""

    name: str
    trained_on: str
    rows: int
    positive_rate: float
    label: str
    ordered_by: str
    features: tuple[str, ...]
    stamps: tuple[str, ...]
    not_used: Mapping[str, str]
    allowed: tuple[str, ...]
    forward: str
    inside: str
    trials: tuple[Trial, ...]
    inside_trials: tuple[Trial, ...]
    later: Report | None
    later_baseline: Report | None
    tiers: Mapping[str, float]
    team: Team
    notes: tuple[str, ...] = ()
    buyers: tuple[float, ...] = ()
    people: str = ""
    lift: tuple[LiftTrial, ...] = ()
    lift_later: Uplift | None = None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "intended_use": INTENDED, "not_for": NOT_FOR}

    def to_markdown(self) -> str:
        parts = [
            f"# Model {{version}}\n\nTrained on {self.trained_on}: {self.rows:,} rows, "
            f"{self.positive_rate:.2%} with `{self.label}`, in the order of {self.ordered_by}.",
            f"**For:** {INTENDED}\n\n**Not for:** {NOT_FOR}",
            "## Learners\n\nFor leads later than training, chosen walking forward in time: "
            + self.forward
            + ".\n\n"
            + _trials(self.trials),
        ]
        if self.inside:
            parts.append(
                f"For leads from periods seen in training (told by {_names(self.stamps)}), chosen on random folds: "
                f"{self.inside}.\n\n{_trials(self.inside_trials)}"
            )
        parts.append("## On rows it had not seen\n\n" + self._later())
        parts.append(
            f"## Tiers\n\nHot from {self.tiers['hot']:.4f}, warm from {self.tiers['warm']:.4f}: capacity "
            f"{self.team.capacity:.0%} of leads, value per sale {self.team.value:g}, cost per call {self.team.cost:g}"
            + ("" if self.team.most_missed is None else f", at most {self.team.most_missed:.0%} of buyers cold")
            + f".\n\n{self._misses()}"
        )
        if self.lift:
            parts.append(self._lift())
        if self.people:
            parts.append(f"## People's words\n\n{self.people}")
        unused = "\n".join(f"- `{name}`: {why}" for name, why in self.not_used.items()) or "none"
        parts.append(f"## Columns\n\nUsed: {_names(self.features)}.\n\nNot used:\n\n{unused}")
        if self.allowed:
            parts.append(f"Allowed by name although suspicious: {_names(self.allowed)}.")
        parts.append("## To mind\n\n" + "\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts) + "\n"

    def _misses(self) -> str:
        """The bound was found for the model that had not seen those rows; the one in this file has."""
        if self.later is None or self.later.misses is None:
            return "How many buyers end up cold was not measured."
        found = self.later.misses
        return (
            f"{tier_table(self.later)}\n\nBuyers that ended up cold among the rows it had not seen: {found}, said with "
            f"{found.confidence:.0%} confidence for buyers like these (exact binomial limit, ml/conformal.py). When "
            "the market moves, it moves."
        )

    def _lift(self) -> str:
        lines = ["| learner | Qini on rows not seen in fitting | chosen |", "| --- | --- | --- |"]
        lines += [f"| {t.name} | {t.qini:.5f} | {'yes' if t.chosen else ''} |" for t in self.lift]
        said = "Too few rows to keep a later part back."
        if self.lift_later is not None:
            found = self.lift_later
            said = (
                f"Of the last fifth in time ({found.called:,} called, {found.uncalled:,} not), by a model trained on "
                f"the rows before: a call adds {found.effect} sales per lead, Qini {found.qini}."
            )
            said += "" if found.fair else " The scores tell the called from the uncalled: there was no lot."
        return "## What a call adds\n\n" + "\n".join(lines) + f"\n\n{said}"

    def _later(self) -> str:
        if self.later is None:
            return "Not measured: too few rows to keep a later part back."
        head = (
            f"The last {self.later.rows:,} rows in time ({self.later.positives:,} positive), "
            "model trained on the rows before.\n\n"
        )
        return head + table(self.later, self.later_baseline)


def tier_table(report: Report) -> str:
    lines = ["| tier | leads | of them bought | of all buyers |", "| --- | --- | --- | --- |"]
    for t in report.tiers:
        rate, share = t.buyers / max(1, t.rows), t.buyers / max(1, report.positives)
        lines.append(f"| {t.tier.value} | {t.rows:,} | {t.buyers:,} ({rate:.1%}) | {share:.1%} |")
    return "\n".join(lines)


def table(report: Report, baseline: Report | None) -> str:
    lines = ["| figure | model | plain logistic regression |", "| --- | --- | --- |"]
    for key, name in METRICS.items():
        other = str(baseline.metrics[key]) if baseline else ""
        lines.append(f"| {name} | {report.metrics[key]} | {other} |")
    lines += ["", "| calling the best | profit | at random | plain logistic regression | knowing the answer |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for i, profit in enumerate(report.profits):
        other = str(baseline.profits[i].model) if baseline else ""
        lines.append(f"| {profit.share:.0%} | {profit.model} | {profit.random:,.0f} | {other} | {profit.oracle:,.0f} |")
    return "\n".join(lines)


def trials_of(fitted: Fitted, *, inside: bool) -> tuple[Trial, ...]:
    choice = fitted.inside if inside else fitted.forward
    if choice is None:
        return ()
    chosen = {c.name for c in choice.chosen}
    rows = [Trial(t.candidate.name, round(t.loss, 5), t.candidate.name in chosen) for t in choice.trials]
    if len(chosen) > 1:
        rows.append(Trial(describe(choice.chosen), round(choice.loss, 5), True))
    return tuple(rows)


def _trials(trials: Sequence[Trial]) -> str:
    lines = ["| candidate | log loss | chosen |", "| --- | --- | --- |"]
    lines += [f"| {t.name} | {t.log_loss:.4f} | {'yes' if t.chosen else ''} |" for t in trials]
    return "\n".join(lines)


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
