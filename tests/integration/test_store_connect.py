"""The pool: roles per transaction, and a database that goes away and comes back."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from app.errors import Conflict, Forbidden, StoreDown, StoreError
from app.store.connect import Database

pytestmark = pytest.mark.integration


def who(db: psycopg.Connection[dict[str, str]]) -> tuple[str, str]:
    row = db.execute(
        "select current_user as role, current_setting('strowger.workspace_id', true) as workspace"
    ).fetchone()
    assert row is not None
    return row["role"], row["workspace"]


def test_T14_a_transaction_has_its_role_and_tenant_and_leaves_neither_behind(
    database: Database, workspace: UUID
) -> None:
    with database.worker(workspace) as db:
        assert who(db) == ("strowger_worker", str(workspace))
    with database.system() as db:
        assert who(db) == ("strowger_worker", "")
        assert db.execute("select * from phone_numbers").fetchall() == []
    with database.user({"sub": str(UUID(int=5))}) as db:
        assert who(db) == ("authenticated", "")


def test_an_exception_rolls_back(database: Database, workspace: UUID) -> None:
    def broken() -> None:
        with database.worker(workspace) as db:
            db.execute("insert into leads (workspace_id) values (strowger.here())")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    with database.worker(workspace) as db:
        assert db.execute("select * from leads").fetchall() == []


def test_F05_pooled_connections_that_died_are_not_noticed(
    database: Database, workspace: UUID, postgres_url: str
) -> None:
    """As after a restart of the database: all of them are dead."""
    with database.worker(workspace), database.worker(workspace), database.worker(workspace):
        pass
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        killed = owner.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchall()
    assert len(killed) >= 3
    with database.worker(workspace) as db:
        assert who(db) == ("strowger_worker", str(workspace))


def test_a_database_that_is_not_there_is_down_and_says_so() -> None:
    database = Database.open("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreDown, match="did not answer"), database.system():
        pass


def test_a_pool_that_is_used_up_says_so_and_recovers(postgres_url: str) -> None:
    database = Database.open(postgres_url, max_size=1, checkout_s=0.01)
    with database.system(), pytest.raises(StoreDown, match="busy"), database.system():
        pass
    with database.system() as db:
        assert who(db) == ("strowger_worker", "")
    database.close()
    with pytest.raises(psycopg.OperationalError, match="closed"):
        db.execute("select 1")


def test_connections_are_used_again(database: Database) -> None:
    backends = set()
    for _ in range(5):
        with database.system() as db:
            backends.add(db.info.backend_pid)
    assert len(backends) == 1


def test_a_connection_lost_midway_is_down(database: Database, workspace: UUID, postgres_url: str) -> None:
    def interrupted() -> None:
        with database.worker(workspace) as db:
            with psycopg.connect(postgres_url, autocommit=True) as owner:
                owner.execute("select pg_terminate_backend(%s, 5000)", (db.info.backend_pid,))
            db.execute("select 1")

    with pytest.raises(StoreDown):
        interrupted()


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("insert into leads (workspace_id, tier) values (strowger.here(), 'lukewarm')", Conflict),
        ("insert into leads (workspace_id) values (gen_random_uuid())", Forbidden),
        ("select no_such_thing", StoreError),
    ],
)
def test_the_drivers_errors_come_as_ours(
    database: Database, workspace: UUID, statement: str, error: type[StoreError]
) -> None:
    with pytest.raises(StoreError) as raised, database.worker(workspace) as db:
        db.execute(statement)
    assert type(raised.value) is error


def test_T20_an_error_does_not_quote_the_row(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        db.execute("insert into leads (workspace_id, phone) values (strowger.here(), '+12025550110')")
    with pytest.raises(Conflict) as raised, database.worker(workspace) as db:
        db.execute("insert into leads (workspace_id, phone) values (strowger.here(), '+12025550110')")
    assert "+12025550110" not in str(raised.value)
