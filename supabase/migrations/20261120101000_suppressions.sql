-- Numbers that must not be called or written to. Append-only: nobody can delete one.

create table public.suppressions (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    phone text not null check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    phone_hash text not null,
    channel_scope text not null default 'all' check (channel_scope in ('all', 'voice', 'whatsapp')),
    reason text not null check (reason <> ''),
    evidence text not null,
    call_id uuid,
    created_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (workspace_id, phone_hash, channel_scope),
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id)
);
comment on table public.suppressions is 'Who asked to be left alone, per seller. Append-only.';
comment on column public.suppressions.phone_hash is 'Keyed with the workspace''s phone_key; remembers the number after its contact is erased.';
comment on column public.suppressions.evidence is 'The person''s words, or who entered it and why.';

create index suppressions_call on public.suppressions (workspace_id, call_id);

create function strowger.hash_phone() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    select encode(sha256(w.phone_key || convert_to(new.phone, 'UTF8')), 'hex')
    into new.phone_hash
    from public.workspaces w where w.id = new.workspace_id;
    return new;
end
$$;
comment on function strowger.hash_phone() is 'Definer: the key is for the database alone.';
revoke execute on function strowger.hash_phone() from public;
create trigger suppressions_hash before insert on public.suppressions
    for each row execute function strowger.hash_phone();

create trigger suppressions_append_only before update or delete on public.suppressions
    for each row execute function strowger.refuse_change();
create trigger suppressions_keep before truncate on public.suppressions
    for each statement execute function strowger.refuse_change();

create function strowger.is_suppressed(phone text, channel text default 'all') returns boolean
language sql stable security definer set search_path = ''
as $$
    select exists (
        select from public.suppressions s
        join public.workspaces w on w.id = s.workspace_id
        where w.id = (select strowger.here())
          and s.phone_hash = encode(sha256(w.phone_key || convert_to($1, 'UTF8')), 'hex')
          and (s.channel_scope = 'all' or $2 = 'all' or s.channel_scope = $2)
    )
$$;
comment on function strowger.is_suppressed(text, text) is
    'Is this number to be left alone? By its keyed hash, so that erased contacts are found; in the caller''s workspace only.';
revoke execute on function strowger.is_suppressed(text, text) from public;
grant execute on function strowger.is_suppressed(text, text) to authenticated, strowger_worker;

grant select, insert on public.suppressions to authenticated, service_role, strowger_worker;

alter table public.suppressions enable row level security;
alter table public.suppressions force row level security;
create policy suppressions_member_reads on public.suppressions for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy suppressions_agent_inserts on public.suppressions for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 2);
create policy suppressions_worker on public.suppressions to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
