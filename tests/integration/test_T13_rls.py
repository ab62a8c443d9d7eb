"""Who sees and changes what: every table, every role, with real rows of another workspace beside their own (T13, T14).

`observe` tries everything and `expected` says what should have come of it. That the comparison can fail is shown by
taking every policy away, or opening it, one at a time.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

pytestmark = pytest.mark.integration

ONE_OF_EACH = Path(__file__).parents[1] / "sql" / "one_of_each.sql"
MINE, THEIRS = "a", "b"
ROLES = ("viewer", "agent", "manager", "admin", "owner")
ACTIONS = (
    "see mine", "see theirs", "insert mine", "insert theirs", "update mine", "update theirs", "move mine away",
    "delete mine", "delete theirs",
)  # fmt: skip
NEVER = 9


@dataclass(frozen=True)
class Rights:
    """The lowest rank (1 viewer .. 5 owner) that may read, insert, update, delete; and the letters the worker has."""

    read: int
    insert: int
    update: int
    delete: int
    worker: str


RIGHTS = {
    "workspaces": Rights(1, NEVER, 4, NEVER, "r"),
    "members": Rights(1, 4, 4, 4, "r"),
    "playbooks": Rights(1, 3, NEVER, NEVER, "ri"),
    "playbook_versions": Rights(1, 3, NEVER, NEVER, "ri"),
    "phone_numbers": Rights(1, 4, 4, 4, "r"),
    "leads": Rights(1, 2, 2, NEVER, "riu"),
    "decisions": Rights(1, NEVER, NEVER, NEVER, "ri"),
    "attempts": Rights(1, NEVER, NEVER, NEVER, "ri"),
    "calls": Rights(1, NEVER, NEVER, NEVER, "riu"),
    "media_tokens": Rights(NEVER, NEVER, NEVER, NEVER, "ri"),
    "carrier_events": Rights(NEVER, NEVER, NEVER, NEVER, "ri"),
    "call_events": Rights(1, NEVER, NEVER, NEVER, "ri"),
    "turns": Rights(1, NEVER, NEVER, NEVER, "rid"),
    "consents": Rights(1, 3, 2, NEVER, "riu"),
    "suppressions": Rights(1, 2, NEVER, NEVER, "ri"),
    "outcomes": Rights(1, NEVER, NEVER, NEVER, "ri"),
    "scores": Rights(1, NEVER, NEVER, NEVER, "ri"),
    "turn_readings": Rights(1, NEVER, NEVER, NEVER, "ri"),
    "messages": Rights(1, NEVER, NEVER, NEVER, "riu"),
    "outbox": Rights(3, NEVER, NEVER, NEVER, "riu"),
    "voices": Rights(3, NEVER, NEVER, NEVER, "riu"),
    "models": Rights(1, NEVER, NEVER, NEVER, "riu"),
    "tier_cuts": Rights(1, NEVER, NEVER, NEVER, "riu"),
    "model_files": Rights(NEVER, NEVER, NEVER, NEVER, "ri"),
    "model_nights": Rights(1, NEVER, NEVER, NEVER, "riu"),
    "alerts": Rights(1, NEVER, NEVER, NEVER, "riu"),
    "lead_results": Rights(1, NEVER, NEVER, NEVER, "ri"),
    "notes": Rights(1, 2, NEVER, NEVER, "r"),
    "playbook_drafts": Rights(1, 3, 3, 3, ""),
    "tier_overrides": Rights(1, 2, NEVER, NEVER, "r"),
    "campaigns": Rights(1, 3, 3, NEVER, "ru"),
    "campaign_leads": Rights(1, 3, NEVER, NEVER, "ru"),
    "audit_log": Rights(4, 1, NEVER, NEVER, "ri"),
    "api_keys": Rights(4, 4, 4, NEVER, ""),
    "invitations": Rights(4, 4, 4, NEVER, ""),
    "tickets": Rights(NEVER, NEVER, NEVER, NEVER, "ri"),
    "sessions": Rights(NEVER, NEVER, NEVER, NEVER, "riu"),
    "webhooks": Rights(4, 4, 4, NEVER, "ru"),
    "webhook_deliveries": Rights(4, NEVER, NEVER, NEVER, "riu"),
    "legal_holds": Rights(4, 4, 4, NEVER, "r"),
    "erasures": Rights(4, 4, NEVER, NEVER, "ru"),
    "kept_evidence": Rights(NEVER, NEVER, NEVER, NEVER, "r"),
    "idempotency_keys": Rights(NEVER, NEVER, NEVER, NEVER, "riud"),
    "notification_rules": Rights(1, 3, 3, NEVER, "r"),
    "notification_addresses": Rights(1, 3, 3, NEVER, "r"),
    "push_subscriptions": Rights(NEVER, NEVER, NEVER, NEVER, "riud"),
    "notifications": Rights(1, NEVER, NEVER, NEVER, "ri"),
    "notification_deliveries": Rights(1, NEVER, NEVER, NEVER, "riu"),
    "report_schedules": Rights(3, 3, 3, NEVER, "ru"),
}

# What makes a copy of a row a new row that the table accepts.
SPARE = "00000000-0000-4000-8000-00000000000"
FRESH: dict[str, dict[str, Any]] = {
    "workspaces": {"id": f"{SPARE}1"},
    "members": {"user_id": f"{SPARE}1", "role": "viewer"},
    "playbooks": {"id": f"{SPARE}1", "name": "other"},
    "playbook_versions": {"version": 2},
    "phone_numbers": {"id": f"{SPARE}1", "e164": "+12025550199"},
    "leads": {"id": f"{SPARE}1", "phone": "+12025550199"},
    "decisions": {"id": f"{SPARE}1"},
    "attempts": {"id": f"{SPARE}1", "number": 2, "decision_id": "spare decision"},
    "calls": {"id": f"{SPARE}1", "call_sid": "CAnew"},
    "media_tokens": {"token_hash": "0" * 64},
    "carrier_events": {"key": "status:2"},
    "call_events": {"seq": 2},
    "turns": {"position": 2},
    "consents": {"id": f"{SPARE}1"},
    "suppressions": {"id": f"{SPARE}1", "phone": "+12025550199"},
    "outcomes": {"call_id": "spare call"},
    "scores": {"id": f"{SPARE}1", "model_version": "v2"},
    "turn_readings": {"seq": 2},
    "messages": {"id": f"{SPARE}1", "template": "other", "provider_sid": "SMnew"},
    "outbox": {"id": f"{SPARE}1", "key": "CA2"},
    "voices": {"id": f"{SPARE}1", "name": "other"},
    "models": {"id": f"{SPARE}1", "version": "lead-2", "stage": "candidate"},
    "tier_cuts": {"target": "churned"},
    "model_files": {"sha256": hashlib.sha256(b"other").hexdigest(), "body": "\\x" + b"other".hex()},
    "model_nights": {"night": "2026-11-21"},
    "alerts": {"id": f"{SPARE}1", "subject": "other"},
    "lead_results": {"id": f"{SPARE}1"},
    "notes": {"id": f"{SPARE}1"},
    "playbook_drafts": {"playbook_id": "spare playbook"},
    "tier_overrides": {"id": f"{SPARE}1"},
    "campaigns": {"id": f"{SPARE}1"},
    "campaign_leads": {"lead_id": f"{SPARE}1"},
    "audit_log": {"id": f"{SPARE}1"},
    "api_keys": {"id": f"{SPARE}1", "key_hash": "1" * 64},
    "invitations": {"id": f"{SPARE}1", "token_hash": "1" * 64},
    "tickets": {"token_hash": "1" * 64},
    "sessions": {"id": f"{SPARE}1", "token_hash": "1" * 64},
    "webhooks": {"id": f"{SPARE}1"},
    "webhook_deliveries": {"id": f"{SPARE}1", "key": "other"},
    "legal_holds": {"id": f"{SPARE}1"},
    "erasures": {"id": f"{SPARE}1"},
    "kept_evidence": {"id": f"{SPARE}1"},
    "idempotency_keys": {"key": "other"},
    "notification_rules": {"kind": "drift"},
    "notification_addresses": {"emails": ["other@example.com"]},
    "push_subscriptions": {"id": f"{SPARE}1", "endpoint": "https://push.example.com/other"},
    "notifications": {"id": f"{SPARE}1", "key": "other"},
    "notification_deliveries": {"id": f"{SPARE}1", "address": "other@example.com"},
    "report_schedules": {"id": f"{SPARE}1"},
}
UPDATE = {
    "workspaces": "name = name",
    "members": "created_at = created_at",
    "phone_numbers": "whatsapp = whatsapp",
    "leads": "name = name",
    "calls": "status = status",
    "consents": "revoked_at = now(), revoked_how = 'stop'",
    "messages": "status = status",
    "outbox": "starts = starts",
    "voices": "deleted_at = now(), deleted_how = 'asked to'",
    "models": "stage_at = now()",
    "tier_cuts": "cut_at = now()",
    "model_nights": "decided_by = 'ann'",
    "alerts": "times = times + 1",
    "api_keys": "revoked_at = now()",
    "invitations": "revoked_at = now()",
    "sessions": "revoked_at = now()",
    "webhooks": "disabled_at = now()",
    "webhook_deliveries": "attempts = attempts + 1",
    "legal_holds": "lifted_by = set_by, lifted_at = now()",
    "erasures": "waits_for = 'call'",
    "idempotency_keys": "status = 200",
    "playbook_drafts": "saved_at = now()",
    "campaigns": "state = state",
    "campaign_leads": "why = why",
    "notification_rules": "enabled = enabled",
    "notification_addresses": "updated_at = now()",
    "push_subscriptions": "vapid = vapid",
    "notification_deliveries": "attempts = attempts + 1",
    "report_schedules": "last_error = last_error",
}


EVIDENCE = (
    "playbook_versions", "decisions", "attempts", "carrier_events", "call_events", "suppressions", "outcomes", "scores",
    "audit_log", "consents", "voices", "lead_results", "model_files",
    "notes", "tier_overrides", "turn_readings", "kept_evidence",
)  # fmt: skip


def id_of(tag: str, name: str) -> str:
    return str(uuid.UUID(hashlib.md5((tag + name).encode()).hexdigest()))


def claims(sub: str, workspace: str, **more: Any) -> str:
    token = {"sub": sub, "role": "authenticated", "app_metadata": {"workspace_id": workspace}}
    return json.dumps(token | more)


@dataclass(frozen=True)
class Actor:
    name: str
    role: str
    rank: int = 0
    claims: str = ""
    workspace: str = ""


MEMBERS = tuple(
    Actor(role, "authenticated", rank, claims=claims(id_of(MINE, role), id_of(MINE, "workspace")))
    for rank, role in enumerate(ROLES, start=1)
)
STRANGERS = (
    Actor("owner elsewhere", "authenticated", claims=claims(id_of("c", "owner"), id_of(MINE, "workspace"))),
    Actor(
        "member without claim", "authenticated", claims=json.dumps({"sub": id_of(MINE, "owner"), "app_metadata": {}})
    ),
    Actor(
        "claim in user_metadata",
        "authenticated",
        claims=json.dumps(
            {
                "sub": id_of(MINE, "owner"),
                "user_metadata": {"workspace_id": id_of(MINE, "workspace")},
                "app_metadata": {},
            }
        ),
    ),
    Actor("no token", "authenticated"),
    Actor("worker without workspace", "strowger_worker"),
    Actor("anon", "anon"),
)
WORKER = Actor("worker", "strowger_worker", workspace=id_of(MINE, "workspace"))
ACTORS = (*MEMBERS, WORKER, *STRANGERS)


def expected(table: str, actor: Actor) -> frozenset[str]:
    rights = RIGHTS[table]
    if actor is WORKER:
        may = rights.worker
    else:
        needed = {"r": rights.read, "i": rights.insert, "u": rights.update, "d": rights.delete}
        may = "".join(letter for letter, rank in needed.items() if actor.rank and actor.rank >= rank)
    verbs = {"r": "see mine", "i": "insert mine", "u": "update mine", "d": "delete mine"}
    return frozenset(verb for letter, verb in verbs.items() if letter in may)


def observe(db: psycopg.Connection[Any], table: str, actor: Actor) -> frozenset[str]:
    """The actions that had an effect. Leaves everything as it was."""
    return frozenset(action for action in ACTIONS if _succeeds(db, table, actor, action))


def _succeeds(db: psycopg.Connection[Any], table: str, actor: Actor, action: str) -> bool:
    verb, _, whose = action.partition(" ")
    tag = THEIRS if whose == "theirs" else MINE
    key = "id" if table == "workspaces" else "workspace_id"
    where = f"{key} = '{id_of(tag, 'workspace')}'"
    match verb:
        case "see":
            statement = f"select {key} from {table} where {where}"
        case "insert":
            row = json.dumps(_new_row(db, table, actor, tag)).replace("'", "''")
            statement = f"insert into {table} select * from jsonb_populate_record(null::{table}, '{row}')"
        case "update":
            statement = f"update {table} set {UPDATE.get(table, f'{key} = {key}')} where {where}"
        case "move":
            statement = f"update {table} set {key} = '{id_of(THEIRS, 'workspace')}' where {where}"
        case _:
            statement = f"delete from {table} where {where}"
    try:
        with acting(db, actor):
            count = db.execute(statement).rowcount
            return count > 0
    except psycopg.errors.InsufficientPrivilege:
        return False
    except (psycopg.errors.ForeignKeyViolation, psycopg.errors.UniqueViolation):
        return True  # policies let it pass; it is the keys that stopped it


def _new_row(db: psycopg.Connection[Any], table: str, actor: Actor, tag: str) -> dict[str, Any]:
    key = "id" if table == "workspaces" else "workspace_id"
    found = db.execute(
        f"select to_jsonb(t) from {table} t where {key} = %s limit 1", (id_of(tag, "workspace"),)
    ).fetchone()
    assert found is not None, f"tests/sql/one_of_each.sql has no row for {table}"
    row: dict[str, Any] = found[0]
    row |= {
        name: id_of(tag, value) if str(value).startswith("spare ") else value for name, value in FRESH[table].items()
    }
    if table == "audit_log" and actor.claims:
        row["actor"] = json.loads(actor.claims)["sub"]
    return row


@contextmanager
def acting(db: psycopg.Connection[Any], actor: Actor) -> Iterator[None]:
    """Everything inside is undone, the role included."""
    with db.transaction(force_rollback=True):
        db.execute(
            "select set_config('request.jwt.claims', %s, true), set_config('strowger.workspace_id', %s, true), "
            "set_config('role', %s, true)",
            (actor.claims, actor.workspace, actor.role),
        )
        yield


@pytest.fixture(scope="module", params=["embedded", "postgres 15"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with two workspaces and one row of each kind in both, on the server named by the parameter."""
    make = request.getfixturevalue("fresh_database" if request.param == "embedded" else "fresh_database_on_15")
    with make() as url:
        with psycopg.connect(url, autocommit=True) as db:
            for tag in (MINE, THEIRS, "c"):
                db.execute("select set_config('test.tag', %s, false)", (tag,))
                db.execute(ONE_OF_EACH.read_bytes())
        yield url


