-- A call, the tokens that admit its media sockets, and the carrier's callbacks about it.

create function strowger.call_rank(status text) returns integer
language sql immutable set search_path = ''
as $$
    select case status
        when 'queued' then 1 when 'initiated' then 2 when 'ringing' then 3 when 'in-progress' then 4
        when 'completed' then 5 when 'busy' then 5 when 'failed' then 5 when 'no-answer' then 5 when 'canceled' then 5
    end
$$;
comment on function strowger.call_rank(text) is 'The carrier''s statuses in the order of a call''s life; 5 is final.';
revoke execute on function strowger.call_rank(text) from public;
grant execute on function strowger.call_rank(text) to authenticated, service_role, strowger_worker;

create table public.calls (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    call_sid text not null unique check (call_sid ~ '^[A-Za-z0-9_-]{1,64}$'),
    account_sid text not null default '',
    direction text not null check (direction in ('inbound', 'outbound')),
    caller text not null,
    called text not null,
    lead_id uuid,
    attempt_id uuid,
    playbook text not null,
    playbook_version integer not null,
    status text not null default 'ringing' check (strowger.call_rank(status) is not null),
    status_sequence integer not null default -1,
    end_reason text,
    recording_path text,
    created_at timestamptz not null default now(),
    answered_at timestamptz,
    ended_at timestamptz,
    unique (workspace_id, id),
    unique (workspace_id, attempt_id),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id),
    foreign key (workspace_id, attempt_id) references public.attempts (workspace_id, id)
);
comment on table public.calls is 'One leg at the carrier. What happened in it is in call_events.';
comment on column public.calls.caller is 'As the carrier gave it; not always a number, and never proof of who is calling.';
comment on column public.calls.ended_at is 'Set once, by the final status or by the end of our own conversation, whichever came first.';
create index calls_lead on public.calls (workspace_id, lead_id, created_at desc);
create index calls_recent on public.calls (workspace_id, created_at desc);

create table public.media_tokens (
    token_hash text primary key check (token_hash ~ '^[0-9a-f]{64}$'),
    workspace_id uuid not null,
    call_id uuid not null,
    issued_at timestamptz not null default now(),
    expires_at timestamptz not null check (expires_at <= issued_at + interval '60 seconds'),
    redeemed_at timestamptz,
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id)
);
comment on table public.media_tokens is 'SHA-256 of the single-use tokens that admit a media socket, at most 60 s old.';
create index media_tokens_call on public.media_tokens (workspace_id, call_id);

create table public.carrier_events (
    workspace_id uuid not null,
    key text not null check (key <> ''),
    call_id uuid not null,
    body jsonb not null,
    received_at timestamptz not null default now(),
    primary key (workspace_id, key),
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id)
);
comment on table public.carrier_events is 'Callbacks as received. The key makes a repeated or replayed one harmless. Append-only.';
create index carrier_events_call on public.carrier_events (workspace_id, call_id);
create trigger carrier_events_append_only before update or delete on public.carrier_events
    for each row execute function strowger.refuse_change();
create trigger carrier_events_keep before truncate on public.carrier_events
    for each statement execute function strowger.refuse_change();

create function strowger.redeem_media_token(hash text, at timestamptz) returns setof public.calls
language sql volatile security definer set search_path = ''
as $$
    with redeemed as (
        update public.media_tokens t set redeemed_at = at
        where t.token_hash = hash and t.redeemed_at is null and t.expires_at > at
        returning t.call_id
    )
    select c.* from public.calls c join redeemed r on r.call_id = c.id
$$;
comment on function strowger.redeem_media_token(text, timestamptz) is 'The call a token admits to. One statement, so a token works once.';

create function strowger.workspace_of_call(sid text) returns uuid
language sql stable security definer set search_path = ''
as $$ select c.workspace_id from public.calls c where c.call_sid = sid $$;
comment on function strowger.workspace_of_call(text) is 'For callbacks that name a call and no number.';

revoke execute on function strowger.redeem_media_token(text, timestamptz), strowger.workspace_of_call(text) from public;
grant execute on function strowger.redeem_media_token(text, timestamptz), strowger.workspace_of_call(text) to strowger_worker;

grant select on public.calls to authenticated, service_role;
grant select, insert on public.calls to strowger_worker;
grant update (lead_id, status, status_sequence, end_reason, recording_path, answered_at, ended_at) on public.calls
    to strowger_worker;
grant select, insert on public.media_tokens to strowger_worker;
grant select, insert on public.carrier_events to strowger_worker;

alter table public.calls enable row level security;
alter table public.calls force row level security;
create policy calls_member_reads on public.calls for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy calls_worker on public.calls to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

alter table public.media_tokens enable row level security;
alter table public.media_tokens force row level security;
create policy media_tokens_worker on public.media_tokens to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

alter table public.carrier_events enable row level security;
alter table public.carrier_events force row level security;
create policy carrier_events_worker on public.carrier_events to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
