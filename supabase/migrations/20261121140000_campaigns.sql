-- Lists that are called for somebody. Every dial of a campaign goes through the same gate as any other.

create table public.campaigns (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    name text not null check (length(name) between 1 and 100),
    playbook text not null,
    tier text check (tier in ('hot', 'warm', 'cold')),
    source text check (length(source) <= 100),
    state text not null default 'draft' check (state in ('draft', 'running', 'paused', 'ended')),
    calls_per_minute integer not null default 2 check (calls_per_minute between 1 and 60),
    at_once integer not null default 2 check (at_once between 1 and 200),
    most_calls integer not null default 100 check (most_calls between 1 and 100000),
    next_dial_at timestamptz not null default now(),
    created_by text not null,
    created_at timestamptz not null default now(),
    launched_at timestamptz,
    ended_at timestamptz,
    unique (workspace_id, id),
    foreign key (workspace_id, playbook) references public.playbooks (workspace_id, name)
);
comment on table public.campaigns is 'Whom to call (tier, source), with which playbook, how fast. Runs only while its state says so.';
comment on column public.campaigns.at_once is 'No dial while so many of its calls are going on: a person who answers finds somebody there (C09).';
comment on column public.campaigns.next_dial_at is 'The pace. Whoever moves it on has the right to dial once.';
create index campaigns_newest on public.campaigns (workspace_id, created_at desc, id desc);
create index campaigns_running on public.campaigns (next_dial_at) where state = 'running';
create index campaigns_playbook on public.campaigns (workspace_id, playbook);

create table public.campaign_leads (
    workspace_id uuid not null,
    campaign_id uuid not null,
    lead_id uuid not null,
    position integer not null,
    state text not null default 'waiting' check (state in ('waiting', 'calling', 'called', 'refused', 'unknown')),
    call_sid text,
    why text not null default '',
    again_at timestamptz,
    tried_at timestamptz,
    primary key (campaign_id, lead_id),
    foreign key (workspace_id, campaign_id) references public.campaigns (workspace_id, id),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id)
);
comment on table public.campaign_leads is 'The list as it was at launch, best first, and what became of each.';
comment on column public.campaign_leads.why is 'The gate''s words, where it said no or later.';
create index campaign_leads_open on public.campaign_leads (campaign_id, position) where state = 'waiting';
create index campaign_leads_workspace on public.campaign_leads (workspace_id, campaign_id);
create index campaign_leads_lead on public.campaign_leads (workspace_id, lead_id);

grant select, insert on public.campaigns to authenticated, service_role;
grant update (name, state, calls_per_minute, at_once, most_calls, launched_at, ended_at) on public.campaigns to authenticated;
grant select on public.campaigns to strowger_worker;
grant update (state, next_dial_at, ended_at) on public.campaigns to strowger_worker;
grant select, insert on public.campaign_leads to authenticated, service_role;
grant select on public.campaign_leads to strowger_worker;
grant update (state, call_sid, why, again_at, tried_at) on public.campaign_leads to strowger_worker;

alter table public.campaigns enable row level security;
alter table public.campaigns force row level security;
create policy campaigns_member_reads on public.campaigns for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy campaigns_manager_inserts on public.campaigns for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy campaigns_manager_updates on public.campaigns for update to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3)
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy campaigns_worker on public.campaigns to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

alter table public.campaign_leads enable row level security;
alter table public.campaign_leads force row level security;
create policy campaign_leads_member_reads on public.campaign_leads for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy campaign_leads_manager_inserts on public.campaign_leads for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy campaign_leads_worker on public.campaign_leads to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

create function strowger.campaigns_due(at timestamptz, most integer)
returns table (workspace_id uuid, id uuid)
language sql stable security definer set search_path = ''
as $$
    select c.workspace_id, c.id from public.campaigns c
    where c.state = 'running' and c.next_dial_at <= at order by c.next_dial_at limit most
$$;
comment on function strowger.campaigns_due(timestamptz, integer) is 'Which campaigns may dial now, of all workspaces.';
revoke execute on function strowger.campaigns_due(timestamptz, integer) from public;
grant execute on function strowger.campaigns_due(timestamptz, integer) to strowger_worker;
