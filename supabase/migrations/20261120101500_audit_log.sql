-- Who did what, to what, and why. Append-only.

create table public.audit_log (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    actor text not null check (actor <> ''),
    action text not null check (action <> ''),
    subject text not null,
    detail jsonb not null default '{}',
    at timestamptz not null default now(),
    unique (workspace_id, id)
);
comment on table public.audit_log is 'Privileged acts of people and of the system. Append-only.';
comment on column public.audit_log.actor is 'The user''s id, or the name of the process.';
create index audit_log_recent on public.audit_log (workspace_id, at desc);

create trigger audit_log_append_only before update or delete on public.audit_log
    for each row execute function strowger.refuse_change();
create trigger audit_log_keep before truncate on public.audit_log
    for each statement execute function strowger.refuse_change();

grant select, insert on public.audit_log to authenticated, strowger_worker;
grant select on public.audit_log to service_role;

alter table public.audit_log enable row level security;
alter table public.audit_log force row level security;
create policy audit_log_admin_reads on public.audit_log for select to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4);
-- A person signs with their own id and cannot write under another name.
create policy audit_log_member_signs on public.audit_log for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and actor = (select auth.uid())::text);
create policy audit_log_worker on public.audit_log to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
