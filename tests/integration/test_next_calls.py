"""`strowger next` and `strowger leads` on a real Postgres."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from app import lead_list, next_calls
from app.compliance import rules
from app.local import NUMBER, furnish
from app.sales.lead import Score, Tier, Uplift
from app.sales.ranking import Capacity, Terms
from app.settings import load
from app.store import calls, consents, leads, scores, suppressions, workspaces
from app.store.calls import NewCall
from app.store.connect import Connection, Database
from app.store.consents import NewConsent
from app.store.workspaces import DEMO_WORKSPACE

pytestmark = pytest.mark.integration

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)  # noon in New York, a Wednesday
ANN, BOB, CAY, DAN = (f"+1202555011{n}" for n in range(1, 5))
WISH = next_calls.Wish(Terms(), Capacity(60, 10, 0.0), 1)


@pytest.fixture(autouse=True)
def business(postgres_url: str, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("REDIS_URL", valkey_url)
    for name in ("TWILIO_NUMBER", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    furnish(load(), postgres_url, NUMBER)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database.open(postgres_url, max_size=2)
    yield opened
    opened.close()


@contextmanager
def at_work(database: Database) -> Iterator[Connection]:
    with database.worker(DEMO_WORKSPACE) as db:
        yield db


def lead(
    db: Connection,
    phone: str,
    probability: float | None = None,
    *,
    agreed: bool = True,
    uplift: Uplift | None = None,
) -> None:
    known = leads.find_or_create(db, phone, "web_form")
    if agreed:
        given = NewConsent(phone, "marketing", "written", "I agree.", "form 17", NOON - timedelta(days=9))
        consents.give(db, given)
    if probability is not None:
        call = calls.ring(
            db, NewCall(f"CA{uuid4().hex}", "inbound", phone, NUMBER, "northlight_solar", 1, lead_id=known.id)
        )
        score = Score(
            probability, probability / 2, min(1.0, probability * 1.5), Tier.WARM, ("asked",), "test-1", uplift
        )
        scores.record(db, known.id, call.id, score)


def found(db: Connection, now: datetime = NOON, wish: next_calls.Wish = WISH) -> next_calls.Next:
    number = workspaces.number_for(db, "northlight_solar")
    assert number is not None
    return next_calls.whom_next(db, number, now, wish, rules.load())


def phones(result: next_calls.Next) -> list[str]:
    return [result.leads[place.prospect.lead_id].phone for place in result.ranking.places]


def test_better_scores_come_first_and_refusals_keep_their_reason(database: Database) -> None:
    with at_work(database) as db:
        lead(db, ANN, 0.3)
        lead(db, BOB, 0.8)
        lead(db, CAY, 0.9, agreed=False)
        lead(db, DAN, 0.9)
        suppressions.add(db, DAN, evidence="stop calling me")
        result = found(db)
    assert phones(result) == [BOB, ANN]
    why = {result.leads[one.lead_id].phone: str(one.decision) for one in result.ranking.refused}
    assert "no recorded written consent" in why[CAY]
    assert "asked not to be contacted" in why[DAN]
    text = "\n".join(next_calls.lines(result, WISH))
    assert "80% then buy (40% to 100%), by test-1, trained on your own outcomes: asked" in text
    assert "Not to be called now (2)" in text


def test_where_the_model_says_what_a_call_adds_the_list_goes_by_that(database: Database) -> None:
    with at_work(database) as db:
        lead(db, ANN, 0.9, uplift=Uplift(0.01, -0.01, 0.03))  # buys anyway
        lead(db, BOB, 0.3, uplift=Uplift(0.10, 0.06, 0.14))
        lead(db, CAY, 0.2, uplift=Uplift(-0.05, -0.10, -0.01))  # a call drives away
        result = found(db)
        by = {result.leads[p.prospect.lead_id].phone: p.prospect for p in result.ranking.places}
    assert phones(result) == [BOB]
    assert by[BOB].sale > 0.1  # of the calls that are answered
    waiting = {result.leads[place.prospect.lead_id].phone: place.prospect.sale for place in result.ranking.waiting}
    assert waiting[CAY] == 0
    assert "then buy who would not have" in "\n".join(next_calls.lines(result, WISH))


def test_C03_at_night_everybody_waits_for_the_morning(database: Database) -> None:
    with at_work(database) as db:
        lead(db, ANN, 0.8)
        result = found(db, NOON + timedelta(hours=14))
    assert phones(result) == []
    (refused,) = result.ranking.refused
    assert refused.decision.until is not None
    assert "From 2026-11-19" in "\n".join(next_calls.lines(result, WISH))


def test_who_may_be_called_later_comes_in_the_order_of_that_time(database: Database) -> None:
    with at_work(database) as db:
        lead(db, ANN, 0.3)
        lead(db, BOB, 0.8)
        lead(db, CAY, 0.9, agreed=False)  # no waiting helps
        night = NOON + timedelta(hours=14)
        result = found(db, night)
    later = next_calls.deferred(result)
    assert [result.leads[one.lead_id].phone for one in later] == [BOB, ANN], "at the same hour the likelier one first"
    assert all(one.decision.until is not None and one.decision.until > night for one in later)
    assert str(next_calls.zone_of(result.leads[later[0].lead_id])) == "America/New_York"


def test_hours_at_which_people_answered_are_learned_from_the_attempts(database: Database, postgres_url: str) -> None:
    with at_work(database) as db:
        lead(db, ANN, 0.5)
        lead(db, BOB)
        busy = leads.by_phone(db, BOB)
        assert busy is not None
    with psycopg.connect(postgres_url) as owner:  # eighty attempts, answered at six in the evening only
        owner.execute(
            """
            with d as (
                insert into decisions (workspace_id, phone, channel, purpose, verdict, rules, findings, rules_version)
                select %(w)s, %(phone)s, 'voice', 'marketing', 'allow', '{}', '[]', 'test' from generate_series(1, 80)
                returning id
            ), a as (
                insert into attempts (workspace_id, lead_id, decision_id, number, reserved_at)
                select %(w)s, %(lead)s, id, n, %(noon)s::timestamptz - interval '16 days'
                       + (n / 2 %% 14) * interval '1 day'
                       + case when n %% 2 = 0 then interval '6 hours' else interval '0' end
                from (select id, row_number() over () as n from d) numbered
                returning id, number, reserved_at
            )
            insert into calls (workspace_id, call_sid, direction, caller, called, lead_id, attempt_id, playbook,
                               playbook_version, status, answered_at, ended_at)
            select %(w)s, 'CAtest' || number, 'outbound', %(ours)s, %(phone)s, %(lead)s, id, 'northlight_solar', 1,
                   'completed', case when number %% 2 = 0 then reserved_at end, reserved_at
            from a
            """,
            {"w": DEMO_WORKSPACE, "phone": BOB, "lead": busy.id, "noon": NOON, "ours": NUMBER},
        )
    with at_work(database) as db:
        result = found(db, wish=next_calls.Wish(Terms(value=10_000.0), Capacity(60, 10, 0.0), 1))
    ann = next(one for one in result.ranking.places if result.leads[one.prospect.lead_id].phone == ANN)
    best = result.best[ann.prospect.lead_id]
    assert best.local.hour == 18
    assert best.answer > ann.prospect.answer.mean + 0.1
    assert any("better on" in reason for reason in next_calls.reasons(ann, result))


def test_the_command_prints_json_and_words(capsys: pytest.CaptureFixture[str], database: Database) -> None:
    with at_work(database) as db:
        lead(db, ANN, 0.5)
        lead(db, BOB, 0.5, agreed=False)
    assert next_calls.report(5, 60, 0.1, 1, Terms(), as_json=True) == 0
    body = json.loads(capsys.readouterr().out)
    assert {one["phone"] for one in (*body["next"], *body["refused"])} == {ANN, BOB}
    assert next_calls.report(5, 60, 0.1, 1, Terms(), as_json=False) == 0
    assert "Call next" in capsys.readouterr().out


def test_an_import_reports_bad_rows_merges_doubles_and_implies_no_consent(
    capsys: pytest.CaptureFixture[str], database: Database, tmp_path: Path
) -> None:
    table = tmp_path / "list.csv"
    table.write_text(
        "Name,Phone Number,State,Consent\n"
        "Ann,(202) 555-0111,,yes\n"
        "nobody,12,,yes\n"
        '=cmd|"x"!A1,+12025550112,NY,yes\n'
        ",202-555-0111,NY,yes\n"
        "short\n",
        encoding="utf-8",
    )
    assert lead_list.take_in(table, country="US", source="fair") == 1
    said = capsys.readouterr().out
    assert "2 new leads" in said
    assert "1 rows named a number for the second time" in said
    assert "Line 3 left out: not a telephone number" in said
    assert "Line 6 left out: 1 values" in said
    assert "Ignored: Consent" in said
    with at_work(database) as db:
        ann = leads.by_phone(db, ANN)
        assert ann is not None
        assert (ann.name, ann.source, dict(ann.facts)) == ("Ann", "fair", {"state": "NY"})
        assert consents.of(db, ANN) == ()
        assert phones(found(db)) == []
    assert lead_list.take_in(table, country="US", source="other") == 1
    assert "0 new leads, 0 known ones completed, 2 unchanged" in capsys.readouterr().out
    assert lead_list.give_out(tmp_path / "out.csv") == 0
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["phone"]: row for row in csv.DictReader(file)}
    assert rows[BOB]["name"].startswith("'=cmd")
    assert set(rows) == {ANN, BOB}
