-- What is deleted when its days are over, and what is kept whatever happens.
--
-- Deleted: what was said and keyed in a call, its transcript and callbacks, the texts of messages, notes; then the name,
-- number and facts of a lead nobody has been in touch with. Kept: what a log says of disclosures, consents and refusals,
-- its figures, that a call took place, between which numbers, when, with which result,
-- what the gate had decided (16 CFR 310.5: five years), consents, suppressions and the audit log.

alter table public.workspaces
    add column recording_days integer not null default 30 check (recording_days between 1 and 3650);
comment on column public.workspaces.recording_days is 'How long the sound of calls is kept.';
comment on column public.workspaces.retention_days is
    'How long what was said, and who a lead is, is kept after the last contact. The record that a call took place stays.';
grant select (recording_days) on public.workspaces to authenticated, strowger_worker;
grant update (recording_days) on public.workspaces to authenticated;

alter table public.calls add column forgotten_at timestamptz;
comment on column public.calls.forgotten_at is 'Since then nobody knows what was said in it; evidence and figures of its log are left.';
create index calls_remembered on public.calls (workspace_id, ended_at) where forgotten_at is null;
alter table public.leads add column forgotten_at timestamptz;
comment on column public.leads.forgotten_at is 'Since then it has no name, number or facts any more.';
create index leads_remembered on public.leads (workspace_id, updated_at) where forgotten_at is null;

create table public.legal_holds (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    lead_id uuid,
    why text not null check (length(why) between 1 and 500),
    set_by uuid not null,
    set_at timestamptz not null default now(),
    lifted_by uuid,
    lifted_at timestamptz check (lifted_at >= set_at),
    unique (workspace_id, id),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id),
    check ((lifted_at is null) = (lifted_by is null))
);
comment on table public.legal_holds is 'What may not be deleted while a dispute or inquiry goes on, whatever its days.';
comment on column public.legal_holds.lead_id is 'Null: everything of the workspace.';
create index legal_holds_lead on public.legal_holds (workspace_id, lead_id);

grant select on public.legal_holds to authenticated, service_role;
grant insert on public.legal_holds to authenticated;
grant update (lifted_by, lifted_at) on public.legal_holds to authenticated;
alter table public.legal_holds enable row level security;
alter table public.legal_holds force row level security;
create policy legal_holds_admin on public.legal_holds to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4)
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4);

-- These tables stay append-only for everybody; only the two functions below may take from them what is past its days.
create function strowger.refuse_change_but_forgetting() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if pg_catalog.current_setting('strowger.forgetting', true) = 'on' then
        return case tg_op when 'DELETE' then old else new end;
    end if;
    raise exception 'table %.% is append-only', tg_table_schema, tg_table_name using errcode = 'insufficient_privilege';
end
$$;
comment on function strowger.refuse_change_but_forgetting() is
    'As refuse_change, but for what retention deletes. Whoever only sets the setting still has no right to delete.';
revoke execute on function strowger.refuse_change_but_forgetting() from public;

do $$
declare
    name text;
begin
    foreach name in array array['call_events', 'carrier_events', 'outcomes', 'notes', 'tier_overrides'] loop
        execute format('drop trigger %I on public.%I', name || '_append_only', name);
        execute format('create trigger %I before update or delete on public.%I '
                       'for each row execute function strowger.refuse_change_but_forgetting()', name || '_append_only', name);
    end loop;
end
$$;

