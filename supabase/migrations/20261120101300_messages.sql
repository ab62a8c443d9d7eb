-- WhatsApp messages, both ways. An outgoing row is the claim: it is committed before anything is sent.

create function strowger.message_rank(status text) returns integer
language sql immutable set search_path = ''
as $$
    select case status
        when 'released' then 0 when 'claimed' then 1 when 'queued' then 2 when 'accepted' then 2 when 'scheduled' then 2
        when 'sending' then 3 when 'sent' then 4 when 'delivered' then 5 when 'read' then 6
        when 'undelivered' then 7 when 'failed' then 7 when 'canceled' then 7
        when 'received' then 8
    end
$$;
comment on function strowger.message_rank(text) is 'Delivery statuses in the order of a message''s life; receipts come in any order.';
revoke execute on function strowger.message_rank(text) from public;
grant execute on function strowger.message_rank(text) to authenticated, service_role, strowger_worker;

create table public.messages (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    direction text not null check (direction in ('inbound', 'outbound')),
    call_id uuid,
    lead_id uuid,
    template text,
    sender text not null,
    recipient text not null,
    text text not null,
    status text not null check (strowger.message_rank(status) is not null),
    provider_sid text,
    error text,
    created_at timestamptz not null default now(),
    status_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (workspace_id, provider_sid),
    unique (call_id, template),
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id),
    check (direction = 'inbound' or template is not null)
);
comment on table public.messages is 'WhatsApp messages. At most one per call and template ever leaves.';
comment on column public.messages.template is 'Name of the message in the playbook; null for what people write to us.';
create index messages_call on public.messages (workspace_id, call_id);
create index messages_lead on public.messages (workspace_id, lead_id);
create index messages_last_inbound on public.messages (workspace_id, sender, created_at desc) where direction = 'inbound';

grant select on public.messages to authenticated, service_role;
grant select, insert on public.messages to strowger_worker;
grant update (status, status_at, provider_sid, error) on public.messages to strowger_worker;

alter table public.messages enable row level security;
alter table public.messages force row level security;
create policy messages_member_reads on public.messages for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy messages_worker on public.messages to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
