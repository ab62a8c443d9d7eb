"""A night's work on a workspace's models: look at what moved, settle what new outcomes decide, train again.

The steps are functions of what is known (ml/night.py); here is what they are fed and what follows. Done twice it
changes nothing: models are named by their contents, and the night is written down once.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.errors import ModelRefused
from app.sales.learning import Known, Night, Opinion, learnable
from app.sales.priority import Lines, Yardstick
from app.sales.registry import TARGET, Entry, Stage, at, fallbacks
from app.store import alerts, model_nights, models, outbox, own_outcomes, tier_cuts
from app.store.connect import Connection, Database
from app.store.models import StoredRegistry
from workers.jobs import Later, Ref
from workers.resources import Resources, models_of
from workers.shelf import StoredShelf

if TYPE_CHECKING:
    from ml.gate import Answer
    from ml.model import LeadModel, Model
    from ml.night import Look

log = logging.getLogger(__name__)

WHO = "nightly"
BEGINS = timedelta(hours=2)  # UTC: a night is named by the day on which it begins work
RECENT = timedelta(days=14)  # calls whose rows are held against those of training
BUYERS = 30  # of ours, before they tell what the cuts miss; until then held-out rows of the model do
MOST_BUYERS = 1_000
FIRST = 300  # calls that say what is usual here while no model of the workspace's own does
EVER = datetime(2000, 1, 1, tzinfo=UTC)


def plan(database: Database, now: datetime) -> int:
    """One job per workspace that has scores and night, however often this is asked."""
    with database.system() as db:
        row = db.execute("select strowger.plan_nights(%s) as planned", (name_of(now),)).fetchone()
    return int(row["planned"]) if row else 0


def name_of(now: datetime) -> str:
    return (now - BEGINS).date().isoformat()


def watch(resources: Resources, job: Ref) -> str | Later:
    """The job: its key is the night, and after a slash the target where it is not a sale."""
    night, _, target = job.key.partition("/")
    here = (resources.database, resources.data_dir, job.workspace_id)
    said = spend(*here, night, resources.now(), target or TARGET)
    if said is None:
        return Later("the model is being made", seconds=10.0)
    if not target:
        from workers.live import learn_live

        during = learn_live(resources.database, job.workspace_id, resources.now())
        said = f"{said}; {during}" if during else said
    with resources.database.worker(job.workspace_id) as db:
        outbox.done(db, job.id)
    return said


@dataclass(slots=True)
class _Facts:
    """What is known this evening."""

    night: str
    target: str
    now: datetime
    entries: tuple[Entry, ...]
    nights: tuple[Night, ...]
    known: tuple[Known, ...]
    champion: Entry | None
    model: Model
    refused: list[tuple[str, str]]
    did: list[str] = field(default_factory=list)
    opinions: tuple[Opinion, ...] = ()
    lines: Lines | None = None
    promoted: bool = False  # then a challenger waits for the next night, and meets the new champion

    @property
    def since(self) -> datetime:
        return max((night.known_to for night in self.nights), default=EVER)

    @property
    def batch(self) -> tuple[Known, ...]:
        return tuple(one for one in self.known if one.known_at > self.since)

    @property
    def usable(self) -> tuple[Known, ...]:
        return learnable(self.known, self.nights)


def spend(
    database: Database, data_dir: Path, workspace: UUID, night: str, now: datetime, target: str = TARGET
) -> str | None:
    """What was done, in one line; None while the shipped model is still being made."""
    from ml import night as ml

    own = models_of(database, data_dir)
    with database.worker(workspace) as db:
        entries, nights = models.serving(db, target), model_nights.all_nights(db, target)
        if any(done.night == night for done in nights):
            return "was done before"
        known = own_outcomes.known(db, now, target=target)
        opinions = own_outcomes.opinions(db, now) if target == TARGET else ()  # hot and cold are words about a sale
        cuts = tier_cuts.get(db)
    refused: list[tuple[str, str]] = []
    loaded, champion = _champion(own.own, workspace, entries, refused)
    if loaded is None:
        loaded = own.shipped() if target == TARGET else _flat(known, target)
    if loaded is None:
        return None if target == TARGET else f"nothing is known for {target}"
    facts = _Facts(night, target, now, entries, nights, known, champion, loaded.model, refused)
    facts.opinions, facts.lines = opinions, cuts.lines if cuts else None
    look = ml.look(facts.model, *_rows(database, workspace, facts))
    done, answer = _admit(facts)
    registry = StoredRegistry(lambda: database.worker(workspace))
    facts.nights = (*nights, done)
    duel = _judge(facts, registry, lambda entry: own.own(workspace, entry))
    _train(facts, registry, StoredShelf(database, workspace, data_dir / "models" / "own"))
    unseen = () if facts.model.version == ml.FLAT else _unseen(facts.usable, facts.champion)
    kept = ml.kept(facts.model, unseen[-ml.TRIAL :])
    found = {**ml.Look(look.shifts, kept).to_json(), "champion": loaded.version, "duel": duel, "did": facts.did}
    with database.worker(workspace) as db:
        if not model_nights.record(db, replace(done, found=found)):
            return "was done before"
        _alert(db, facts, ml.Look(look.shifts, kept), answer)
        if target == TARGET and not facts.promoted:  # else every lead is being scored again, and the cuts follow
            tier_cuts.recut(db, _yardstick(loaded, facts))
    return "; ".join(facts.did) or "nothing to do"


def _champion(
    own: Any, workspace: UUID, entries: tuple[Entry, ...], refused: list[tuple[str, str]]
) -> tuple[LeadModel | None, Entry | None]:
    """The first that loads of the champion and those it replaced."""
    for entry in fallbacks(entries):
        try:
            return own(workspace, entry), entry
        except ModelRefused as error:
            refused.append((entry.version, str(error)))
    return None, None


def _flat(known: Sequence[Known], target: str) -> LeadModel | None:
    """Where no model serves: the average, for the first to beat. None where nothing is known."""
    from ml import night as ml
    from ml.model import LeadModel

    return LeadModel(ml.flat(known, target)) if known else None


def _rows(
    database: Database, workspace: UUID, facts: _Facts
) -> tuple[Sequence[dict[str, Any]], Sequence[dict[str, Any]]]:
    """Of the champion's training, or of the workspace's first calls while the shipped model serves; and the newest."""
    recent = facts.now - RECENT
    with database.worker(workspace) as db:
        newest = own_outcomes.newest_rows(db, recent, facts.now)
        if facts.champion is None or facts.champion.lineage.data_to is None:
            return own_outcomes.oldest_rows(db, EVER, recent, FIRST), newest
    learned_to = facts.champion.lineage.data_to
    return [dict(one.row) for one in facts.usable if one.known_at <= learned_to], newest


def _admit(facts: _Facts) -> tuple[Night, Answer]:
    """Tonight's outcomes, and whether they may be learned from. Too few to be judged wait for tomorrow's."""
    from ml import gate
    from ml import night as ml

    batch = facts.batch
    if len(batch) < ml.BATCH:
        answer = gate.Answer(True, f"{len(batch)} new outcomes: {ml.BATCH} are needed to judge them")
        return Night(facts.target, facts.night, facts.since, facts.since, 0, 0, True, answer.why), answer
    earlier = [one for one in facts.usable if one.known_at <= facts.since]
    answer = ml.may_learn(facts.model, earlier, batch, own=facts.champion is not None)
    positives = sum(one.converted for one in batch)
    facts.did.append(f"{len(batch)} outcomes {'admitted' if answer.passed else 'refused'}")
    to = max(one.known_at for one in batch)
    return Night(facts.target, facts.night, facts.since, to, len(batch), positives, answer.passed, answer.why), answer


def _yardstick(loaded: LeadModel, facts: _Facts) -> Yardstick:
    """What the cuts miss is told by buyers here, as soon as there are some that the model had not seen."""
    from ml import night as ml

    bought = [one for one in _unseen(facts.usable, facts.champion) if one.converted]
    if len(bought) < BUYERS:
        return loaded.yardstick
    scores = ml.scores(facts.model, bought[-MOST_BUYERS:])
    return replace(loaded.yardstick, buyers=tuple(sorted(scores)), buyers_of="your own outcomes")


def _judge(facts: _Facts, registry: StoredRegistry, load: Any) -> dict[str, Any] | None:
    """How the challenger's duel stands; the winner is promoted, the loser and the undecided leave."""
    from ml import night as ml
    from ml.sequential import ALPHA, Verdict, share_of_alpha

    shadow = at(facts.entries, Stage.SHADOW)
    if shadow is None:
        return None
    try:
        challenger = load(shadow).model
    except ModelRefused as error:
        facts.refused.append((shadow.version, str(error)))
        _retire(facts, registry, shadow, "its file does not hold")
        return None
    alpha = share_of_alpha(
        ALPHA, ml.number_of(facts.champion, [e for e in facts.entries if e.version != shadow.version])
    )
    unseen = _unseen(_unseen(facts.usable, facts.champion), shadow)
    duel = ml.duel(facts.model, challenger, unseen, alpha)
    said = duel.to_json()
    if duel.verdict is Verdict.BETTER:
        registry.promote(shadow.version, WHO, f"evidence {said['evidence']} of {said['needed']} needed", facts.target)
        facts.promoted = True
        facts.did.append(f"{shadow.version} promoted")
    elif duel.verdict is Verdict.WORSE:
        _retire(facts, registry, shadow, "worse than the champion")
    elif duel.outcomes >= ml.TRIAL:
        _retire(facts, registry, shadow, f"undecided after {duel.outcomes} outcomes")
    return {"challenger": shadow.version, **said}


