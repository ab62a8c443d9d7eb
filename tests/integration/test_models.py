"""The registry of models on Postgres, and in memory: the same steps, the same refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from app.errors import Conflict, NotFound
from app.sales.registry import Entry, Lineage, MemoryRegistry, Registry, Stage, at, fallbacks
from app.store import alerts
from app.store.connect import Database
from app.store.models import StoredRegistry

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = pytest.mark.integration


def entry(version: str) -> Entry:
    return Entry(version, "converted", Stage.CANDIDATE, "0" * 64, 3, Lineage("own outcomes", "1" * 64, "1", 100, 20))


@pytest.fixture(params=["postgres", "memory"])
def registry(request: pytest.FixtureRequest) -> Registry:
    if request.param == "memory":
        found: Registry = MemoryRegistry()
    else:
        database: Database = request.getfixturevalue("shared_database")
        tenant: Tenant = request.getfixturevalue("tenant")
        found = StoredRegistry(lambda: database.worker(tenant.workspace))
    for version in ("lead-a", "lead-b", "lead-c"):
        assert found.add(entry(version))
    return found


def stages(registry: Registry) -> dict[str, str]:
    return {e.version: e.stage.value for e in registry.entries()}


def test_a_model_is_added_once_and_begins_as_a_candidate(registry: Registry) -> None:
    assert not registry.add(entry("lead-a"))
    assert set(stages(registry).values()) == {"candidate"}


def test_promotion_remembers_and_rolling_back_leads_there_step_by_step(registry: Registry) -> None:
    registry.promote("lead-a", "ann", "the first")
    registry.shadow("lead-b", "ann", "a trial")
    assert registry.promote("lead-b", "ann", "it won").replaced == "lead-a"
    assert stages(registry) == {"lead-a": "retired", "lead-b": "champion", "lead-c": "candidate"}
    assert [e.version for e in fallbacks(registry.entries())] == ["lead-b", "lead-a"]
    back = registry.rollback("ann", "it sold less")
    assert back is not None
    assert (back.version, back.stage) == ("lead-a", Stage.CHAMPION)
    assert registry.rollback("ann", "nor that") is None
    assert at(registry.entries(), Stage.CHAMPION) is None
    with pytest.raises(Conflict):
        registry.rollback("ann", "once more")


def test_there_is_one_shadow_and_the_champion_is_not_retired(registry: Registry) -> None:
    registry.shadow("lead-a", "ann", "first")
    registry.shadow("lead-b", "ann", "second")
    assert stages(registry) == {"lead-a": "retired", "lead-b": "shadow", "lead-c": "candidate"}
    registry.promote("lead-b", "ann", "it won")
    for step in (registry.retire, registry.promote, registry.shadow):
        with pytest.raises(Conflict):
            step("lead-b", "ann", "no")
    with pytest.raises(NotFound):
        registry.promote("lead-z", "ann", "no")


def test_the_database_holds_one_champion_whatever_the_code_does(shared_postgres_url: str, tenant: Tenant) -> None:
    database = Database.open(shared_postgres_url, max_size=1)
    registry = StoredRegistry(lambda: database.worker(tenant.workspace))
    for version in ("lead-a", "lead-b"):
        registry.add(entry(version))
    registry.promote("lead-a", "ann", "the first")
    with pytest.raises(Conflict), database.worker(tenant.workspace) as db:
        db.execute("update models set stage = 'champion'")
    with database.worker(tenant.workspace) as db:
        (row,) = db.execute("select actor, detail from audit_log where action = 'model.promote'").fetchall()
    assert (row["actor"], row["detail"]["why"]) == ("ann", "the first")
    database.close()
    with psycopg.connect(shared_postgres_url) as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute("update models set rows = 7")


def test_an_alert_that_stands_is_not_raised_again(shared_database: Database, tenant: Tenant) -> None:
    with shared_database.worker(tenant.workspace) as db:
        raised = [alerts.raise_(db, "drift", name, "it moved") for name in ("age", "age", "city")]
        assert raised == [True, False, True]
        assert [(a.subject, a.times) for a in alerts.open_ones(db)] == [("age", 2), ("city", 1)]
        assert alerts.close_others(db, "drift", still=("city",)) == 1
        assert alerts.raise_(db, "drift", "age", "it moved again")
