-- Jobs, written in the transaction of the facts that cause them. The queue may lose everything; this table does not.

create table public.outbox (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    kind text not null check (kind <> ''),
    key text not null check (key <> ''),
    payload jsonb not null default '{}',
    created_at timestamptz not null default now(),
    available_at timestamptz not null default now(),
    leased_until timestamptz,
    leases integer not null default 0,
    starts integer not null default 0,
    failures integer not null default 0,
    last_error text,
    done_at timestamptz,
    quarantined_at timestamptz,
    unique (workspace_id, id),
    unique (workspace_id, kind, key)
);
comment on table public.outbox is 'What must happen because of what happened, once per kind and key.';
comment on column public.outbox.leased_until is 'Handed to the queue; taken again when this passes and the job is not done.';
comment on column public.outbox.starts is 'How often a worker began it: a job that kills its worker is counted here, not in failures.';
create index outbox_open on public.outbox (available_at) where done_at is null and quarantined_at is null;

create function strowger.lease_jobs(most integer, lease interval)
returns table (id uuid, workspace_id uuid, kind text, key text, payload jsonb, created_at timestamptz)
language sql volatile security definer set search_path = ''
as $$
    update public.outbox o set leased_until = now() + lease, leases = o.leases + 1
    where o.id in (
        select j.id from public.outbox j
        where j.done_at is null and j.quarantined_at is null and j.available_at <= now()
          and (j.leased_until is null or j.leased_until <= now())
        order by j.available_at
        limit most
        for update skip locked
    )
    returning o.id, o.workspace_id, o.kind, o.key, o.payload, o.created_at
$$;
comment on function strowger.lease_jobs(integer, interval) is 'Takes open jobs of all workspaces; two relays never take the same one.';

create function strowger.jobs_pending(out pending bigint, out quarantined bigint, out oldest timestamptz)
language sql stable security definer set search_path = ''
as $$
    select count(*) filter (where quarantined_at is null), count(*) filter (where quarantined_at is not null),
           min(created_at) filter (where quarantined_at is null)
    from public.outbox where done_at is null
$$;
comment on function strowger.jobs_pending() is 'How much work is waiting, and since when: figures only, for metrics.';
revoke execute on function strowger.lease_jobs(integer, interval), strowger.jobs_pending() from public;
grant execute on function strowger.lease_jobs(integer, interval), strowger.jobs_pending() to strowger_worker;

grant select on public.outbox to authenticated, service_role;
grant select, insert on public.outbox to strowger_worker;
grant update (available_at, leased_until, starts, failures, last_error, done_at, quarantined_at) on public.outbox
    to strowger_worker;

alter table public.outbox enable row level security;
alter table public.outbox force row level security;
create policy outbox_manager_reads on public.outbox for select to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy outbox_worker on public.outbox to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
