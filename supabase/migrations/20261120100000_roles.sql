-- Who may act, and the helpers every policy is written with.
--
-- authenticated     a person of the dashboard: sees the workspace named in the token's app_metadata, if they are a member
-- strowger_worker   our own processes: see the workspace set for the transaction, and cannot bypass row-level security
-- (no role)         what must look across workspaces goes through a few functions of the schema `strowger`
--
-- The schema `strowger` is not exposed by the data API.

do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'strowger_worker') then
        create role strowger_worker nologin noinherit nobypassrls;
    end if;
end
$$;

-- `set local role strowger_worker` needs membership; PostgreSQL 16 and later grant it with the SET option by default.
grant strowger_worker to current_user;

create schema if not exists strowger;
comment on schema strowger is 'Helpers of the policies, and the few functions that look across workspaces.';
revoke all on schema strowger from public;
grant usage on schema strowger to authenticated, service_role, strowger_worker;
grant usage on schema public to authenticated, service_role, strowger_worker;

create function strowger.tenant() returns uuid
language sql stable set search_path = ''
as $$ select nullif(pg_catalog.current_setting('strowger.workspace_id', true), '')::uuid $$;
comment on function strowger.tenant() is
    'The workspace a worker''s transaction is for. After a transaction that set it, the setting reads '''', hence nullif.';

create function strowger.rank_of(role text) returns integer
language sql immutable set search_path = ''
as $$ select pg_catalog.array_position(array['viewer', 'agent', 'manager', 'admin', 'owner'], role) $$;
comment on function strowger.rank_of(text) is 'Roles of members in order of power: 1 viewer .. 5 owner.';

create function strowger.refuse_change() returns trigger
language plpgsql set search_path = ''
as $$
begin
    raise exception 'table %.% is append-only', tg_table_schema, tg_table_name using errcode = 'insufficient_privilege';
end
$$;
comment on function strowger.refuse_change() is 'For tables that are evidence: not even their owner changes a row by mistake.';

-- Postgres lets everyone execute a new function; in this schema each migration takes that back at once.
revoke execute on all functions in schema strowger from public;
grant execute on function strowger.tenant() to strowger_worker;
grant execute on function strowger.rank_of(text) to authenticated;
