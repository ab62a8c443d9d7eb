-- The transcript: who said what. Derived from call_events and replaced as a whole when derived again.

create table public.turns (
    workspace_id uuid not null,
    call_id uuid not null,
    position integer not null check (position > 0),
    speaker text not null check (speaker in ('caller', 'agent')),
    turn integer not null,
    at_ms bigint not null,
    text text not null,
    meant text not null default '',
    complete boolean not null default true,
    keyed boolean not null default false,
    primary key (call_id, position),
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id)
);
comment on table public.turns is 'The transcript in order. Of the agent''s lines only what the caller heard.';
comment on column public.turns.meant is 'What the agent was saying, where the caller heard only a part of it.';
create index turns_workspace on public.turns (workspace_id, call_id, position);

grant select on public.turns to authenticated, service_role;
grant select, insert, delete on public.turns to strowger_worker;

alter table public.turns enable row level security;
alter table public.turns force row level security;
create policy turns_member_reads on public.turns for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy turns_worker on public.turns to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
