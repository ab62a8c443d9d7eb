"""What the database's own catalogue says about who may do what: a table, view or function that somebody adds without
thinking of it fails here (T13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

pytestmark = pytest.mark.integration

# Each query returns the offenders by name.
RULES = {
    "row-level security is not enabled and forced": """
        select c.oid::regclass::text from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
          and not (c.relrowsecurity and c.relforcerowsecurity)
    """,
    "no policy": """
        select t.tablename from pg_tables t
        where t.schemaname = 'public'
          and not exists (select from pg_policies p where p.schemaname = 'public' and p.tablename = t.tablename)
    """,
    "a policy for everybody": """
        select policyname from pg_policies where schemaname = 'public' and roles && array['public', 'anon']::name[]
    """,
    "a policy that compares nothing": r"""
        select policyname from pg_policies
        where schemaname = 'public'
          and not (coalesce(qual, with_check) ~ '\mid = |workspace_id = '
                   and coalesce(with_check, qual) ~ '\mid = |workspace_id = ')
    """,
    "a policy that asks once per row": r"""
        select policyname from pg_policies
        where schemaname = 'public'
          and regexp_replace(concat(qual, with_check), '\( SELECT \(?(strowger|auth)\.\w+\(\)', '', 'g')
              ~ '(strowger\.(tenant|my_workspace|my_rank)|auth\.\w+)\('
    """,
    "a policy that believes what users write about themselves": """
        select policyname from pg_policies where concat(qual, with_check) like '%%user_metadata%%'
        union all
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace in ('public'::regnamespace, 'strowger'::regnamespace) and p.prosrc like '%%user_metadata%%'
    """,
    "a function without a fixed search_path": """
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace in ('public'::regnamespace, 'strowger'::regnamespace)
          and not coalesce(p.proconfig, '{}') @> array['search_path=""']
    """,
    "a function that everybody may execute": """
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace in ('public'::regnamespace, 'strowger'::regnamespace)
          and has_function_privilege('anon', p.oid, 'execute')
    """,
    "a view that runs with its owner's rights": """
        select c.oid::regclass::text from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('v', 'm')
          and not coalesce(c.reloptions, '{}') @> array['security_invoker=true']
    """,
    "a grant to everybody": """
        select table_name || ': ' || grantee from information_schema.role_table_grants
        where table_schema in ('public', 'strowger') and grantee in ('PUBLIC', 'anon')
        union all
        select table_name || '.' || column_name || ': ' || grantee from information_schema.column_privileges
        where table_schema in ('public', 'strowger') and grantee in ('PUBLIC', 'anon')
    """,
    "everybody may look into the schema strowger": """
        select 'strowger' where has_schema_privilege('anon', 'strowger', 'usage')
    """,
    "a bucket that is public": "select id from storage.buckets where public",
    "a table without its workspace": """
        select t.tablename from pg_tables t
        where t.schemaname = 'public' and t.tablename <> 'workspaces'
          and not exists (
              select from information_schema.columns c
              where c.table_schema = 'public' and c.table_name = t.tablename and c.column_name = 'workspace_id'
                and c.is_nullable = 'NO')
    """,
    "a table without a comment": """
        select c.oid::regclass::text from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and obj_description(c.oid, 'pg_class') is null
    """,
    # The workspace alone finds nothing: the index must start with the other column, or with both.
    "a foreign key without an index": """
        select conname from pg_constraint k
        where k.contype = 'f' and k.connamespace = 'public'::regnamespace and not exists (
            select from pg_index i
            join pg_attribute first on first.attrelid = i.indrelid and first.attnum = i.indkey[0]
            where i.indrelid = k.conrelid and first.attnum = any (k.conkey)
              and (first.attname <> 'workspace_id'
                   or (i.indkey::int2[])[0:array_length(k.conkey, 1) - 1] <@ k.conkey))
    """,
}

CARELESS = [
    ("create table public.scribbles (workspace_id uuid not null)", "row-level security is not enabled and forced"),
    ("create table public.scribbles (id int)", "a table without its workspace"),
    ("create table public.scribbles (id int)", "no policy"),
    ("create table public.scribbles (id int)", "a table without a comment"),
    ("alter table leads no force row level security", "row-level security is not enabled and forced"),
    ("alter table leads disable row level security", "row-level security is not enabled and forced"),
    ("create policy p on leads for select using (true)", "a policy for everybody"),
    ("create policy p on leads for select to authenticated using (true)", "a policy that compares nothing"),
    ("alter policy leads_worker on leads with check (true)", "a policy that compares nothing"),
    (
        "create policy p on leads for select to authenticated using (workspace_id = strowger.my_workspace())",
        "a policy that asks once per row",
    ),
    (
        "create policy p on leads for select to authenticated "
        "using (workspace_id = (auth.jwt() -> 'user_metadata' ->> 'workspace_id')::uuid)",
        "a policy that believes what users write about themselves",
    ),
    (
        "create function strowger.f() returns int language sql security definer as 'select 1'",
        "a function without a fixed search_path",
    ),
    ("create function public.f() returns int language sql set search_path = '' as 'select 1'",
     "a function that everybody may execute"),
    ("create view public.all_leads as select * from leads", "a view that runs with its owner's rights"),
    ("grant select on leads to anon", "a grant to everybody"),
    ("grant select (name) on leads to public", "a grant to everybody"),
    ("grant usage on schema strowger to public", "everybody may look into the schema strowger"),
    ("update storage.buckets set public = true", "a bucket that is public"),
    ("drop index media_tokens_call", "a foreign key without an index"),
]  # fmt: skip


@pytest.fixture
def owner(shared_postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Whatever a test does to the schema is undone."""
    with psycopg.connect(shared_postgres_url) as db:
        yield db
        db.rollback()


def offenders(db: psycopg.Connection[Any], rule: str) -> list[str]:
    return [name for (name,) in db.execute(RULES[rule].replace("%%", "%"))]


@pytest.mark.parametrize("rule", RULES)
def test_T13_nothing_in_the_schema_offends(owner: psycopg.Connection[Any], rule: str) -> None:
    assert offenders(owner, rule) == []


@pytest.mark.parametrize(("careless", "rule"), CARELESS)
def test_T13_carelessness_is_noticed(owner: psycopg.Connection[Any], careless: str, rule: str) -> None:
    owner.execute(careless)
    assert offenders(owner, rule) != []


def test_every_rule_is_shown_to_fail() -> None:
    assert {rule for _, rule in CARELESS} == set(RULES)
