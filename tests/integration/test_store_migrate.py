"""Migrations: applied once, in order, recorded where the Supabase CLI does, on PostgreSQL 15 and 18."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from app.errors import Conflict, NotFound, StoreError
from app.store.migrate import MIGRATIONS, ensure_stub, migrate, read, statements

pytestmark = pytest.mark.integration
ALL = [migration.version for migration in read(MIGRATIONS)]


def recorded(url: str) -> list[tuple[str, str, int]]:
    with psycopg.connect(url) as db:
        query = "select version, name, cardinality(statements) from supabase_migrations.schema_migrations order by 1"
        return [(version, name, count) for version, name, count in db.execute(query)]


def test_an_empty_database_gets_everything_once(empty_postgres_url: str) -> None:
    assert ensure_stub(empty_postgres_url)
    assert migrate(empty_postgres_url) == ALL
    assert migrate(empty_postgres_url) == []
    assert not ensure_stub(empty_postgres_url)
    assert [version for version, _, _ in recorded(empty_postgres_url)] == ALL
    assert recorded(empty_postgres_url)[0][1] == "roles"
    assert all(count >= 1 for _, _, count in recorded(empty_postgres_url))


def test_two_processes_that_start_together_migrate_once(empty_postgres_url: str) -> None:
    ensure_stub(empty_postgres_url)
    with ThreadPoolExecutor(2) as pool:
        applied = list(pool.map(lambda _: migrate(empty_postgres_url), range(2)))
    assert sorted(applied[0] + applied[1]) == ALL


def test_postgres_15_takes_the_same_migrations(fresh_database_on_15: Callable[[], AbstractContextManager[str]]) -> None:
    with fresh_database_on_15() as url, psycopg.connect(url) as db:
        assert db.info.server_version // 10_000 == 15
        assert [version for version, _, _ in recorded(url)] == ALL


def test_a_migration_that_fails_leaves_no_trace_and_stops_the_run(empty_postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / "20260101000000_good.sql").write_text("create table good (a int);")
    (tmp_path / "20260102000000_bad.sql").write_text("create table bad (a int); select no_such_thing;")
    (tmp_path / "20260103000000_later.sql").write_text("create table later (a int);")
    with pytest.raises(StoreError, match="20260102000000_bad failed: column"):
        migrate(empty_postgres_url, tmp_path)
    with psycopg.connect(empty_postgres_url) as db:
        query = "select tablename from pg_tables where schemaname = 'public'"
        assert [name for (name,) in db.execute(query)] == ["good"]
    assert [name for _, name, _ in recorded(empty_postgres_url)] == ["good"]


def test_a_user_who_may_not_bypass_row_level_security_cannot_migrate(empty_postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / "20260101000000_good.sql").write_text("create table good (a int);")
    name = f"plain_{empty_postgres_url[-8:]}"
    database = empty_postgres_url.rpartition("/")[2]
    with psycopg.connect(empty_postgres_url, autocommit=True) as db:
        db.execute(f"create role {name} login password 'x'")
        db.execute(f'grant create on database "{database}" to {name}')
    plain = empty_postgres_url.replace(empty_postgres_url[: empty_postgres_url.index("@")], f"postgresql://{name}:x")
    with pytest.raises(StoreError, match="may not bypass row-level security"):
        migrate(plain, tmp_path)


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["2026_short.sql"], Conflict, "is not named"),
        (["20260101000000_a.sql", "20260101000000_b.sql"], Conflict, "two migrations have the version"),
    ],
)
def test_misnamed_files_are_refused(tmp_path: Path, names: list[str], error: type[StoreError], message: str) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(error, match=message):
        read(tmp_path)


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="run from a checkout"):
        read(tmp_path / "none")


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select 1; select 2;", ["select 1", "select 2"]),
        ("select ';'; -- a; b\nselect 2", ["select ';'", "-- a; b\nselect 2"]),
        ("do $$ begin; end $$; select 1", ["do $$ begin; end $$", "select 1"]),
        ("do $body$ $$;$$ $body$;", ["do $body$ $$;$$ $body$"]),
        ('select "a;b" /* c; */;', ['select "a;b" /* c; */']),
        ("select 1 - 2 / 3 $ ", ["select 1 - 2 / 3 $"]),
        (" ; ;", []),
    ],
)
def test_statements_are_cut_where_they_end(sql: str, found: list[str]) -> None:
    assert list(statements(sql)) == found


def test_the_seed_is_a_day_of_sales_in_one_workspace(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as db:
        for _ in range(2):  # `supabase db reset` runs it once; a person may run it again
            db.execute((MIGRATIONS.parent / "seed.sql").read_bytes())
        counts = {
            table: db.execute(f"select count(*) from {table}").fetchone()
            for table in ("workspaces", "leads", "calls", "outcomes", "turns", "scores", "messages", "suppressions")
        }
    assert counts["workspaces"] == (1,)
    assert all(count is not None and count[0] >= 1 for count in counts.values()), counts
    assert counts["calls"] == counts["outcomes"]


def test_an_unknown_version_in_the_database_is_left_alone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("insert into supabase_migrations.schema_migrations (version) values ('20990101000000')")
    assert migrate(postgres_url) == []


def test_the_demo_workspace_has_a_fixed_id(workspace: UUID) -> None:
    assert workspace == UUID("5707a6e2-0000-4000-8000-000000000001")
