-- Reports that go out by e-mail, every day or every week.

create table public.report_schedules (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    report text not null check (report <> ''),
    format text not null check (format in ('csv', 'xlsx')),
    hour integer not null check (hour between 0 and 23),
    weekday integer check (weekday between 1 and 7),
    emails text[] not null check (cardinality(emails) between 1 and 20),
    next_at timestamptz not null,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    deleted_at timestamptz,
    last_due_at timestamptz,
    last_status text check (last_status in ('waiting', 'sent', 'failed')),
    last_error text,
    unique (workspace_id, id)
);
comment on table public.report_schedules is 'Which report goes to whom, and when. Sent from the outbox, once per due time.';
comment on column public.report_schedules.hour is 'In the time zone of the workspace.';
comment on column public.report_schedules.weekday is '1 Monday .. 7 Sunday: the week before it. Null: every day, the day before.';
comment on column public.report_schedules.next_at is 'Whoever moves it on has the right to send once.';
create index report_schedules_due on public.report_schedules (next_at) where deleted_at is null;
create index report_schedules_newest on public.report_schedules (workspace_id, created_at desc, id desc);

grant select, insert on public.report_schedules to authenticated, service_role;
grant update (deleted_at, last_error) on public.report_schedules to authenticated, service_role;
grant select, update (next_at, last_due_at, last_status, last_error) on public.report_schedules to strowger_worker;

alter table public.report_schedules enable row level security;
alter table public.report_schedules force row level security;
create policy report_schedules_manager on public.report_schedules to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3)
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy report_schedules_worker on public.report_schedules to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

create function strowger.reports_due(at timestamptz, most integer)
returns table (workspace_id uuid, id uuid)
language sql stable security definer set search_path = ''
as $$
    select r.workspace_id, r.id from public.report_schedules r
    where r.deleted_at is null and r.next_at <= at order by r.next_at limit most
$$;
comment on function strowger.reports_due(timestamptz, integer) is 'Which reports are to be sent now, of all workspaces.';
revoke execute on function strowger.reports_due(timestamptz, integer) from public;
grant execute on function strowger.reports_due(timestamptz, integer) to strowger_worker;
