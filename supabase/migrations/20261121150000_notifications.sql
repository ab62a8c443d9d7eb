-- What people are told at once: the rules for it, where to, what was told, and what became of each telling.

create table public.notification_rules (
    workspace_id uuid not null references public.workspaces (id),
    kind text not null check (kind in ('hot_lead', 'call_back', 'provider_down', 'budget', 'drift')),
    enabled boolean not null,
    channels text[] not null check (channels <@ array['push', 'email', 'slack']),
    threshold numeric(12, 4) check (threshold > 0),
    urgent boolean not null default false,
    updated_at timestamptz not null default now(),
    updated_by uuid not null,
    primary key (workspace_id, kind)
);
comment on table public.notification_rules is 'Which news go where. A kind without a row is as app/sales/notices.py has it.';
comment on column public.notification_rules.threshold is 'A probability for hot_lead, USD a month for budget.';
comment on column public.notification_rules.urgent is 'Told in the quiet hours of the workspace, too.';

create table public.notification_addresses (
    workspace_id uuid primary key references public.workspaces (id),
    emails text[] not null default '{}' check (cardinality(emails) <= 20),
    slack_sealed text check (slack_sealed <> ''),
    slack_host text,
    updated_at timestamptz not null default now(),
    updated_by uuid not null,
    check ((slack_sealed is null) = (slack_host is null))
);
comment on table public.notification_addresses is 'Where a workspace is told: addresses of e-mail, and one incoming webhook of a chat.';
comment on column public.notification_addresses.slack_sealed is
    'The address, encrypted with the installation''s key: whoever knows it may post there.';

create table public.push_subscriptions (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    user_id uuid not null,
    endpoint text not null check (endpoint ~ '^https://' and length(endpoint) <= 2000),
    p256dh text not null check (length(p256dh) <= 200),
    auth text not null check (length(auth) <= 100),
    vapid text not null check (length(vapid) <= 200),
    created_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (workspace_id, user_id, endpoint)
);
comment on table public.push_subscriptions is 'Browsers whose owner allowed us to push. No token reads them: an endpoint is a way to a person.';
comment on column public.push_subscriptions.vapid is 'The public key of ours that this browser knows.';

create table public.notifications (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    kind text not null check (kind <> ''),
    key text not null check (key <> ''),
    about jsonb not null default '{}',
    call_sid text,
    lead_id uuid,
    urgent boolean not null default false,
    raised_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (workspace_id, key),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id)
);
comment on table public.notifications is 'News, once per rule, subject and window. Holds figures and ids; names are looked up when it is shown.';
comment on column public.notifications.key is 'The rule, what it is about and its window: the same news again is this row.';
create index notifications_newest on public.notifications (workspace_id, raised_at desc, id desc);
create index notifications_lead on public.notifications (workspace_id, lead_id);

create table public.notification_deliveries (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    notification_id uuid not null,
    channel text not null check (channel in ('push', 'email', 'slack')),
    address text not null,
    status text not null default 'waiting' check (status in ('waiting', 'held', 'delivered', 'failed')),
    held_until timestamptz,
    attempts integer not null default 0,
    error text,
    created_at timestamptz not null default now(),
    settled_at timestamptz,
    unique (workspace_id, id),
    unique (notification_id, channel, address),
    foreign key (workspace_id, notification_id) references public.notifications (workspace_id, id)
);
comment on table public.notification_deliveries is 'One notification for one address, told once however often it is tried.';
comment on column public.notification_deliveries.address is 'An e-mail address, the id of a browser''s subscription, or nothing for the chat.';
comment on column public.notification_deliveries.held_until is 'The end of the quiet hours it fell into.';
create index notification_deliveries_of on public.notification_deliveries (workspace_id, notification_id);