create function strowger.held(lead uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
    select exists (
        select from public.legal_holds h
        where h.workspace_id = (select strowger.here()) and h.lifted_at is null and (h.lead_id is null or h.lead_id = lead)
    )
$$;
comment on function strowger.held(uuid) is 'Whether nothing about this lead (null: about a call without one) may be deleted now.';

create function strowger.calls_to_forget(at timestamptz) returns setof uuid
language sql stable security definer set search_path = ''
as $$
    select c.id
    from public.calls c join public.workspaces w on w.id = c.workspace_id
    where c.workspace_id = (select strowger.here()) and c.forgotten_at is null
      and c.ended_at < at - pg_catalog.make_interval(days => w.retention_days)
      and exists (select from public.outcomes o where o.call_id = c.id)
      and not strowger.held(c.lead_id)
$$;
comment on function strowger.calls_to_forget(timestamptz) is 'Calls of this workspace whose days are over.';

create function strowger.leads_to_forget(at timestamptz) returns setof uuid
language sql stable security definer set search_path = ''
as $$
    select l.id
    from public.leads l
    join public.workspaces w on w.id = l.workspace_id
    cross join lateral (select at - pg_catalog.make_interval(days => w.retention_days) as moment) since
    where l.workspace_id = (select strowger.here()) and l.forgotten_at is null
      and l.updated_at < since.moment and l.created_at < since.moment
      and not exists (
          select from public.calls c
          where c.workspace_id = l.workspace_id and c.lead_id = l.id
            and (c.ended_at is null or c.ended_at >= since.moment)
      )
      and not exists (
          select from public.messages m
          where m.workspace_id = l.workspace_id and m.lead_id = l.id and m.created_at >= since.moment
      )
      and not exists (
          select from public.notes n
          where n.workspace_id = l.workspace_id and n.lead_id = l.id and n.written_at >= since.moment
      )
      and not exists (
          select from public.campaign_leads p join public.campaigns g on g.id = p.campaign_id
          where p.workspace_id = l.workspace_id and p.lead_id = l.id and g.state <> 'ended'
      )
      and not strowger.held(l.id)
$$;
comment on function strowger.leads_to_forget(timestamptz) is
    'Leads of this workspace with whom there was no contact for its days, and who are on no list that is being called.';

create function strowger.forget_calls(at timestamptz, most integer) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
    old uuid[] := array(select strowger.calls_to_forget(at) limit most);
    logged bigint;
    spoken bigint;
    callbacks bigint;
    texts bigint;
begin
    perform pg_catalog.set_config('strowger.forgetting', 'on', true);
    delete from public.call_events
    where call_id = any (old) and kind not in (
        -- evidence of what a person was told and said to it
        'DisclosureHeard', 'ConsentGiven', 'RecordingRefused', 'OptedOut',
        -- that there was a call, and figures
        'CallBegan', 'CallEnded', 'AnsweredBy', 'TurnTimed', 'TokensUsed', 'UnitsUsed'
    );
    get diagnostics logged = row_count;
    delete from public.turns where call_id = any (old);
    get diagnostics spoken = row_count;
    delete from public.carrier_events where call_id = any (old);
    get diagnostics callbacks = row_count;
    update public.messages set text = '' where call_id = any (old) and text <> '';
    get diagnostics texts = row_count;
    update public.outcomes set facts = '{}' where call_id = any (old) and facts <> '{}';
    update public.calls set forgotten_at = at, recording_path = null where id = any (old);
    perform pg_catalog.set_config('strowger.forgetting', '', true);
    return pg_catalog.jsonb_build_object('calls', pg_catalog.cardinality(old), 'events', logged, 'lines', spoken,
                                         'callbacks', callbacks, 'messages', texts);
end
$$;
comment on function strowger.forget_calls(timestamptz, integer) is
    'Deletes what was said in calls whose days are over, so many at once; the days are the workspace''s own.';

create function strowger.forget_leads(at timestamptz, most integer) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
    old uuid[] := array(select strowger.leads_to_forget(at) limit most);
    texts bigint;
    written bigint;
begin
    perform pg_catalog.set_config('strowger.forgetting', 'on', true);
    delete from public.notes where lead_id = any (old);
    get diagnostics written = row_count;
    update public.messages set text = '' where lead_id = any (old) and text <> '';
    get diagnostics texts = row_count;
    update public.tier_overrides set why = '' where lead_id = any (old) and why <> '';
    update public.leads set name = null, phone = null, facts = '{}', tags = '{}', forgotten_at = at where id = any (old);
    perform pg_catalog.set_config('strowger.forgetting', '', true);
    return pg_catalog.jsonb_build_object('leads', pg_catalog.cardinality(old), 'notes', written, 'messages', texts);
end
$$;
comment on function strowger.forget_leads(timestamptz, integer) is
    'Takes name, number, facts and notes from leads whose days are over, so many at once.';

create function strowger.plan_retention(night text) returns integer
language sql volatile security definer set search_path = ''
as $$
    with planned as (
        insert into public.outbox (workspace_id, kind, key) select w.id, 'retention', night from public.workspaces w
        on conflict (workspace_id, kind, key) do nothing
        returning 1
    )
    select count(*)::integer from planned
$$;
comment on function strowger.plan_retention(text) is 'One night''s deleting for every workspace, once.';

revoke execute on function strowger.held(uuid), strowger.calls_to_forget(timestamptz),
    strowger.leads_to_forget(timestamptz), strowger.forget_calls(timestamptz, integer),
    strowger.forget_leads(timestamptz, integer), strowger.plan_retention(text) from public;
grant execute on function strowger.held(uuid), strowger.calls_to_forget(timestamptz), strowger.leads_to_forget(timestamptz)
    to strowger_worker, authenticated;
grant execute on function strowger.forget_calls(timestamptz, integer), strowger.forget_leads(timestamptz, integer),
    strowger.plan_retention(text) to strowger_worker;
