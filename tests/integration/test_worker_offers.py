"""The package that suits is kept with a call's score, and learned from people who knew better."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.compliance import rules
from app.dialog.events import CallerSaid, Entry, FactLearned
from app.sales import registry
from app.sales.lead import LeadHistory, Score, Tier
from app.sales.offer import NOT_KNOWN
from app.store import call_events, calls, corrections, finish, leads, overrides, score_batches, scores
from app.store.calls import CallRow, NewCall
from app.store.connect import Database
from workers import jobs, rescore, scoring
from workers.chaos.seed import PLAYBOOK
from workers.jobs import Ref
from workers.model import Judged
from workers.resources import Resources

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = pytest.mark.integration

BOB = "+12025550112"


def warm(workspace_id: UUID, entries: tuple[registry.Entry, ...], history: LeadHistory) -> Judged:
    return Judged(Score(0.3, 0.2, 0.4, Tier.WARM, ("asked the price",), f"v{history.calls}"))


class Office:
    def __init__(self, database: Database, tenant: Tenant, agent: dict[str, Any]) -> None:
        self.agent = agent
        self.database, self.workspace, self.number = database, tenant.workspace, tenant.number
        self.resources = Resources(database, None, warm, rules.load(), lambda: datetime.now(UTC))

    def call(self, bill: str | None, *words: str, phone: str = BOB) -> CallRow:
        """A scored call in which this was told."""
        sid = f"CA{uuid4().hex}"
        facts: list[Any] = [CallerSaid(turn, text, 0.9, 0, 1, "x") for turn, text in enumerate(words, start=1)]
        facts += [FactLearned("monthly_bill", bill, "")] if bill else []
        with self.database.worker(self.workspace) as db:
            lead = leads.find_or_create(db, phone, "inbound_call")
            call = calls.ring(db, NewCall(sid, "inbound", phone, self.number, PLAYBOOK, 1, lead_id=lead.id))
            call_events.append(db, call.id, [Entry(seq, seq, fact) for seq, fact in enumerate(facts, start=1)])
            calls.end(db, sid, "finished", datetime.now(UTC))
            finish.finish_call(db, call, call_events.read(db, sid))
            row = db.execute("select id from outbox where kind = 'score' and key = %s", (sid,)).fetchone()
        assert row is not None
        jobs.run(scoring.score_call, self.resources, Ref(row["id"], self.workspace, sid))
        return call

    def say(self, call: CallRow, tier: str | None, *, named: bool = True) -> None:
        assert call.lead_id
        with self.database.user(self.agent) as db:
            overrides.choose(db, call.lead_id, "offer", tier, who="ann", call_id=call.id if named else None)

    def offer(self, call: CallRow) -> Any:
        with self.database.worker(self.workspace) as db:
            return scores.offer_of_call(db, call.call_sid)


@pytest.fixture
def office(shared_database: Database, shared_postgres_url: str, tenant: Tenant) -> Office:
    user = str(uuid4())
    with psycopg.connect(shared_postgres_url) as owner:
        owner.execute("insert into members values (%s, %s, 'agent')", (tenant.workspace, user))
    claims = {"sub": user, "role": "authenticated", "app_metadata": {"workspace_id": str(tenant.workspace)}}
    return Office(shared_database, tenant, claims)


def test_the_package_that_suits_is_kept_with_the_score(office: Office) -> None:
    offer = office.offer(office.call("400", "i own it"))
    assert offer.package == "elite"
    assert offer.candidates == ("elite",)
    assert offer.model_version.startswith("offers-simulated-")
    assert "monthly bill 400 suits Elite" in offer.reasons


def test_a_call_that_told_nothing_says_so(office: Office) -> None:
    offer = office.offer(office.call(None, "who is this"))
    assert offer.package is None
    assert offer.reasons == (NOT_KNOWN,)


@pytest.mark.parametrize("named", [True, False])
def test_what_people_correct_is_what_the_next_call_is_told_by(office: Office, named: bool) -> None:
    told = [
        office.call(str(150 + number), "we charge a car at home", phone=f"+120255501{30 + number}")
        for number in range(8)
    ]
    assert [office.offer(call).package for call in told] == ["pro"] * 8
    for call in told:
        office.say(call, "elite", named=named)
    offer = office.offer(office.call("210", "we charge a car", phone="+12025550150"))
    assert offer.package == "elite"
    assert offer.model_version.startswith("offers-corrected-")


def test_a_correction_teaches_with_the_words_of_its_call(office: Office) -> None:
    call = office.call("200", "we charge a car")
    office.call("90", "hello again")
    office.say(call, "elite")
    with office.database.worker(office.workspace) as db:
        (corrected,) = corrections.of_offers(db)
    assert (corrected.package, corrected.told.facts) == ("elite", {"monthly_bill": "200"})
    assert corrected.told.words == ("we charge a car",)


def test_a_word_taken_back_teaches_nothing_any_more(office: Office) -> None:
    call = office.call("200", "we charge a car")
    office.say(call, "elite")
    office.say(call, None)
    with office.database.worker(office.workspace) as db:
        assert corrections.of_offers(db) == ()


def test_scoring_again_writes_the_package_too_by_what_people_said_since(office: Office) -> None:
    call = office.call("400", "i own it")
    assert office.offer(call).package == "elite"
    with office.database.worker(office.workspace) as db:
        batch = score_batches.start(db)
        (chunk,) = score_batches.open_chunks(db, batch)

    def newer(workspace_id: UUID, entries: tuple[registry.Entry, ...], history: LeadHistory) -> Judged:
        return Judged(Score(0.3, 0.2, 0.4, Tier.WARM, ("asked the price",), "another model"))

    office.say(call, "pro")
    resources = replace(office.resources, judge=newer)
    said = jobs.run(rescore.rescore, resources, Ref(chunk[0], office.workspace, chunk[1]))
    assert said == "1 of 1 leads scored anew"
    with office.database.worker(office.workspace) as db:
        rows = db.execute("select model_version, offer, offer_detail from scores order by scored_at").fetchall()
    assert [row["model_version"] for row in rows] == ["v1", "another model"]
    assert rows[1]["offer"] is not None
    assert rows[1]["offer_detail"]["model_version"] != rows[0]["offer_detail"]["model_version"], (
        "by the corrections since"
    )