def _retire(facts: _Facts, registry: StoredRegistry, entry: Entry, why: str) -> None:
    registry.retire(entry.version, WHO, why, facts.target)
    facts.did.append(f"{entry.version} retired: {why}")


def _train(facts: _Facts, registry: StoredRegistry, shelf: StoredShelf) -> None:
    """A challenger, where nobody is on trial and enough has come in."""
    from ml import night as ml

    if (
        at(registry.entries(facts.target), Stage.SHADOW) is not None
        or facts.promoted
        or not ml.worth_training(facts.usable, facts.entries, facts.opinions)
    ):
        return
    number = ml.number_of(facts.champion, facts.entries)
    with tempfile.TemporaryDirectory() as folder:
        trainee = ml.Trainee(facts.model, number, facts.opinions, facts.lines, facts.target)
        made = ml.train(trainee, facts.usable, shelf, Path(folder))
    if made is None:
        facts.did.append("the outcomes cannot be learned from")
        return
    registry.add(made.entry)
    if made.passed:
        registry.shadow(made.entry.version, WHO, made.why, facts.target)
        facts.did.append(f"{made.entry.version} trained on {made.entry.lineage.rows:,} calls, on trial")
    else:
        _retire(facts, registry, made.entry, f"worse on the frozen calls: {made.why}")


