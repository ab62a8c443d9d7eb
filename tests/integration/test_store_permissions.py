"""What people allowed and forbade: consents, suppressions, decisions and the attempts they permit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from app.compliance.gate import Channel, Decision, Finding, Purpose, Verdict
from app.errors import CallRefused, Conflict, StoreError
from app.store import attempts, audit, consents, decisions, leads, playbooks, suppressions
from app.store.connect import Database
from app.store.consents import NewConsent

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADA = "+12025550110"
YES = Decision(Verdict.ALLOW, ADA, Channel.VOICE, Purpose.MARKETING, NOW, None, (), ("C02.consent",), "1")
NO = replace(YES, verdict=Verdict.DENY, findings=(Finding("C02.consent", "There is no consent."),))
CONSENT = NewConsent(ADA, "marketing", "written", "You may call me.", "form 7", NOW)


def test_C02_a_consent_holds_until_it_is_revoked_and_is_kept_after(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        assert consents.current(db, ADA, "marketing") is None
        assert consents.give(db, CONSENT)
        held = consents.current(db, ADA, "marketing")
        assert held is not None
        assert (held.seller, held.wording, held.evidence) == (str(workspace), "You may call me.", "form 7")
        assert consents.current(db, ADA, "whatsapp") is None
        assert consents.revoke(db, ADA, "by mail", NOW + timedelta(days=1)) == 1
        assert consents.revoke(db, ADA, "by mail", NOW + timedelta(days=2)) == 0
        assert consents.current(db, ADA, "marketing") is None
        assert [kept.revoked_at for kept in consents.of(db, ADA)] == [NOW + timedelta(days=1)]


def test_C02_nothing_but_its_revocation_changes_a_consent(
    database: Database, workspace: UUID, postgres_url: str
) -> None:
    with database.worker(workspace) as db:
        consents.give(db, CONSENT)
    with psycopg.connect(postgres_url) as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute("update consents set wording = 'anything', revoked_at = now(), revoked_how = 'x'")


def test_C07_a_suppressed_number_stays_so(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        assert not suppressions.is_suppressed(db, ADA)
        assert suppressions.add(db, ADA, evidence="stop calling me")
        assert not suppressions.add(db, ADA, evidence="again")
        assert suppressions.is_suppressed(db, ADA)
        assert suppressions.is_suppressed(db, ADA, "whatsapp")
        assert not suppressions.is_suppressed(db, "+12025550111")
    with pytest.raises(StoreError), database.worker(workspace) as db:
        db.execute("delete from suppressions")


def test_C06_a_narrower_scope_closes_its_channel_only(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        suppressions.add(db, ADA, "whatsapp", evidence="STOP")
        assert suppressions.is_suppressed(db, ADA, "whatsapp")
        assert not suppressions.is_suppressed(db, ADA, "voice")
        assert suppressions.is_suppressed(db, ADA), "some channel is closed"


def test_C07_another_seller_keeps_their_own_list(database: Database, workspace: UUID, postgres_url: str) -> None:
    other = UUID(int=7)
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute("insert into workspaces (id, name) values (%s, 'Other')", (other,))
    for one in (workspace, other):
        with database.worker(one) as db:
            assert not suppressions.is_suppressed(db, ADA)
            assert suppressions.add(db, ADA, evidence="stop")
    with psycopg.connect(postgres_url) as owner:
        hashes = owner.execute(
            "select count(distinct phone_hash), min(length(phone_hash)) from suppressions"
        ).fetchone()
    assert hashes == (2, 64), "each workspace hashes with its own key"


def test_P5_fifty_dialers_reserve_one_attempt(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        lead = leads.find_or_create(db, ADA, "import")

    def dial(_: int) -> bool:
        try:
            with database.worker(workspace) as db:
                attempts.reserve(db, lead.id, ADA, YES, NOW)
        except CallRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(dial, range(50))) == 1
    with database.worker(workspace) as db:
        assert attempts.recent(db, lead.id, NOW) == (NOW,)


def test_P5_a_dialer_waits_for_another_that_is_about_to_dial(
    database: Database, workspace: UUID, postgres_url: str
) -> None:
    """It must see the attempt of the other, not stumble over it afterwards."""
    with database.worker(workspace) as db:
        lead = leads.find_or_create(db, ADA, "import")

    def dial() -> None:
        with database.worker(workspace) as db:
            attempts.reserve(db, lead.id, ADA, YES, NOW)

    blocked = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool, psycopg.connect(postgres_url, autocommit=True) as owner:
        with database.worker(workspace) as first:
            attempts.reserve(first, lead.id, ADA, YES, NOW)
            second = pool.submit(dial)
            while not owner.execute(blocked).fetchone():
                assert not second.done()
        with pytest.raises(CallRefused, match="less than 4 hours"):
            second.result()


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ((timedelta(hours=3, minutes=59),), "less than 4 hours"),
        ((timedelta(hours=23), timedelta(hours=16), timedelta(hours=8)), "3 times in 24 hours"),
    ],
)
def test_caps_hold_in_the_transaction_of_the_dial(
    database: Database, workspace: UUID, before: tuple[timedelta, ...], why: str
) -> None:
    with database.worker(workspace) as db:
        lead = leads.find_or_create(db, ADA, "import")
        for ago in before:
            attempts.reserve(db, lead.id, ADA, YES, NOW - ago)
    with pytest.raises(CallRefused, match=why), database.worker(workspace) as db:
        attempts.reserve(db, lead.id, ADA, YES, NOW)


def test_attempts_apart_enough_are_reserved(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        lead = leads.find_or_create(db, ADA, "import")
        for hours in (25, 12, 4, 0):
            attempts.reserve(db, lead.id, ADA, YES, NOW - timedelta(hours=hours))


def test_P6_no_attempt_without_an_allowing_decision_about_this_number(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        lead = leads.find_or_create(db, ADA, "import")
    for decision in (NO, replace(YES, phone="+12025550111")):
        with pytest.raises(CallRefused), database.worker(workspace) as db:
            attempts.reserve(db, lead.id, ADA, decision, NOW)


def test_P7_an_opt_out_between_decision_and_dial_wins(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        lead = leads.find_or_create(db, ADA, "import")
        suppressions.add(db, ADA, evidence="stop")
    with pytest.raises(CallRefused, match="asked not to be"), database.worker(workspace) as db:
        attempts.reserve(db, lead.id, ADA, YES, NOW)


def test_a_refusal_is_kept_with_its_reasons(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        decisions.store(db, NO)
        kept = db.execute("select verdict, rules, findings from decisions").fetchone()
    assert kept == {
        "verdict": "deny",
        "rules": ["C02.consent"],
        "findings": [{"rule": "C02.consent", "reason": "There is no consent."}],
    }


def test_C13_a_playbook_version_never_changes(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        first = playbooks.published(db, "northlight_solar")
        assert playbooks.publish(db, "northlight_solar", first[1], "ada") == first[0], "nothing changed"
        assert playbooks.publish(db, "northlight_solar", "goal: sell more", "ada") == first[0] + 1
        assert playbooks.published(db, "northlight_solar") == (first[0] + 1, "goal: sell more")
        assert playbooks.text_of(db, "northlight_solar", first[0]) == first[1]


def test_members_write_through_the_same_functions(database: Database, workspace: UUID, postgres_url: str) -> None:
    user = UUID(int=5)
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute("insert into members values (%s, %s, 'manager')", (workspace, user))
    claims = {"sub": str(user), "role": "authenticated", "app_metadata": {"workspace_id": str(workspace)}}
    with database.user(claims) as db:
        assert suppressions.add(db, ADA, reason="by mail", evidence="mail of today")
        assert suppressions.is_suppressed(db, ADA)
        playbooks.publish(db, "second", "goal: sell", str(user))
        audit.write(db, str(user), "playbook.publish", "second")
    with pytest.raises(StoreError), database.user(claims) as db:
        audit.write(db, "somebody else", "playbook.publish", "second")


def test_a_reused_decision_is_a_conflict(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        lead = leads.find_or_create(db, ADA, "import")
        attempts.reserve(db, lead.id, ADA, YES, NOW)
    with pytest.raises(Conflict), database.worker(workspace) as db:
        db.execute(
            "insert into attempts (workspace_id, lead_id, decision_id, number, reserved_at) "
            "select workspace_id, lead_id, decision_id, 2, reserved_at from attempts"
        )