grant select, insert on public.notification_rules to authenticated;
grant update (enabled, channels, threshold, urgent, updated_at, updated_by) on public.notification_rules to authenticated;
grant select on public.notification_rules to strowger_worker;
grant select (workspace_id, emails, slack_host, updated_at, updated_by) on public.notification_addresses to authenticated;
grant insert on public.notification_addresses to authenticated;
grant update (emails, slack_sealed, slack_host, updated_at, updated_by) on public.notification_addresses to authenticated;
grant select on public.notification_addresses to strowger_worker;
grant select, insert, delete on public.push_subscriptions to strowger_worker;
grant update (p256dh, auth, vapid) on public.push_subscriptions to strowger_worker;
grant select on public.notifications to authenticated, service_role;
grant select, insert on public.notifications to strowger_worker;
grant select on public.notification_deliveries to authenticated, service_role;
grant select, insert, update (status, held_until, attempts, error, settled_at) on public.notification_deliveries
    to strowger_worker;

alter table public.notification_rules enable row level security;
alter table public.notification_rules force row level security;
create policy notification_rules_member_reads on public.notification_rules for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy notification_rules_manager_inserts on public.notification_rules for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy notification_rules_manager_updates on public.notification_rules for update to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3)
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy notification_rules_worker_reads on public.notification_rules for select to strowger_worker
    using (workspace_id = (select strowger.tenant()));

alter table public.notification_addresses enable row level security;
alter table public.notification_addresses force row level security;
create policy notification_addresses_member_reads on public.notification_addresses for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy notification_addresses_manager_inserts on public.notification_addresses for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy notification_addresses_manager_updates on public.notification_addresses for update to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3)
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy notification_addresses_worker_reads on public.notification_addresses for select to strowger_worker
    using (workspace_id = (select strowger.tenant()));

alter table public.push_subscriptions enable row level security;
alter table public.push_subscriptions force row level security;
create policy push_subscriptions_worker on public.push_subscriptions to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

alter table public.notifications enable row level security;
alter table public.notifications force row level security;
create policy notifications_member_reads on public.notifications for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy notifications_worker on public.notifications to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

alter table public.notification_deliveries enable row level security;
alter table public.notification_deliveries force row level security;
create policy notification_deliveries_member_reads on public.notification_deliveries for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy notification_deliveries_worker on public.notification_deliveries to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

-- Asked every other second over all workspaces, so it looks only at calls that go on and were not told of.
create function strowger.lines_to_watch(at timestamptz)
returns table (workspace_id uuid, call_sid text, lead_id uuid, probability double precision, tier text)
language sql stable security definer set search_path = ''
as $$
    select c.workspace_id, c.call_sid, c.lead_id, e.probability, coalesce(h.tier, s.tier)
    from public.calls c
    left join lateral (
        select (e.body ->> 'probability')::double precision as probability from public.call_events e
        where e.call_id = c.id and e.kind = 'Estimated' order by e.seq desc limit 1
    ) e on true
    left join lateral (
        select s.tier from public.scores s
        where s.workspace_id = c.workspace_id and s.lead_id = c.lead_id and not s.shadow
        order by s.scored_at desc limit 1
    ) s on true
    left join lateral (
        select h.tier from public.tier_overrides h
        where h.workspace_id = c.workspace_id and h.lead_id = c.lead_id and h.kind = 'priority'
        order by h.at desc limit 1
    ) h on true
    where c.ended_at is null and c.created_at > at - interval '2 hours'
      and (c.direction = 'inbound' or c.answered_at is not null or e.probability is not null)
      and (e.probability is not null or coalesce(h.tier, s.tier) = 'hot')
      and not exists (
          select from public.notifications n
          where n.workspace_id = c.workspace_id and n.key = 'hot_lead:' || c.call_sid || ':call'
      )
$$;
comment on function strowger.lines_to_watch(timestamptz) is 'Calls going on that may be with a hot lead, of all workspaces.';

create function strowger.workspace_ids() returns table (workspace_id uuid)
language sql stable security definer set search_path = ''
as $$ select w.id from public.workspaces w order by w.id $$;
comment on function strowger.workspace_ids() is 'Every workspace: what the beat goes through to see what each should be told.';
revoke execute on function strowger.lines_to_watch(timestamptz), strowger.workspace_ids() from public;
grant execute on function strowger.lines_to_watch(timestamptz), strowger.workspace_ids() to strowger_worker;
