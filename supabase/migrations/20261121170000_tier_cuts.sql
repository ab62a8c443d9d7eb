-- Where hot, warm and cold begin in a workspace: what its people can call in a day, and what a customer is worth.

alter table public.workspaces
    add column call_cost_usd numeric(12, 2) not null default 5 check (call_cost_usd >= 0);
comment on column public.workspaces.call_cost_usd is 'What a call to a lead costs, people''s time included: below this, calling does not pay.';
grant select (call_cost_usd) on public.workspaces to authenticated, strowger_worker;
grant update (call_cost_usd) on public.workspaces to authenticated;

create table public.tier_cuts (
    workspace_id uuid not null references public.workspaces (id),
    target text not null default 'converted' check (target ~ '^[a-z0-9_]{1,64}$'),
    model_version text not null check (model_version <> ''),
    usual double precision not null check (usual between 0 and 1),
    buyers double precision[] not null default '{}',
    buyers_of text not null default '',
    hot double precision not null check (hot between 0 and 2),
    warm double precision not null check (warm between 0 and hot),
    capacity_per_day integer not null,
    value_usd numeric(12, 2) not null,
    call_cost_usd numeric(12, 2) not null,
    leads integer not null check (leads >= 0),
    cut_at timestamptz not null default now(),
    primary key (workspace_id, target)
);
comment on table public.tier_cuts is 'The probabilities from which a lead is hot or warm here, cut for the model that serves. ';
comment on column public.tier_cuts.usual is 'The probability of the average lead the model learned from: nobody below it is hot.';
comment on column public.tier_cuts.buyers is 'Scores of buyers that the model had not seen, lowest first: what a cut misses is told by them.';
comment on column public.tier_cuts.hot is 'Above 1: nobody.';
comment on column public.tier_cuts.leads is 'Leads that could be called when the cuts were made.';

grant select on public.tier_cuts to authenticated, service_role;
grant select, insert, update on public.tier_cuts to strowger_worker;

alter table public.tier_cuts enable row level security;
alter table public.tier_cuts force row level security;
create policy tier_cuts_member_reads on public.tier_cuts for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy tier_cuts_worker on public.tier_cuts to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

create function strowger.tier_of(workspace uuid, probability double precision, given text) returns text
language sql stable set search_path = ''
as $$
    select coalesce((
        select case when probability >= k.hot then 'hot' when probability >= k.warm then 'warm' else 'cold' end
        from public.tier_cuts k where k.workspace_id = workspace and k.target = 'converted' and probability is not null), given)
$$;
comment on function strowger.tier_of(uuid, double precision, text) is
    'The tier of a score under the cuts that hold now; `given` while there are none.';
revoke execute on function strowger.tier_of(uuid, double precision, text) from public;
grant execute on function strowger.tier_of(uuid, double precision, text) to authenticated, service_role, strowger_worker;
