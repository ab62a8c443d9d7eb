-- The log of a call: everything else about it is derived from here.

create table public.call_events (
    workspace_id uuid not null,
    call_id uuid not null,
    seq integer not null check (seq > 0),
    at_ms bigint not null,
    kind text not null check (kind <> ''),
    body jsonb not null,
    written_at timestamptz not null default now(),
    primary key (call_id, seq),
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id)
);
comment on table public.call_events is 'One fact per row, numbered without gaps from 1. Append-only.';
comment on column public.call_events.at_ms is 'Milliseconds since the call''s first media stream started.';
create index call_events_workspace on public.call_events (workspace_id, call_id, seq);

create trigger call_events_append_only before update or delete on public.call_events
    for each row execute function strowger.refuse_change();
create trigger call_events_keep before truncate on public.call_events
    for each statement execute function strowger.refuse_change();

grant select on public.call_events to authenticated, service_role;
grant select, insert on public.call_events to strowger_worker;

alter table public.call_events enable row level security;
alter table public.call_events force row level security;
create policy call_events_member_reads on public.call_events for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy call_events_worker on public.call_events to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