@pytest.fixture
def owner(url: str) -> Iterator[psycopg.Connection[Any]]:
    """The owner's connection, in a transaction that is never committed."""
    with psycopg.connect(url) as db:
        yield db
        db.rollback()


def test_every_table_is_in_the_matrix(owner: psycopg.Connection[Any]) -> None:
    tables = {name for (name,) in owner.execute("select tablename from pg_tables where schemaname = 'public'")}
    assert tables == set(RIGHTS)


@pytest.mark.parametrize("table", sorted(RIGHTS))
def test_T13_each_role_can_do_what_it_should_and_nothing_else(owner: psycopg.Connection[Any], table: str) -> None:
    assert {a.name: observe(owner, table, a) for a in ACTORS} == {a.name: expected(table, a) for a in ACTORS}


def holds(db: psycopg.Connection[Any], table: str) -> bool:
    return all(observe(db, table, actor) == expected(table, actor) for actor in ACTORS)


def policies(db: psycopg.Connection[Any]) -> list[tuple[str, str, str]]:
    query = "select tablename, policyname, cmd from pg_policies where schemaname = 'public' order by 1, 2"
    return [(table, policy, command) for table, policy, command in db.execute(query)]


def opened(table: str, policy: str, command: str) -> str:
    using = "" if command == "INSERT" else " using (true)"
    check = "" if command in {"SELECT", "DELETE"} else " with check (true)"
    return f"alter policy {policy} on {table}{using}{check}"