def _unseen(known: Sequence[Known], entry: Entry | None) -> tuple[Known, ...]:
    """Outcomes that came in after a model was trained."""
    learned_to = None if entry is None else entry.lineage.data_to
    return tuple(one for one in known if learned_to is None or one.known_at > learned_to)


_KINDS = ("drift", "calibration", "outcomes_refused", "model_refused")


def _alert(db: Connection, facts: _Facts, look: Look, answer: Answer) -> None:
    """What stands is said once; what has passed is closed. Alarms of drift name the column that moved."""
    kinds = {name: name if facts.target == TARGET else f"{name} of {facts.target}" for name in _KINDS}
    usual = "the first calls here" if facts.champion is None else "the calls the model learned from"
    for shift in look.moved:
        sentence = f"{shift.name} has moved: PSI {shift.psi:.2f}, KS {shift.ks:.2f} against {usual}."
        alerts.raise_(db, kinds["drift"], shift.name, sentence, {"psi": shift.psi, "ks": shift.ks})
    alerts.close_others(db, kinds["drift"], tuple(shift.name for shift in look.moved))
    version = facts.model.version
    if look.kept is not None and look.kept.broken():
        kept = look.kept
        sentence = f"{version} does not keep its promises: {kept.promised:.1%} promised, {kept.seen:.1%} seen."
        alerts.raise_(db, kinds["calibration"], version, sentence, kept.to_json())
        alerts.close_others(db, kinds["calibration"], (version,))
    else:
        alerts.close_others(db, kinds["calibration"])
    if not answer.passed:
        sentence = f"The outcomes of {facts.night} were not learned from: {answer.why} See `strowger models nights`."
        alerts.raise_(db, kinds["outcomes_refused"], facts.night, sentence)
    for refused, why in facts.refused:
        alerts.raise_(db, kinds["model_refused"], refused, f"Model {refused} could not be used: {why}")
    alerts.close_others(db, kinds["model_refused"], tuple(version for version, _ in facts.refused))
