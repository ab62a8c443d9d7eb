-- How likely a lead is to become a customer, by which model, and why. Advice, never a decision.

create table public.scores (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    lead_id uuid not null,
    call_id uuid not null,
    model_version text not null check (model_version <> ''),
    probability double precision not null check (probability between 0 and 1),
    lower double precision not null check (lower between 0 and 1),
    upper double precision not null check (upper between 0 and 1),
    tier text not null check (tier in ('hot', 'warm', 'cold')),
    reasons text[] not null,
    scored_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (call_id, model_version),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id),
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id),
    check (lower <= probability and probability <= upper)
);
comment on table public.scores is 'One score per call and model version. Append-only.';
create index scores_lead on public.scores (workspace_id, lead_id, scored_at desc);
create index scores_call on public.scores (workspace_id, call_id);

create trigger scores_append_only before update or delete on public.scores
    for each row execute function strowger.refuse_change();
create trigger scores_keep before truncate on public.scores
    for each statement execute function strowger.refuse_change();

grant select on public.scores to authenticated, service_role;
grant select, insert on public.scores to strowger_worker;

alter table public.scores enable row level security;
alter table public.scores force row level security;
create policy scores_member_reads on public.scores for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy scores_worker on public.scores to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
