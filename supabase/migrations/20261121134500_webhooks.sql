-- What we tell other systems: where to, and what became of each telling.

create table public.webhooks (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    url text not null check (url ~ '^https://' and length(url) <= 2000),
    events text[] not null check (cardinality(events) between 1 and 20),
    secret_sealed text not null check (secret_sealed <> ''),
    previous_sealed text,
    previous_until timestamptz,
    created_by uuid not null,
    created_at timestamptz not null default now(),
    disabled_at timestamptz,
    disabled_why text,
    deleted_at timestamptz,
    unique (workspace_id, id)
);
comment on table public.webhooks is 'Addresses of other systems, each with the events it wants.';
comment on column public.webhooks.secret_sealed is 'Encrypted with the installation''s key: signs what is sent, so it cannot be kept as a hash.';
comment on column public.webhooks.previous_sealed is 'Signs too until previous_until, while the other side changes to the new one.';
create index webhooks_workspace on public.webhooks (workspace_id, created_at desc);

create table public.webhook_deliveries (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    webhook_id uuid not null,
    event text not null check (event <> ''),
    key text not null check (key <> ''),
    body jsonb not null,
    created_at timestamptz not null default now(),
    attempts integer not null default 0,
    status text not null default 'waiting' check (status in ('waiting', 'delivered', 'failed')),
    answered integer,
    error text,
    settled_at timestamptz,
    unique (workspace_id, id),
    unique (webhook_id, event, key),
    foreign key (workspace_id, webhook_id) references public.webhooks (workspace_id, id)
);
comment on table public.webhook_deliveries is 'One event for one address, told once however often it is tried.';
comment on column public.webhook_deliveries.key is 'What the event is about: the same event about the same thing is one delivery.';
comment on column public.webhook_deliveries.answered is 'HTTP status of the last answer; null when none came.';
create index webhook_deliveries_recent on public.webhook_deliveries (workspace_id, webhook_id, created_at desc);

grant select (id, workspace_id, url, events, created_by, created_at, disabled_at, disabled_why, deleted_at)
    on public.webhooks to authenticated;
grant insert on public.webhooks to authenticated;
grant update (disabled_at, disabled_why, deleted_at) on public.webhooks to authenticated;
grant select, update (secret_sealed, previous_sealed, previous_until, disabled_at, disabled_why) on public.webhooks
    to strowger_worker;
grant select on public.webhook_deliveries to authenticated;
grant select, insert, update (attempts, status, answered, error, settled_at) on public.webhook_deliveries to strowger_worker;

alter table public.webhooks enable row level security;
alter table public.webhooks force row level security;
create policy webhooks_admin on public.webhooks to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4)
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4);
create policy webhooks_worker on public.webhooks to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

alter table public.webhook_deliveries enable row level security;
alter table public.webhook_deliveries force row level security;
create policy webhook_deliveries_admin_reads on public.webhook_deliveries for select to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4);
create policy webhook_deliveries_worker on public.webhook_deliveries to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
