"""Nights in the life of a workspace's models, on a real Postgres: labels, alarms, duels, outcomes turned over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest

from app.api.model_watch import exposition
from app.errors import Conflict
from app.sales.learning import SETTLED, Known, learnable
from app.sales.registry import Stage, at
from app.store import alerts, model_nights, models, outbox, own_outcomes
from app.store.connect import Database
from app.store.models import StoredRegistry
from ml.default import default_model
from ml.simulate import leads as made_up
from workers import jobs, night, relay
from workers.chaos.seed import PLAYBOOK
from workers.jobs import Ref

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 1, 3, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="session")
def data_dir(made_once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copytree(made_once(default_model), tmp_path_factory.mktemp("night"), dirs_exist_ok=True)


@dataclass(frozen=True)
class Past:
    """A finished, scored call; `won` None: nobody said anything."""

    at: datetime
    row: dict[str, Any]
    won: bool | None = None
    result: str = "conversed"
    lead: UUID | None = None
    noted_at: datetime | None = None


class House:
    def __init__(self, database: Database, tenant: Tenant, url: str, data_dir: Path) -> None:
        self.database, self.workspace, self.number, self.url = database, tenant.workspace, tenant.number, url
        self.data_dir = data_dir
        self.made = 0

    def happened(self, pasts: Iterable[Past]) -> list[UUID]:
        """Written as their owner, because the past cannot be made through the doors of the present."""
        calls, leads, scores, outcomes, results = [], [], [], [], []
        for past in pasts:
            self.made += 1
            call, lead = UUID(int=self.workspace.int // 10**7 * 10**7 + self.made), past.lead or uuid4()
            leads.append((lead, self.workspace))
            calls.append((call, self.workspace, f"CA{call.hex}", self.number, lead, PLAYBOOK, past.at))
            outcomes.append((call, self.workspace, f"CA{call.hex}", lead, past.result, past.at))
            scores.append((self.workspace, lead, call, json.dumps(past.row), past.at))
            if past.won is not None:
                results.append((self.workspace, lead, past.won, past.at, past.noted_at or past.at + DAY))
        with psycopg.connect(self.url) as db:
            db.cursor().executemany(
                "insert into leads (id, workspace_id) values (%s, %s) on conflict do nothing", leads
            )
            db.cursor().executemany(
                "insert into calls (id, workspace_id, call_sid, direction, caller, called, lead_id, playbook, "
                "playbook_version, created_at) values (%s, %s, %s, 'inbound', 'anonymous', %s, %s, %s, 1, %s)",
                calls,
            )
            db.cursor().executemany(
                "insert into outcomes (call_id, workspace_id, call_sid, lead_id, result, reason, recorded_at) "
                "values (%s, %s, %s, %s, %s, 'finished', %s)",
                outcomes,
            )
            db.cursor().executemany(
                "insert into scores (workspace_id, lead_id, call_id, model_version, probability, lower, upper, tier, "
                "reasons, features, scored_at) values (%s, %s, %s, 'simulated-x', 0.2, 0.1, 0.3, 'warm', '{}', %s, %s)",
                scores,
            )
            db.cursor().executemany(
                "insert into lead_results (workspace_id, lead_id, won, at, noted_by, noted_at) "
                "values (%s, %s, %s, %s, 'crm', %s)",
                results,
            )
        return [call[0] for call in calls]

    def known(self, now: datetime = NOW) -> tuple[Known, ...]:
        with self.database.worker(self.workspace) as db:
            return own_outcomes.known(db, now)

    def spend(self, name: str, now: datetime) -> str:
        said = night.spend(self.database, self.data_dir, self.workspace, name, now)
        assert said is not None
        return said

    def open_alerts(self) -> dict[tuple[str, str], str]:
        with self.database.worker(self.workspace) as db:
            return {(a.kind, a.subject): a.sentence for a in alerts.open_ones(db)}

    def registry(self) -> StoredRegistry:
        return StoredRegistry(lambda: self.database.worker(self.workspace))

    def champion(self) -> str | None:
        with self.database.worker(self.workspace) as db:
            found = at(models.entries(db), Stage.CHAMPION)
        return found.version if found else None


@pytest.fixture
def house(shared_database: Database, tenant: Tenant, shared_postgres_url: str, data_dir: Path) -> House:
    return House(shared_database, tenant, shared_postgres_url, data_dir)


ROW = {"source": "inbound_call", "calls": 1, "minutes": 2.0, "appointment_asked": "yes"}
OLD = NOW - SETTLED - DAY


def test_a_calls_own_booking_is_no_label(house: House) -> None:
    house.happened([Past(OLD, ROW, result="booked")])
    assert [one.converted for one in house.known()] == [False]


def test_a_later_call_that_books_within_the_time_is_one(house: House) -> None:
    soon, late = uuid4(), uuid4()
    first, _, third, _ = house.happened(
        [
            Past(OLD, ROW, lead=soon),
            Past(OLD + 10 * DAY, ROW, result="booked", lead=soon),
            Past(OLD - 20 * DAY, ROW, lead=late),
            Past(OLD - 20 * DAY + SETTLED + DAY, ROW, result="booked", lead=late),
        ]
    )
    labels = {one.call_id: one.converted for one in house.known()}
    assert (labels[first], labels[third]) == (True, False)


def test_the_newest_word_of_people_counts_and_one_before_the_call_does_not(house: House) -> None:
    lead = uuid4()
    house.happened([Past(OLD, ROW, won=True, lead=lead)])
    (before,) = house.known()
    assert (before.converted, before.known_at) == (True, OLD + SETTLED)
    with house.database.worker(house.workspace) as db:
        own_outcomes.say(db, lead, won=False, at=OLD + 3 * DAY, noted_by="ann")
    with house.database.worker(house.workspace) as db:  # noted later, so that only its day keeps it from counting
        own_outcomes.say(db, lead, won=True, at=OLD - 40 * DAY, noted_by="about an earlier year")
    (after,) = house.known(datetime.now(UTC) + DAY)
    assert not after.converted
    assert after.known_at > before.known_at


def test_a_call_younger_than_the_time_is_not_used_even_when_it_is_won(house: House) -> None:
    """Wins are heard of first: with them alone every lead would look good."""
    house.happened([Past(NOW - SETTLED + DAY, ROW, won=True), Past(OLD, ROW)])
    assert [one.converted for one in house.known()] == [False]


def world(count: int, first: datetime, days: int, seed: int) -> list[Past]:
    """A business where, unlike in the simulation, long talks without a booking sell."""
    rng = np.random.default_rng(seed)
    found = []
    for i, lead in enumerate(made_up(count, seed)):
        row = dict(lead.row)
        wish = 3 * (float(str(row["minutes"])) - 1.2) - 3 * (row["appointment_asked"] == "yes")
        won = bool(rng.random() < 1 / (1 + np.exp(-wish)))
        found.append(Past(first + days * DAY * i / count, row, won=won))
    return found


def test_nights_train_try_and_promote_and_a_roll_back_leads_home(house: House) -> None:
    house.happened(world(900, NOW - 80 * DAY, 49, seed=5))
    said = house.spend("2026-11-01", NOW)
    assert "900 outcomes admitted" in said
    assert "on trial" in said
    assert house.champion() is None
    (entry,) = house.registry().entries()
    assert (entry.stage, entry.lineage.trained_on, entry.metrics["challenger"]) == (Stage.SHADOW, "own outcomes", 1)
    assert entry.lineage.rows < 900  # the frozen calls are not trained on
    assert "## On rows it had not seen" in entry.card
    assert house.spend("2026-11-01", NOW) == "was done before"
    house.happened(world(500, NOW - 31 * DAY, 10, seed=6))
    said = house.spend("2026-11-11", NOW + 12 * DAY)
    assert f"{entry.version} promoted" in said
    assert house.champion() == entry.version
    with house.database.worker(house.workspace) as db:
        last = model_nights.all_nights(db)[-1]
    assert last.found is not None
    assert last.found["duel"]["verdict"] == "better"
    assert house.registry().rollback("ann", "to see") is None
    assert house.champion() is None


def test_an_alarm_names_the_column_that_moved_and_closes_when_it_is_back(house: House) -> None:
    house.happened(world(300, NOW - 80 * DAY, 40, seed=7))
    slow = [Past(p.at, {**p.row, "minutes": float(p.row["minutes"]) + 6}) for p in world(200, NOW - 5 * DAY, 4, 8)]
    house.happened(slow)
    house.spend("2026-11-01", NOW)
    found = house.open_alerts()
    assert ("drift", "minutes") in found
    assert found["drift", "minutes"].startswith("minutes has moved: PSI")
    assert ("drift", "source") not in found
    with house.database.system() as db:
        figures = model_nights.watch(db)
    metrics = exposition(figures).decode()
    assert 'model_feature_psi{feature="minutes"}' in metrics
    assert 'alerts_open{kind="drift"}' in metrics
    house.happened(world(400, NOW + 15 * DAY, 5, seed=9))
    house.spend("2026-11-21", NOW + 21 * DAY)
    assert ("drift", "minutes") not in house.open_alerts()


def test_T34_outcomes_that_look_turned_over_are_left_out_until_a_person_decides(house: House) -> None:
    house.happened(world(900, NOW - 80 * DAY, 49, seed=11))
    house.spend("2026-11-01", NOW)
    (entry,) = house.registry().entries()
    house.registry().promote(entry.version, "ann", "to have a champion")
    rng = np.random.default_rng(12)
    batch = world(1_000, NOW - 31 * DAY, 10, seed=13)
    flipped = [Past(p.at, p.row, won=p.won ^ bool(rng.random() < 0.05)) for p in batch]
    house.happened(flipped)
    said = house.spend("2026-11-12", NOW + 12 * DAY)
    assert "1000 outcomes refused" in said
    assert "trained" not in said
    assert ("outcomes_refused", "2026-11-12") in house.open_alerts()
    with house.database.worker(house.workspace) as db:
        nights = model_nights.all_nights(db)
        assert len(own_outcomes.known(db, NOW + 12 * DAY)) == 1_900
        assert not nights[-1].learned
        usable = learnable(own_outcomes.known(db, NOW + 12 * DAY), nights)
        assert len(usable) == 900
        assert all(one.known_at <= nights[-1].known_from for one in usable)
    assert "trained" not in house.spend("2026-11-13", NOW + 13 * DAY)
    with house.database.worker(house.workspace) as db:
        model_nights.accept(db, "2026-11-12", "ann", "the list was checked")
        assert all(night.learned for night in model_nights.all_nights(db))
        with pytest.raises(Conflict):
            model_nights.accept(db, "2026-11-12", "ann", "again")
    assert "trained" in house.spend("2026-11-14", NOW + 14 * DAY)


def test_too_few_outcomes_wait_for_more(house: House) -> None:
    house.happened(world(30, NOW - 80 * DAY, 40, seed=14))
    assert house.spend("2026-11-01", NOW) == "nothing to do"
    house.happened(world(30, NOW - 40 * DAY, 5, seed=15))
    assert "60 outcomes admitted" in house.spend("2026-11-02", NOW + DAY)


def test_a_night_is_planned_once_and_travels_as_a_job(house: House, shared_database: Database) -> None:
    house.happened([Past(OLD, ROW)])
    assert night.name_of(datetime(2026, 11, 2, 1, tzinfo=UTC)) == "2026-11-01"
    night.plan(shared_database, NOW)
    assert night.plan(shared_database, NOW) == 0
    with house.database.worker(house.workspace) as db:
        (job,) = db.execute("select id, key from outbox where kind = 'night'").fetchall()
    assert job["key"] == "2026-11-01"
    assert relay.TASKS["night"] == "models.night"
    from app.compliance import rules
    from workers.resources import Resources, models_of

    judge = models_of(house.database, house.data_dir)
    resources = Resources(house.database, None, judge, rules.load(), lambda: NOW, house.data_dir)
    ref = Ref(job["id"], house.workspace, job["key"])
    assert jobs.run(night.watch, resources, ref) == "nothing to do"
    assert jobs.run(night.watch, resources, ref) == "not open"
    with house.database.worker(house.workspace) as db:
        assert not outbox.begin(db, ref.id)


def override(house: House, lead: UUID, tier: str | None, at: datetime) -> None:
    with psycopg.connect(house.url) as db:
        db.execute(
            "insert into tier_overrides (workspace_id, lead_id, kind, tier, who, at) "
            "values (%s, %s, 'priority', %s, 'ann', %s)",
            (house.workspace, lead, tier, at),
        )


def words(house: House, now: datetime = NOW) -> dict[UUID, str]:
    with house.database.worker(house.workspace) as db:
        return {one.call_id: one.tier.value for one in own_outcomes.opinions(db, now)}


def test_a_persons_tier_is_evidence_only_until_the_end_is_known(house: House) -> None:
    young, told, settled, back = (uuid4() for _ in range(4))
    recent = NOW - 5 * DAY
    calls = house.happened(
        [
            Past(recent, ROW, lead=young),
            Past(recent, ROW, won=False, lead=told),
            Past(OLD, ROW, lead=settled),
            Past(recent, ROW, lead=back),
        ]
    )
    for lead in (young, told, settled, back):
        override(house, lead, "hot", NOW - DAY)
    override(house, back, None, NOW - DAY / 2)  # taken back
    assert words(house) == {calls[0]: "hot"}
    override(house, young, "cold", NOW - DAY / 4)
    assert words(house) == {calls[0]: "cold"}  # the newest word
    assert words(house, NOW + SETTLED) == {}  # by then it is settled what became of it
    assert {one.call_id for one in house.known(NOW + SETTLED)} >= {calls[0]}


def test_nights_teach_the_challenger_with_peoples_words_and_its_card_tells_how_far_it_agrees(house: House) -> None:
    house.happened(world(900, NOW - 80 * DAY, 49, seed=21))
    soon = [Past(NOW - 3 * DAY, p.row, lead=uuid4()) for p in world(60, NOW - 3 * DAY, 1, seed=22)]
    house.happened(soon)
    for past in soon:
        assert past.lead is not None
        override(house, past.lead, "hot" if past.row["callback_asked"] == "yes" else "cold", NOW - DAY)
    assert "on trial" in house.spend("2026-11-01", NOW)
    (entry,) = house.registry().entries()
    assert entry.metrics["words"] == 60
    assert 0 <= entry.metrics["agreement_before"] <= 1
    assert f"this model {entry.metrics['agreement']:.0%}" in entry.card
    assert "## People's words" in entry.card


def churned(house: House, count: int, first: datetime, days: int, seed: int) -> None:
    """Customers of whom somebody said whether they left; short calls drive them away."""
    pasts = [
        Past(first + days * DAY * i / count, dict(lead.row), lead=uuid4())
        for i, lead in enumerate(made_up(count, seed))
    ]
    house.happened(pasts)
    rng = np.random.default_rng(seed)
    said = []
    for past in pasts:
        left = bool(rng.random() < 1 / (1 + np.exp(3 * (float(str(past.row["minutes"])) - 1.0))))
        said.append((house.workspace, past.lead, left, past.at, past.at + DAY))
    with psycopg.connect(house.url) as db:
        db.cursor().executemany(
            "insert into lead_results (workspace_id, lead_id, won, at, noted_by, noted_at, target) "
            "values (%s, %s, %s, %s, 'crm', %s, 'churned')",
            said,
        )


def test_a_night_works_on_every_target_and_the_first_model_must_beat_the_average(house: House) -> None:
    churned(house, 600, NOW - 80 * DAY, 49, seed=31)
    with house.database.worker(house.workspace) as db:
        known = own_outcomes.known(db, NOW, target="churned")
        assert len(known) == 600
        assert sum(one.converted for one in known) > 100
        assert not any(one.converted for one in own_outcomes.known(db, NOW))  # leaving is no sale
    said = night.spend(house.database, house.data_dir, house.workspace, "2026-11-01", NOW, "churned")
    assert said is not None
    assert "on trial" in said
    with house.database.worker(house.workspace) as db:
        (entry,) = models.entries(db, "churned")
        assert models.entries(db) == ()
    assert (entry.target, entry.stage) == ("churned", Stage.SHADOW)
    churned(house, 300, NOW - 31 * DAY, 10, seed=32)
    said = night.spend(house.database, house.data_dir, house.workspace, "2026-11-12", NOW + 12 * DAY, "churned")
    assert said is not None
    assert f"{entry.version} promoted" in said
    assert house.champion() is None  # of sales
    with house.database.worker(house.workspace) as db:
        champion = at(models.entries(db, "churned"), Stage.CHAMPION)
        assert db.execute("select count(*) as n from outbox where kind = 'rescore'").fetchone() == {"n": 0}
    assert champion is not None
    assert champion.version == entry.version


def test_each_target_is_planned_for_and_one_of_which_nothing_is_known_does_nothing(
    house: House, shared_database: Database
) -> None:
    churned(house, 3, OLD, 1, seed=33)
    night.plan(shared_database, NOW)
    with house.database.worker(house.workspace) as db:
        jobs_ = {row["key"]: row["id"] for row in db.execute("select id, key from outbox where kind = 'night'")}
    assert set(jobs_) == {"2026-11-01", "2026-11-01/churned"}
    from app.compliance import rules
    from workers.resources import Resources, models_of

    judge = models_of(house.database, house.data_dir)
    resources = Resources(house.database, None, judge, rules.load(), lambda: NOW, house.data_dir)
    key = "2026-11-01/churned"
    assert jobs.run(night.watch, resources, Ref(jobs_[key], house.workspace, key)) == "nothing to do"
    with house.database.worker(house.workspace) as db:
        assert [one.night for one in model_nights.all_nights(db, "churned")] == ["2026-11-01"]
        assert model_nights.all_nights(db) == ()
    said = night.spend(house.database, house.data_dir, house.workspace, "2026-11-01", NOW, "bought_again")
    assert said == "nothing is known for bought_again"
