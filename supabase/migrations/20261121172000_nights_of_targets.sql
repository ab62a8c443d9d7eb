-- What became of a lead in other respects than buying: has it left, has it bought again. Each is a target of its own
-- models, with nights of their own.

alter table public.lead_results
    add column target text not null default 'converted' check (target ~ '^[a-z0-9_]{1,64}$');
comment on column public.lead_results.target is 'What `won` is the answer to: converted, churned, bought_again, ...';
create index lead_results_target on public.lead_results (workspace_id, target, lead_id, noted_at desc);

create or replace function strowger.plan_nights(night text) returns integer
language sql volatile security definer set search_path = ''
as $$
    with targets as (
        select w.id as workspace_id, 'converted' as target from public.workspaces w
        union
        select m.workspace_id, m.target from public.models m
        union
        select r.workspace_id, r.target from public.lead_results r
    ), planned as (
        insert into public.outbox (workspace_id, kind, key)
        select t.workspace_id, 'night', case t.target when 'converted' then night else night || '/' || t.target end
        from targets t
        where exists (select from public.scores s where s.workspace_id = t.workspace_id)
        on conflict (workspace_id, kind, key) do nothing
        returning 1
    )
    select count(*)::integer from planned
$$;
comment on function strowger.plan_nights(text) is
    'A night''s work on the models of every workspace that has scores, once for each of its targets.';
