-- The model of the estimate during a call is made in the night of sales, from the same outcomes: it has none of its own.

create or replace function strowger.plan_nights(night text) returns integer
language sql volatile security definer set search_path = ''
as $$
    with targets as (
        select w.id as workspace_id, 'converted' as target from public.workspaces w
        union
        select m.workspace_id, m.target from public.models m where m.target <> 'live'
        union
        select r.workspace_id, r.target from public.lead_results r where r.target <> 'live'
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
