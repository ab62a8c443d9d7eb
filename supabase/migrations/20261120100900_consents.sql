-- What a person agreed to, in the words they were shown, until they take it back.

create table public.consents (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    phone text not null check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    purpose text not null check (purpose <> ''),
    kind text not null check (kind in ('oral', 'written', 'whatsapp')),
    wording text not null check (wording <> ''),
    channel text not null check (channel <> ''),
    evidence text not null check (evidence <> ''),
    call_id uuid,
    given_at timestamptz not null,
    revoked_at timestamptz check (revoked_at >= given_at),
    revoked_how text,
    unique (workspace_id, id),
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id),
    check ((revoked_at is null) = (revoked_how is null))
);
comment on table public.consents is 'Consent per person, seller (the workspace) and purpose. A revoked one stays, with the time.';
comment on column public.consents.wording is 'The exact text the person was shown or told.';
comment on column public.consents.purpose is 'marketing, informational, whatsapp, recording.';
comment on column public.consents.evidence is 'Where the proof lies: a signature, a form''s address, a call.';
create index consents_current on public.consents (workspace_id, phone, purpose, given_at desc) where revoked_at is null;
create unique index consents_once_per_call on public.consents (workspace_id, call_id, purpose) where call_id is not null;

create function strowger.only_revoke() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' and old.revoked_at is null and new.revoked_at is not null
       and to_jsonb(new) - 'revoked_at' - 'revoked_how' = to_jsonb(old) - 'revoked_at' - 'revoked_how' then
        return new;
    end if;
    raise exception 'a consent can only be revoked, once' using errcode = 'insufficient_privilege';
end
$$;
comment on function strowger.only_revoke() is 'A consent is evidence: the one change it may see is its revocation.';
revoke execute on function strowger.only_revoke() from public;
create trigger consents_only_revoke before update or delete on public.consents
    for each row execute function strowger.only_revoke();
create trigger consents_keep before truncate on public.consents
    for each statement execute function strowger.refuse_change();

grant select, insert on public.consents to authenticated, service_role, strowger_worker;
grant update (revoked_at, revoked_how) on public.consents to authenticated, service_role, strowger_worker;

alter table public.consents enable row level security;
alter table public.consents force row level security;
create policy consents_member_reads on public.consents for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy consents_manager_inserts on public.consents for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
-- Taking consent back must never wait for somebody more senior.
create policy consents_agent_revokes on public.consents for update to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 2)
    with check (workspace_id = (select strowger.my_workspace()));
create policy consents_worker on public.consents to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
