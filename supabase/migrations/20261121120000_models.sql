-- Models: where each comes from, how good it was, and whether its scores show. And what was noticed about them.

create table public.models (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    target text not null check (target ~ '^[a-z0-9_]{1,64}$'),
    version text not null check (version <> ''),
    stage text not null default 'candidate' check (stage in ('candidate', 'shadow', 'champion', 'retired')),
    file_sha256 text not null check (file_sha256 ~ '^[0-9a-f]{64}$'),
    features integer not null check (features > 0),
    trained_on text not null,
    data_sha256 text not null check (data_sha256 ~ '^[0-9a-f]{64}$'),
    code_version text not null check (code_version <> ''),
    rows integer not null check (rows > 0),
    positives integer not null check (positives between 0 and rows),
    data_from timestamptz,
    data_to timestamptz check (data_to >= data_from),
    metrics jsonb not null default '{}',
    card text not null default '',
    created_at timestamptz not null default now(),
    stage_at timestamptz not null default now(),
    replaced text,
    unique (workspace_id, id),
    unique (workspace_id, target, version)
);
comment on table public.models is 'One row per trained model. The file lies in storage under its hash; what it was trained on never changes.';
comment on column public.models.target is 'What the model foretells: converted, churned, ...';
comment on column public.models.replaced is 'The champion before this one became champion: where a roll back leads. Null: the shipped model.';
create unique index models_one_champion on public.models (workspace_id, target) where stage = 'champion';
create unique index models_one_shadow on public.models (workspace_id, target) where stage = 'shadow';

create function strowger.model_goes_on() returns trigger
language plpgsql set search_path = ''
as $$
declare
    life constant text[] := array['stage', 'stage_at', 'replaced'];
begin
    if tg_op = 'UPDATE' and to_jsonb(new) - life = to_jsonb(old) - life then
        return new;
    end if;
    raise exception 'a model changes its stage and nothing else' using errcode = 'insufficient_privilege';
end
$$;
comment on function strowger.model_goes_on() is 'Lineage is evidence; only the stage moves.';
revoke execute on function strowger.model_goes_on() from public;
create trigger models_go_on before update or delete on public.models
    for each row execute function strowger.model_goes_on();
create trigger models_keep before truncate on public.models
    for each statement execute function strowger.refuse_change();

grant select on public.models to authenticated, service_role;
grant select, insert, update (stage, stage_at, replaced) on public.models to strowger_worker;

alter table public.models enable row level security;
alter table public.models force row level security;
create policy models_member_reads on public.models for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy models_worker on public.models to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

-- What somebody should look at. The same thing noticed again is the same row until somebody, or the cure, closes it.

create table public.alerts (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    kind text not null check (kind <> ''),
    subject text not null,
    sentence text not null check (sentence <> ''),
    detail jsonb not null default '{}',
    opened_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    times integer not null default 1 check (times > 0),
    closed_at timestamptz,
    unique (workspace_id, id)
);
comment on table public.alerts is 'What was noticed, in one sentence: a feature that moved, a promise not kept, a file refused.';
comment on column public.alerts.times is 'How often it was noticed while it was open.';
create unique index alerts_open on public.alerts (workspace_id, kind, subject) where closed_at is null;

grant select on public.alerts to authenticated, service_role;
grant select, insert, update (sentence, detail, seen_at, times, closed_at) on public.alerts to strowger_worker;

alter table public.alerts enable row level security;
alter table public.alerts force row level security;
create policy alerts_member_reads on public.alerts for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy alerts_worker on public.alerts to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

-- What became of a lead in the end, as people or their CRM say it. The newest counts.

create table public.lead_results (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    lead_id uuid not null,
    won boolean not null,
    at timestamptz not null,
    noted_by text not null check (noted_by <> ''),
    noted_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id)
);
comment on table public.lead_results is 'Sold or not: the truth that models are judged by. Append-only; a correction is a new row.';
create index lead_results_lead on public.lead_results (workspace_id, lead_id, noted_at desc);

create trigger lead_results_append_only before update or delete on public.lead_results
    for each row execute function strowger.refuse_change();
create trigger lead_results_keep before truncate on public.lead_results
    for each statement execute function strowger.refuse_change();

grant select on public.lead_results to authenticated, service_role;
grant select, insert on public.lead_results to strowger_worker;

alter table public.lead_results enable row level security;
alter table public.lead_results force row level security;
create policy lead_results_member_reads on public.lead_results for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy lead_results_worker on public.lead_results to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

-- The shadow scores every lead beside the champion. Its scores never show; what a score looked at is kept with it.

alter table public.scores add column shadow boolean not null default false;
alter table public.scores add column features jsonb not null default '{}';
comment on column public.scores.shadow is 'By a challenger on trial: judged by the outcome, never shown, never acted on.';
comment on column public.scores.features is 'The row the model was given: what was done and said in the call, nothing of who the person is.';

create function strowger.plan_nights(night text) returns integer
language sql volatile security definer set search_path = ''
as $$
    with planned as (
        insert into public.outbox (workspace_id, kind, key)
        select w.id, 'night', night from public.workspaces w
        where exists (select from public.scores s where s.workspace_id = w.id)
        on conflict (workspace_id, kind, key) do nothing
        returning 1
    )
    select count(*)::integer from planned
$$;
comment on function strowger.plan_nights(text) is 'A night''s work on the models of every workspace that has scores, once.';
revoke execute on function strowger.plan_nights(text) from public;
grant execute on function strowger.plan_nights(text) to strowger_worker;