@pytest.mark.parametrize("table", sorted(RIGHTS))
def test_T13_the_matrix_notices_each_policy_that_is_dropped_or_opened(
    owner: psycopg.Connection[Any], table: str
) -> None:
    mine = [(policy, command) for name, policy, command in policies(owner) if name == table]
    assert mine, f"{table} has no policy"
    unnoticed = []
    for policy, command in mine:
        changes = [f"drop policy {policy} on {table}", opened(table, policy, command)]
        # Where the worker inserts nothing and may not move a row, what a new row must be like guards nothing.
        guards_nothing = policy.endswith("_worker") and "i" not in RIGHTS[table].worker
        if command in {"ALL", "INSERT"} and "_reads" not in policy and not guards_nothing:
            changes.append(f"alter policy {policy} on {table} with check (true)")
        for change in changes:
            with owner.transaction(force_rollback=True):
                owner.execute(change)
                if holds(owner, table):
                    unnoticed.append(change)
    assert unnoticed == []


def test_T14_the_worker_cannot_bypass_row_level_security(owner: psycopg.Connection[Any]) -> None:
    powers = "rolsuper or rolbypassrls or rolcanlogin or rolcreaterole"
    assert owner.execute(f"select {powers} from pg_roles where rolname = 'strowger_worker'").fetchone() == (False,)
    with acting(owner, WORKER):
        owner.execute("set local row_security = off")  # means: raise rather than filter
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("select * from leads")


