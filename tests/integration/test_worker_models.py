"""Workers and the registry: whose scores show, whose do not, and what happens when a file does not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pytest

from app.compliance import rules
from app.errors import ModelRefused
from app.sales.lead import Score, Tier
from app.store import alerts, call_events, finish, prospects, score_batches, scores
from app.store.calls import CallRow
from app.store.connect import Database
from app.store.models import StoredRegistry
from ml import artifacts
from ml.default import CUTS, default_model, simulated
from ml.life import card_for, entry_from, entry_of
from ml.lift import fit_lift
from ml.pipeline import Plan, fit, one_thread
from ml.shelf import FolderShelf, Shelf
from ml.simulate import leads as made_up
from workers import jobs, rescore, scoring
from workers.chaos.seed import finished_call
from workers.jobs import Ref
from workers.resources import Resources, models_of
from workers.shelf import StoredShelf

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = pytest.mark.integration


@pytest.fixture(scope="session")
def data_dir(made_once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copytree(made_once(default_model), tmp_path_factory.mktemp("data"), dirs_exist_ok=True)


class Office:
    """One tenant whose worker scores with what the registry says."""

    def __init__(self, database: Database, tenant: Tenant, data_dir: Path, copies: Path) -> None:
        self.database, self.workspace, self.number = database, tenant.workspace, tenant.number
        self.registry = StoredRegistry(lambda: database.worker(tenant.workspace))
        self.shelf: Shelf = StoredShelf(database, tenant.workspace, copies)
        self.copies = copies
        models = models_of(database, data_dir)
        self.resources = Resources(database, None, models, rules.load(), lambda: datetime.now(UTC))
        models._shelf_of = lambda workspace: StoredShelf(database, workspace, copies)

    def train(self, folder: Path, seed: int) -> str:
        """A candidate in the registry."""
        with one_thread():
            dataset = simulated(made_up(600, seed=seed))
            fitted = fit(dataset, Plan(quick=True, cuts=CUTS))
        card = card_for(dataset, fitted, "own outcomes")
        file = folder / f"{uuid4().hex}{artifacts.SUFFIX}"
        model = artifacts.save(replace(fitted.model, card=card.to_json()), file, card.to_markdown(), dataset.block)
        assert self.registry.add(entry_of(model, dataset, self.shelf.keep(file), card))
        return model.version

    def call(self, phone: str = "+12025550111") -> CallRow:
        sid = f"CA{uuid4().hex}"
        with self.database.worker(self.workspace) as db:
            call = finished_call(db, sid, phone, self.number)
            finish.finish_call(db, call, call_events.read(db, sid))
            row = db.execute("select id from outbox where kind = 'score' and key = %s", (sid,)).fetchone()
        assert row is not None
        jobs.run(scoring.score_call, self.resources, Ref(row["id"], self.workspace, sid))
        return call

    def rows(self, call: CallRow) -> list[dict[str, Any]]:
        with self.database.worker(self.workspace) as db:
            return list(db.execute("select * from scores where call_id = %s order by shadow", (call.id,)))

    def alerts(self) -> list[tuple[str, str]]:
        with self.database.worker(self.workspace) as db:
            return [(a.kind, a.subject) for a in alerts.open_ones(db)]


@pytest.fixture
def office(shared_database: Database, tenant: Tenant, data_dir: Path, tmp_path: Path) -> Office:
    return Office(shared_database, tenant, data_dir, tmp_path / "copies")


def test_without_a_champion_the_shipped_model_scores_and_says_what_it_learned_from(office: Office) -> None:
    call = office.call()
    (row,) = office.rows(call)
    assert row["model_version"].startswith("simulated-")
    with office.database.worker(office.workspace) as db:
        shown = scores.of_call(db, call.call_sid)
    assert shown is not None
    assert shown.origin == "trained on simulated data"
    assert row["features"]["appointment_asked"] == "yes"


def test_champion_and_shadow_score_side_by_side_and_only_the_champion_shows(office: Office, tmp_path: Path) -> None:
    champion, shadow = office.train(tmp_path, 1), office.train(tmp_path, 2)
    office.registry.promote(champion, "ann", "the first")
    office.registry.shadow(shadow, "ann", "a trial")
    call = office.call()
    assert [(r["model_version"], r["shadow"]) for r in office.rows(call)] == [(champion, False), (shadow, True)]
    assert office.rows(call)[0]["features"] == office.rows(call)[1]["features"]
    with office.database.worker(office.workspace) as db:
        shown = scores.of_call(db, call.call_sid)
        (known,) = prospects.all_known(db)
    assert shown is not None
    assert known.score is not None
    assert {shown.model_version, known.score.model_version} == {champion}
    assert shown.origin == "trained on your own outcomes"


def test_a_challengers_score_is_never_shown_even_where_there_is_no_other(office: Office) -> None:
    call = office.call()
    score = Score(0.9, 0.8, 1.0, Tier.HOT, (), "own-shadow")
    with office.database.worker(office.workspace) as db:
        other = finished_call(db, f"CA{uuid4().hex}", "+12025550119", office.number)
        assert other.lead_id is not None
        scores.record(db, other.lead_id, other.id, score, {}, shadow=True)
        assert scores.of_call(db, other.call_sid) is None
        known = {one.id: one.score for one in prospects.all_known(db)}
    assert known[other.lead_id] is None
    assert call.lead_id is not None
    assert known[call.lead_id] is not None


def test_F30_a_lost_or_changed_copy_comes_back_from_the_database(office: Office, tmp_path: Path) -> None:
    office.registry.promote(champion := office.train(tmp_path, 1), "ann", "the first")
    (copy,) = office.copies.glob("*")
    body = copy.read_bytes()
    copy.write_bytes(body[: len(body) // 2])
    assert office.rows(office.call())[0]["model_version"] == champion
    assert not office.alerts()


def test_F30_a_champion_that_does_not_hold_is_passed_over_for_the_one_before_it_with_an_alert(
    office: Office, tmp_path: Path
) -> None:
    first = office.train(tmp_path, 1)
    office.shelf = FolderShelf(office.copies)  # the database never gets this one
    second = office.train(tmp_path, 2)
    office.registry.promote(first, "ann", "the first")
    office.registry.promote(second, "ann", "it won")
    lost = next(e.file_sha256 for e in office.registry.entries() if e.version == second)
    (office.copies / f"{lost}{artifacts.SUFFIX}").unlink()
    assert office.rows(office.call())[0]["model_version"] == first
    assert office.alerts() == [("model_refused", second)]


def test_T13_a_model_file_of_another_workspace_is_not_found(
    office: Office, tmp_path: Path, shared_postgres_url: str, make_tenant: Callable[[], Tenant]
) -> None:
    office.train(tmp_path, 1)
    (entry,) = office.registry.entries()
    other = StoredShelf(office.database, make_tenant().workspace, tmp_path / "elsewhere")
    with pytest.raises(ModelRefused):
        other.fetch(entry.file_sha256)


def lead_tier(office: Office, call: CallRow) -> Any:
    with office.database.worker(office.workspace) as db:
        row = db.execute("select tier from leads where id = %s", (call.lead_id,)).fetchone()
    assert row is not None
    return row["tier"]


def rescored(office: Office) -> list[str]:
    """Works all open chunks, as the workers would."""
    with office.database.worker(office.workspace) as db:
        found = db.execute("select id, key from outbox where kind = 'rescore' and done_at is null").fetchall()
    return [jobs.run(rescore.rescore, office.resources, Ref(row["id"], office.workspace, row["key"])) for row in found]


def shown_version(office: Office, call: CallRow) -> str:
    with office.database.worker(office.workspace) as db:
        shown, (known,) = scores.of_call(db, call.call_sid), prospects.all_known(db)
    assert shown is not None
    assert known.score is not None
    assert shown.model_version == known.score.model_version
    return shown.model_version


def test_a_new_champion_scores_every_lead_again_and_a_roll_back_brings_the_old_scores_back(
    office: Office, tmp_path: Path
) -> None:
    office.call()
    call = office.call()  # of the same lead
    shipped = shown_version(office, call)
    champion = office.train(tmp_path, 3)
    office.registry.promote(champion, "ann", "the first")
    with office.database.worker(office.workspace) as db:
        db.execute("update leads set tier = 'cold'")
    assert rescored(office) == ["1 of 1 leads scored anew"]
    assert shown_version(office, call) == champion
    assert lead_tier(office, call) == office.rows(call)[-1]["tier"]
    office.registry.rollback("ann", "it sold less")
    with office.database.worker(office.workspace) as db:
        db.execute("update leads set tier = 'cold'")
    assert rescored(office) == ["0 of 1 leads scored anew"]
    assert shown_version(office, call) == shipped
    assert lead_tier(office, call) != "cold"


def test_a_batch_tells_how_far_it_is(office: Office) -> None:
    for phone in ("+12025550112", "+12025550113", "+12025550114"):
        office.call(phone)
    with office.database.worker(office.workspace) as db:
        batch = score_batches.start(db, chunk=2)
        assert score_batches.progress(db, batch) == score_batches.Progress(3, 0, 0)
        first, _ = sorted(score_batches.open_chunks(db, batch), key=lambda chunk: chunk[1])
    jobs.run(rescore.rescore, office.resources, Ref(first[0], office.workspace, first[1]))
    with office.database.worker(office.workspace) as db:
        half = score_batches.progress(db, batch)
    assert (half.done, half.over) == (2, False)
    rescored(office)
    with office.database.worker(office.workspace) as db:
        assert score_batches.progress(db, batch).over


def test_a_champion_that_learned_what_a_call_adds_leads_the_ranking(office: Office, tmp_path: Path) -> None:
    """From a file of `strowger train --treated` through the registry to the list of whom to call."""
    dice = np.random.default_rng(6)
    with one_thread():
        dataset = simulated(made_up(800, seed=6))
        called = (dice.random(len(dataset)) < 0.5).astype(np.int8)
        by_lot = replace(
            dataset, called=called, y=(dataset.y & (called | (dice.random(len(dataset)) < 0.3))).astype(np.int8)
        )
        model = replace(fit(dataset, Plan(quick=True, cuts=CUTS)).model, lift=fit_lift(by_lot).lift)
    file = tmp_path / f"lift{artifacts.SUFFIX}"
    saved = artifacts.save(replace(model, card={"rows": 800, "positive_rate": 0.2}), file, "a card", dataset.block)
    assert office.registry.add(entry_from(artifacts.load(file).model, office.shelf.keep(file)))
    office.registry.promote(saved.version, "ann", "calls by lot")
    call = office.call()
    (row,) = office.rows(call)
    assert row["uplift_lower"] <= row["uplift"] <= row["uplift_upper"]
    with office.database.worker(office.workspace) as db:
        (known,) = prospects.all_known(db)
    assert known.score is not None
    assert known.score.uplift is not None
    assert known.score.uplift.value == row["uplift"]
