-- How a call ended. Exactly one per call, whoever gets there first.

create table public.outcomes (
    call_id uuid primary key,
    workspace_id uuid not null,
    call_sid text not null,
    lead_id uuid,
    result text not null check (result in (
        'opted_out', 'booked', 'human_requested', 'qualified', 'conversed', 'silent', 'abandoned', 'provider_outage', 'media_lost'
    )),
    reason text not null,
    facts jsonb not null default '{}',
    appointment text,
    follow_up text,
    whatsapp_consent text,
    turns integer not null default 0,
    interruptions integer not null default 0,
    duration_ms bigint not null default 0,
    reply_p50_ms integer,
    reply_p95_ms integer,
    recorded_at timestamptz not null default now(),
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id)
);
comment on table public.outcomes is 'What a call achieved, derived from its log. Append-only.';
comment on column public.outcomes.appointment is 'Local ISO 8601 to the minute.';
create index outcomes_lead on public.outcomes (workspace_id, lead_id);
create index outcomes_recent on public.outcomes (workspace_id, recorded_at desc);

create trigger outcomes_append_only before update or delete on public.outcomes
    for each row execute function strowger.refuse_change();
create trigger outcomes_keep before truncate on public.outcomes
    for each statement execute function strowger.refuse_change();

create function strowger.calls_without_outcome(ended_before timestamptz, silent_since timestamptz, most integer)
returns table (workspace_id uuid, call_sid text)
language sql stable security definer set search_path = ''
as $$
    select c.workspace_id, c.call_sid
    from public.calls c
    where not exists (select from public.outcomes o where o.call_id = c.id)
      and (c.ended_at < ended_before
           or (c.ended_at is null and c.created_at < silent_since
               and not exists (select from public.call_events e where e.call_id = c.id and e.written_at >= silent_since)))
    order by c.created_at
    limit most
$$;
comment on function strowger.calls_without_outcome(timestamptz, timestamptz, integer) is
    'What a crash left behind: ended calls, and calls nobody has said anything about for long.';
revoke execute on function strowger.calls_without_outcome(timestamptz, timestamptz, integer) from public;
grant execute on function strowger.calls_without_outcome(timestamptz, timestamptz, integer) to strowger_worker;

grant select on public.outcomes to authenticated, service_role;
grant select, insert on public.outcomes to strowger_worker;

alter table public.outcomes enable row level security;
alter table public.outcomes force row level security;
create policy outcomes_member_reads on public.outcomes for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy outcomes_worker on public.outcomes to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