def test_T13_a_member_of_two_workspaces_sees_the_one_of_the_token(owner: psycopg.Connection[Any]) -> None:
    both = id_of(MINE, "viewer")
    owner.execute("insert into members values (%s, %s, 'owner')", (id_of(THEIRS, "workspace"), both))
    for tag in (MINE, THEIRS):
        with acting(owner, Actor("both", "authenticated", claims=claims(both, id_of(tag, "workspace")))):
            assert owner.execute("select workspace_id::text from leads").fetchall() == [(id_of(tag, "workspace"),)]


def test_T13_an_admin_cannot_make_or_unmake_an_owner(owner: psycopg.Connection[Any]) -> None:
    admin, viewer, boss = MEMBERS[3], id_of(MINE, "viewer"), id_of(MINE, "owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting(owner, admin):
        owner.execute("update members set role = 'owner' where user_id = %s", (viewer,))
    with acting(owner, admin):
        assert owner.execute("update members set role = 'viewer' where user_id = %s", (boss,)).rowcount == 0
        assert owner.execute("delete from members where user_id = %s", (boss,)).rowcount == 0


@pytest.mark.parametrize("table", EVIDENCE)
@pytest.mark.parametrize(
    "statement", ["update {} set workspace_id = workspace_id", "delete from {}", "truncate {} cascade"]
)
def test_C07_evidence_cannot_be_changed_even_by_its_owner(
    owner: psycopg.Connection[Any], table: str, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute(statement.format(table))


@pytest.mark.parametrize("table", sorted(set(RIGHTS) - {"workspaces", "members"}))
def test_T12_no_row_can_refer_to_a_row_of_another_workspace(owner: psycopg.Connection[Any], table: str) -> None:
    """Each foreign key but the one to workspaces carries the workspace in both ends."""
    query = """
        select conname, pg_get_constraintdef(oid) from pg_constraint
        where contype = 'f' and conrelid = %s::regclass and confrelid <> 'workspaces'::regclass
    """
    for name, definition in owner.execute(query, (table,)):
        assert definition.count("(workspace_id, ") == 2, f"{name}: {definition}"
