-- A playbook is the sales script. A version, once published, never changes: a call names the version it was held with.

create table public.playbooks (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    name text not null check (name ~ '^[a-z0-9_-]{1,64}$'),
    created_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (workspace_id, name)
);
comment on table public.playbooks is 'A sales script by name; its text is in playbook_versions.';

create table public.playbook_versions (
    workspace_id uuid not null,
    playbook_id uuid not null,
    version integer not null check (version > 0),
    yaml text not null check (yaml <> ''),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    published_by text not null,
    published_at timestamptz not null default now(),
    primary key (playbook_id, version),
    foreign key (workspace_id, playbook_id) references public.playbooks (workspace_id, id)
);
comment on table public.playbook_versions is 'Published texts, append-only. The highest version is the one in use.';
create index playbook_versions_workspace on public.playbook_versions (workspace_id, playbook_id);

create trigger playbook_versions_append_only before update or delete on public.playbook_versions
    for each row execute function strowger.refuse_change();
create trigger playbook_versions_keep before truncate on public.playbook_versions
    for each statement execute function strowger.refuse_change();

grant select, insert on public.playbooks, public.playbook_versions to authenticated, service_role, strowger_worker;

alter table public.playbooks enable row level security;
alter table public.playbooks force row level security;
create policy playbooks_member_reads on public.playbooks for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy playbooks_manager_inserts on public.playbooks for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy playbooks_worker on public.playbooks to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

alter table public.playbook_versions enable row level security;
alter table public.playbook_versions force row level security;
create policy playbook_versions_member_reads on public.playbook_versions for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy playbook_versions_manager_inserts on public.playbook_versions for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy playbook_versions_worker on public.playbook_versions to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
