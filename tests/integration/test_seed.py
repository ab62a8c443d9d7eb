"""Made-up calls come and go, and take nothing with them that is real."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.local import furnish
from app.sales.notices import STALE
from app.seed.remove import Removed, remove
from app.seed.write import LEADS, SEED, last_day, people, seed, still_waiting
from app.settings import Settings, load
from app.store import call_events, calls, consents
from app.store.connect import Database
from app.store.consents import NewConsent
from app.store.finish import finish_call
from workers.chaos.seed import finished_call

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def seeded(
    fresh_database: Callable[[], AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, UUID, Settings]]:
    settings = load(_env_file=None, data_dir=tmp_path_factory.mktemp("seed"))
    with fresh_database() as url:
        workspace = furnish(settings, url)
        yield url, workspace, settings


def rows(url: str) -> dict[str, int]:
    """Of every table there is."""
    with psycopg.connect(url) as db:
        tables = [name for (name,) in db.execute("select tablename from pg_tables where schemaname = 'public'")]
        return {table: _count(db, table) for table in tables}


def _count(db: psycopg.Connection[Any], table: str) -> int:
    found = db.execute(f"select count(*) from {table}").fetchone()
    return int(found[0]) if found else 0


def test_all_of_it_goes_again_and_what_is_real_stays(seeded: tuple[str, UUID, Settings]) -> None:
    url, workspace, settings = seeded
    friend = people(LEADS, SEED)[3].phone  # a made-up person who is then called for real
    before = rows(url)
    written = seed(settings, url, workspace)
    assert written > 50
    recordings = settings.data_dir / "recordings"
    assert list(recordings.glob("seed/*.wav"))
    sid = f"CA{uuid.uuid4().hex}"
    database = Database.open(url, max_size=1)
    with database.worker(workspace) as db:
        call = finished_call(db, sid, friend)
        finish_call(db, call, call_events.read(db, sid))
        consents.give(db, NewConsent(friend, "marketing", "written", "I agree.", "form 1", call.created_at))
    gone = remove(url, workspace, recordings)
    assert gone == Removed(written, LEADS - 1)
    after = rows(url)
    assert {table: n for table, n in after.items() if n > before[table]} == {
        "calls": 1, "call_events": 17, "consents": 2, "leads": 1, "outbox": 2, "outcomes": 1, "turns": 5,
    }  # fmt: skip
    assert list(recordings.glob("seed/*.wav")) == []
    with database.worker(workspace) as db:
        assert [one.call_sid for one in calls.recent(db, 10)] == [sid]
        assert {one.wording for one in consents.of(db, friend) if one.purpose == "marketing"} == {"I agree."}
    database.close()
    assert remove(url, workspace, recordings) == Removed(0, 0)


@pytest.mark.parametrize("hour", range(24))
def test_at_any_hour_a_call_back_of_the_last_day_is_due_and_not_stale(hour: int) -> None:
    for minute in (0, 29, 59):
        now = datetime(2026, 11, 21, hour, minute, tzinfo=UTC)
        opened, closed = last_day(now)
        for share in (0.0, 0.3, 1.0):
            asked = still_waiting(opened + share * (closed - opened), now)
            assert timedelta(0) <= now - asked < STALE * 0.8
    earlier = opened - timedelta(days=3)
    assert still_waiting(earlier, now) == earlier


def test_a_database_of_ones_own_is_not_touched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from app.errors import BadInput
    from app.seed.command import run

    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@127.0.0.1:1/theirs")
    monkeypatch.setenv("STROWGER_DATA_DIR", str(tmp_path))
    for removing in (True, False):
        with pytest.raises(BadInput, match="DATABASE_URL"):
            run(remove=removing)
