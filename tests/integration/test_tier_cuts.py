"""Hot, warm and cold in a workspace: cut from scores for what its people can call, on a real Postgres."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg
import pytest

from app.compliance import rules
from app.sales import registry
from app.sales.lead import LeadHistory, Score, Tier
from app.sales.priority import Yardstick
from app.store import call_events, call_list, campaigns, finish, lead_desk, leads, suppressions, tier_cuts
from app.store.connect import Database
from workers import jobs, scoring
from workers.chaos.seed import finished_call
from workers.jobs import Ref
from workers.model import Judged
from workers.resources import Resources

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = pytest.mark.integration
BUYERS = tuple(n / 100 for n in range(1, 101))


class Team:
    """One tenant whose leads get the scores that a test gives them."""

    def __init__(self, database: Database, tenant: Tenant, url: str) -> None:
        self.database, self.workspace, self.number, self.url = database, tenant.workspace, tenant.number, url
        self.given, self.version = 0.5, "v1"
        self.now = datetime.now(UTC)
        self.made = 0

    def set(self, capacity: int, value: float, cost: float = 5.0) -> None:
        with psycopg.connect(self.url) as db:
            db.execute(
                "update workspaces set capacity_per_day = %s, value_usd = %s, call_cost_usd = %s where id = %s",
                (capacity, value, cost, self.workspace),
            )

    def judge(self, workspace_id: UUID, entries: tuple[registry.Entry, ...], history: LeadHistory) -> Judged:
        score = Score(self.given, self.given, self.given, Tier.WARM, ("because",), self.version)
        return Judged(score, yardstick=Yardstick(self.version, 0.05, BUYERS, "held-out rows"))

    def scored(self, probability: float) -> str:
        """A new lead's finished call; its phone number."""
        self.made += 1
        self.given = probability
        phone, sid = f"+1303555{1000 + self.made}", f"CA{uuid4().hex}"
        with self.database.worker(self.workspace) as db:
            call = finished_call(db, sid, phone, self.number)
            finish.finish_call(db, call, call_events.read(db, sid))
            row = db.execute("select id from outbox where kind = 'score' and key = %s", (sid,)).fetchone()
        assert row is not None
        resources = Resources(self.database, None, self.judge, rules.load(), lambda: self.now)
        jobs.run(scoring.score_call, resources, Ref(row["id"], self.workspace, sid))
        return phone

    def board(self) -> Counter[str | None]:
        with self.database.worker(self.workspace) as db:
            rows = lead_desk.page(db, lead_desk.Filter(), None, 200)
            for tier in Tier:
                filtered = lead_desk.page(db, lead_desk.Filter(tier=tier), None, 200)
                assert len(filtered) == sum(row.tier == tier for row in rows)
                assert len(campaigns.fitting(db, tier, None)) == len(filtered)
            stored = Counter(
                one["tier"] for one in db.execute("select tier from leads where workspace_id = strowger.here()")
            )
            calls = Counter(one.tier for one in call_list.page(db, call_list.Filter(), None, 200))
        found = Counter(row.tier for row in rows)
        assert found == stored == calls
        return found

    def cuts(self) -> tier_cuts.TierCuts:
        with self.database.worker(self.workspace) as db:
            found = tier_cuts.get(db)
        assert found is not None
        return found


@pytest.fixture
def team(shared_database: Database, tenant: Tenant, shared_postgres_url: str) -> Team:
    return Team(shared_database, tenant, shared_postgres_url)


def test_hot_is_what_fits_in_a_day_however_many_leads_come(team: Team) -> None:
    team.set(3, 1000)
    for n in range(1, 25):
        team.scored(round(0.04 * n, 6))
    assert team.board() == {"hot": 3, "warm": 12, "cold": 9}
    cuts = team.cuts()
    assert (cuts.leads, cuts.capacity_per_day) == (24, 3)
    assert cuts.hot == pytest.approx(0.84, abs=0.01)


def test_more_people_at_the_phones_and_a_dearer_product_move_the_tiers_at_once(team: Team) -> None:
    team.set(2, 100)  # a call pays from 0.05
    for score in (0.02, 0.03, 0.2, 0.3, 0.4, 0.5):
        team.scored(score)
    assert team.board() == {"hot": 2, "warm": 2, "cold": 2}
    team.set(4, 200)  # from 0.025
    with team.database.worker(team.workspace) as db:
        tier_cuts.recut(db)
    assert team.board() == {"hot": 4, "warm": 1, "cold": 1}


def test_what_the_cut_misses_is_stated_with_its_bound(team: Team) -> None:
    team.set(2, 100)
    team.scored(0.5)
    found = team.cuts()
    assert found.warm == 0.025  # all that pays is hot: warm is what nearly does
    assert (found.missed.buyers, found.missed.missed) == (100, 2)
    assert found.missed.at_most == pytest.approx(0.0616, abs=1e-4)
    assert found.not_hot.missed == 4
    assert found.buyers_of == "held-out rows"


def test_whoever_may_not_be_called_or_has_bought_takes_nobodys_place(team: Team) -> None:
    team.set(1, 1000)
    best, second = team.scored(0.9), team.scored(0.8)
    team.scored(0.7)
    team.scored(0.1)
    assert team.board()["hot"] == 1
    with team.database.worker(team.workspace) as db:
        suppressions.add(db, best, "all", "asked", "in a call")
        lead = leads.by_phone(db, second)
        assert lead is not None
        db.execute(
            "insert into lead_results (workspace_id, lead_id, won, at, noted_by) "
            "values (strowger.here(), %s, true, now(), 'crm')",
            (lead.id,),
        )
        tier_cuts.recut(db)
    assert team.cuts().hot < 0.7
    assert team.cuts().leads == 2


def test_a_persons_word_stands_whatever_is_cut(team: Team) -> None:
    phone = team.scored(0.01)
    with team.database.worker(team.workspace) as db:
        lead = leads.by_phone(db, phone)
    assert lead is not None
    with psycopg.connect(team.url) as db:
        db.execute(
            "insert into tier_overrides (workspace_id, lead_id, kind, tier, who) "
            "values (%s, %s, 'priority', 'hot', 'ann')",
            (team.workspace, lead.id),
        )
    team.scored(0.9)
    with team.database.worker(team.workspace) as db:
        tier_cuts.recut(db)
        found = leads.get(db, lead.id)
    assert found is not None
    assert found.tier is Tier.HOT


def test_cuts_belong_to_the_model_that_serves_and_are_looked_at_again_now_and_then(team: Team) -> None:
    team.scored(0.5)
    first = team.cuts()
    team.scored(0.04)
    assert team.cuts() == first  # a cold lead changes nothing
    team.now += timedelta(hours=1)
    team.scored(0.03)
    assert team.cuts().leads == 3
    team.version = "v2"
    team.scored(0.02)
    assert team.cuts().model_version == "v2"


def test_before_the_first_score_there_are_no_cuts(team: Team) -> None:
    with team.database.worker(team.workspace) as db:
        assert tier_cuts.recut(db) is None
        assert tier_cuts.get(db) is None
