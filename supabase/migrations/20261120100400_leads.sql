-- A lead: a person who may become a customer.

create table public.leads (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    phone text check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    name text check (length(name) <= 200),
    source text not null default 'inbound_call' check (source <> ''),
    facts jsonb not null default '{}' check (jsonb_typeof(facts) = 'object'),
    tier text check (tier in ('hot', 'warm', 'cold')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (workspace_id, phone)
);
comment on table public.leads is 'A person who may become a customer.';
comment on column public.leads.phone is 'E.164; null when the caller withheld it, which makes every such call its own lead.';
comment on column public.leads.facts is 'What the person told us, by the names of the playbook.';
comment on column public.leads.tier is 'Advice on how soon to act; has no effect of its own.';
create index leads_tier on public.leads (workspace_id, tier, updated_at desc);

grant select, insert on public.leads to authenticated, service_role, strowger_worker;
grant update (name, source, facts, tier, updated_at) on public.leads to authenticated, service_role, strowger_worker;

alter table public.leads enable row level security;
alter table public.leads force row level security;
create policy leads_member_reads on public.leads for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy leads_agent_inserts on public.leads for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 2);
create policy leads_agent_updates on public.leads for update to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 2)
    with check (workspace_id = (select strowger.my_workspace()));
create policy leads_worker on public.leads to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
