"""The model of the estimate during a call: learned from own logs, found by the process that holds the calls."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import pytest

from app.api.live_models import LiveModels
from app.dialog.events import AgentSaid, CallerSaid, Entry, FactLearned, HumanRequested, ObjectionMet
from app.sales import live
from app.sales.live import LiveModel
from app.sales.registry import Entry as ModelEntry
from app.sales.registry import Lineage, Stage, at
from app.store import call_events, model_files, models
from app.store.connect import Database
from app.store.models import StoredRegistry
from tests.integration.test_worker_night import DAY, NOW, House, Past
from workers.live import learn_live

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = pytest.mark.integration


@pytest.fixture
def house(shared_database: Database, tenant: Tenant, shared_postgres_url: str, tmp_path: Path) -> House:
    return House(shared_database, tenant, shared_postgres_url, tmp_path)


def talked(house: House, count: int, seed: int) -> None:
    """A business unlike the simulated one: who objects buys, and who wants a person does not."""
    rng = np.random.default_rng(seed)
    objects, human = rng.random(count) < 0.5, rng.random(count) < 0.4
    won = rng.random(count) < 1 / (1 + np.exp(1.0 - 3 * objects + 3 * human))
    pasts = [
        Past(NOW - 80 * DAY + 49 * DAY * n / count, {"calls": 1}, won=bool(won[n]), lead=uuid4()) for n in range(count)
    ]
    entries = []
    for n, call in enumerate(house.happened(pasts)):
        facts = [CallerSaid(1, "hello", 0.9, 0, 900, "test"), AgentSaid(1, 1, "What is your bill?", "ask:bill")]
        facts += [CallerSaid(2, "it is a hundred", 0.9, 2000, 2900, "test"), FactLearned("bill", "100", "a hundred")]
        facts += [ObjectionMet("expensive")] if objects[n] else []
        facts += [CallerSaid(3, "well", 0.9, 4000, 4900, "test")]
        facts += [HumanRequested()] if human[n] else []
        entries += [(call, Entry(seq, seq * 1000, fact)) for seq, fact in enumerate(facts, start=1)]
    with house.database.worker(house.workspace) as db:
        call_events.append_all(db, entries)


def champion(house: House) -> ModelEntry | None:
    with house.database.worker(house.workspace) as db:
        return at(models.entries(db, live.TARGET), Stage.CHAMPION)


def serving(house: House, loaded: LiveModels) -> LiveModel:
    with house.database.worker(house.workspace) as db:
        return loaded.serving(db)


def test_a_night_learns_from_own_calls_and_the_next_call_is_estimated_with_it(house: House) -> None:
    loaded = LiveModels()
    assert serving(house, loaded) == live.shipped()
    talked(house, 500, seed=1)
    said = learn_live(house.database, house.workspace, NOW)
    assert said is not None
    assert "estimates during calls from now on" in said
    entry = champion(house)
    assert entry is not None
    assert entry.lineage.rows == 500
    found = serving(house, loaded)
    assert found.version == entry.version
    assert found.version.startswith("live-own-")
    assert found.weights["a person"] < 0 < found.weights["objections open"]
    assert serving(house, loaded) is found, "loaded once"
    assert learn_live(house.database, house.workspace, NOW + DAY) is None, "nothing new"
    StoredRegistry(lambda: house.database.worker(house.workspace)).rollback("ann", "to see", live.TARGET)
    assert serving(house, loaded) == live.shipped(), "at the next call, without a restart"


def test_too_few_calls_change_nothing(house: House) -> None:
    talked(house, 60, seed=2)
    assert learn_live(house.database, house.workspace, NOW) is None
    assert champion(house) is None


def kept(house: House, body: bytes, version: str) -> None:
    with house.database.worker(house.workspace) as db:
        sha256 = model_files.keep(db, body)
        lineage = Lineage("a test", sha256, "test", 1, 0)
        models.add(db, ModelEntry(version, live.TARGET, Stage.CANDIDATE, sha256, 1, lineage))
    StoredRegistry(lambda: house.database.worker(house.workspace)).promote(version, "ann", "test", live.TARGET)


def test_F30_a_file_that_does_not_hold_is_passed_over_for_the_champion_before_it(house: House) -> None:
    good = LiveModel("live-own-good", 0.1, {"a person": 0.2})
    kept(house, live.to_file(good), good.version)
    kept(house, b"not a model", "live-own-bad")
    assert serving(house, LiveModels()) == good
    kept(house, live.to_file(LiveModel("another", 0.1, {})), "live-own-other")  # not what it says it is
    assert serving(house, LiveModels()) == good


def test_another_workspace_has_its_own(house: House, make_tenant, shared_postgres_url: str, tmp_path: Path) -> None:
    other = House(house.database, make_tenant(), shared_postgres_url, tmp_path)
    good = LiveModel("live-own-good", 0.1, {})
    kept(house, live.to_file(good), good.version)
    loaded = LiveModels()
    assert (serving(house, loaded), serving(other, loaded)) == (good, live.shipped())


def test_the_night_of_sales_does_it_and_no_night_is_planned_for_it(house: House) -> None:
    from workers import night

    kept(house, live.to_file(LiveModel("live-own-good", 0.1, {})), "live-own-good")
    talked(house, 20, seed=3)
    night.plan(house.database, NOW + timedelta(days=400))
    with house.database.worker(house.workspace) as db:
        keys = [row["key"] for row in db.execute("select key from outbox where kind = 'night'")]
    assert [key for key in keys if key.startswith("2027")] == [night.name_of(NOW + timedelta(days=400))]


def test_a_new_champion_serves_from_the_next_call_on(house: House) -> None:
    loaded = LiveModels()
    for version in ("live-own-first", "live-own-second"):
        model = LiveModel(version, 0.1, {})
        kept(house, live.to_file(model), version)
        assert serving(house, loaded) == model
