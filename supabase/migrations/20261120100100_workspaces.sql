-- A workspace is one selling company: the tenant. Every other row carries its id.

create table public.workspaces (
    id uuid primary key default gen_random_uuid(),
    name text not null check (name <> ''),
    -- 244 random bits without an extension
    phone_key bytea not null default decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'),
    created_at timestamptz not null default now()
);
comment on table public.workspaces is 'One selling company: the tenant.';
comment on column public.workspaces.phone_key is
    'Key of the hashes by which suppressed numbers are remembered after their contact was erased. Never leaves the database.';

create table public.members (
    workspace_id uuid not null references public.workspaces (id),
    user_id uuid not null,
    role text not null check (role in ('viewer', 'agent', 'manager', 'admin', 'owner')),
    created_at timestamptz not null default now(),
    primary key (workspace_id, user_id)
);
comment on table public.members is 'Who may see a workspace, and in which role.';
comment on column public.members.user_id is
    'The `sub` of a verified token. Not a foreign key: the issuer may be Supabase Auth or our own.';
create index members_user on public.members (user_id);

create function strowger.my_workspace() returns uuid
language sql stable security definer set search_path = ''
as $$
    select m.workspace_id
    from public.members m
    where m.user_id = (select auth.uid())
      and m.workspace_id = (select nullif(auth.jwt() -> 'app_metadata' ->> 'workspace_id', '')::uuid)
$$;
comment on function strowger.my_workspace() is
    'The workspace of the caller''s token, if the caller is a member of it. Definer, or the policies of members would recurse.';

create function strowger.my_rank() returns integer
language sql stable security definer set search_path = ''
as $$
    select coalesce(max(strowger.rank_of(m.role)), 0)
    from public.members m
    where m.user_id = (select auth.uid()) and m.workspace_id = (select strowger.my_workspace())
$$;
comment on function strowger.my_rank() is 'Power of the caller in that workspace: 0 none, 1 viewer .. 5 owner.';

create function strowger.here() returns uuid
language sql stable security definer set search_path = ''
as $$ select coalesce(strowger.tenant(), strowger.my_workspace()) $$;
comment on function strowger.here() is
    'The workspace to write into, for worker and member alike. It grants nothing: the policies check what was written.';

revoke execute on function strowger.my_workspace(), strowger.my_rank(), strowger.here() from public;
grant execute on function strowger.my_workspace(), strowger.my_rank() to authenticated;
grant execute on function strowger.here() to authenticated, strowger_worker;

grant select (id, name, created_at), update (name) on public.workspaces to authenticated;
grant select (id, name, created_at) on public.workspaces to strowger_worker;
grant select, insert, update on public.workspaces to service_role;
grant select, insert, update, delete on public.members to authenticated, service_role;
grant select on public.members to strowger_worker;

alter table public.workspaces enable row level security;
alter table public.workspaces force row level security;
create policy workspaces_member_reads on public.workspaces for select to authenticated
    using (id = (select strowger.my_workspace()));
create policy workspaces_admin_updates on public.workspaces for update to authenticated
    using (id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4)
    with check (id = (select strowger.my_workspace()));
create policy workspaces_worker_reads on public.workspaces for select to strowger_worker
    using (id = (select strowger.tenant()));

alter table public.members enable row level security;
alter table public.members force row level security;
create policy members_member_reads on public.members for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
-- Nobody hands out, changes or takes away a role above their own.
create policy members_admin_inserts on public.members for insert to authenticated
    with check (
        workspace_id = (select strowger.my_workspace())
        and (select strowger.my_rank()) >= 4 and strowger.rank_of(role) <= (select strowger.my_rank())
    );
create policy members_admin_updates on public.members for update to authenticated
    using (
        workspace_id = (select strowger.my_workspace())
        and (select strowger.my_rank()) >= 4 and strowger.rank_of(role) <= (select strowger.my_rank())
    )
    with check (
        workspace_id = (select strowger.my_workspace()) and strowger.rank_of(role) <= (select strowger.my_rank())
    );
create policy members_admin_deletes on public.members for delete to authenticated
    using (
        workspace_id = (select strowger.my_workspace())
        and (select strowger.my_rank()) >= 4 and strowger.rank_of(role) <= (select strowger.my_rank())
    );
create policy members_worker_reads on public.members for select to strowger_worker
    using (workspace_id = (select strowger.tenant()));
