-- What each turn of a caller's is about, as a model of words read it after the call. No words are kept here.

create table public.turn_readings (
    workspace_id uuid not null references public.workspaces (id),
    call_id uuid not null,
    seq integer not null check (seq > 0),
    intent text not null check (intent <> ''),
    probability double precision not null check (probability between 0 and 1),
    objection double precision not null check (objection between 0 and 1),
    sentiment double precision not null check (sentiment between -1 and 1),
    model_version text not null check (model_version <> ''),
    read_at timestamptz not null default now(),
    primary key (call_id, seq),
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id)
);
comment on table public.turn_readings is 'One reading per turn of the caller''s, by the first model that read it. Append-only.';
comment on column public.turn_readings.seq is 'The entry of the call''s log with the words.';
comment on column public.turn_readings.objection is 'Probability that the turn speaks against the offer.';
comment on column public.turn_readings.sentiment is 'How welcome the offer is by its words, from -1 to 1. Says nothing about a person''s feelings.';
create index turn_readings_call on public.turn_readings (workspace_id, call_id);

create trigger turn_readings_append_only before update or delete on public.turn_readings
    for each row execute function strowger.refuse_change();
create trigger turn_readings_keep before truncate on public.turn_readings
    for each statement execute function strowger.refuse_change();

grant select on public.turn_readings to authenticated, service_role;
grant select, insert on public.turn_readings to strowger_worker;

alter table public.turn_readings enable row level security;
alter table public.turn_readings force row level security;
create policy turn_readings_member_reads on public.turn_readings for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy turn_readings_worker on public.turn_readings to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
