-- How people and programs come in: keys, invitations, one-time tickets, sessions.
--
-- Every secret is kept as its SHA-256 only: each is at least 200 random bits, so there is nothing to guess from a hash.

alter table public.members add column name text not null default '' check (length(name) <= 200);
comment on column public.members.name is 'As the person wants to be called; empty when they have not said.';
-- Made out for the whole table before the column was there; a member changes roles and names, nothing else.
revoke update on public.members from authenticated;
grant update (role, name, created_at) on public.members to authenticated;

create table public.api_keys (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    name text not null check (length(name) between 1 and 100),
    role text not null check (role in ('viewer', 'agent', 'manager', 'admin')),
    scopes text[] not null check (cardinality(scopes) between 1 and 50),
    key_hash text not null unique check (key_hash ~ '^[0-9a-f]{64}$'),
    hint text not null check (length(hint) <= 8),
    created_by uuid not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    replaces uuid,
    unique (workspace_id, id),
    foreign key (workspace_id, replaces) references public.api_keys (workspace_id, id)
);
comment on table public.api_keys is 'Keys of programs. A key acts under its own id, as a member would, with its own role and scopes.';
comment on column public.api_keys.hint is 'The last characters of the key, to tell keys apart on a screen.';
comment on column public.api_keys.replaces is 'The key it was made to take over from; that one goes on until its expires_at.';
create index api_keys_workspace on public.api_keys (workspace_id, created_at desc);
create index api_keys_replaces on public.api_keys (workspace_id, replaces);

create table public.invitations (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
    role text not null check (role in ('viewer', 'agent', 'manager', 'admin', 'owner')),
    name text not null default '' check (length(name) <= 200),
    created_by uuid not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null check (expires_at > created_at),
    accepted_at timestamptz,
    accepted_by uuid,
    revoked_at timestamptz,
    unique (workspace_id, id)
);
comment on table public.invitations is 'One-time links that make whoever opens one a member in the role it names.';
create index invitations_workspace on public.invitations (workspace_id, created_at desc);

create table public.tickets (
    token_hash text primary key check (token_hash ~ '^[0-9a-f]{64}$'),
    workspace_id uuid not null references public.workspaces (id),
    user_id uuid not null,
    purpose text not null check (purpose in ('session', 'feed', 'listen', 'phone')),
    call_sid text,
    issued_at timestamptz not null default now(),
    expires_at timestamptz not null,
    redeemed_at timestamptz,
    check (expires_at <= issued_at + case purpose when 'session' then interval '1 day' else interval '30 seconds' end)
);
comment on table public.tickets is 'What admits once: a browser to a session, a socket to a feed. A token never travels in an address.';
create index tickets_workspace on public.tickets (workspace_id, issued_at);

create table public.sessions (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    user_id uuid not null,
    token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
    previous_hash text check (previous_hash ~ '^[0-9a-f]{64}$'),
    rotated_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    unique (workspace_id, id)
);
comment on table public.sessions is 'A browser that stays signed in. Its cookie changes with every use; a copy used later ends the session.';
create index sessions_user on public.sessions (workspace_id, user_id);
create index sessions_previous on public.sessions (previous_hash);

create table public.idempotency_keys (
    workspace_id uuid not null references public.workspaces (id),
    user_id uuid not null,
    key text not null check (length(key) between 1 and 200),
    request_sha256 text not null check (request_sha256 ~ '^[0-9a-f]{64}$'),
    status integer,
    headers jsonb not null default '{}',
    body text,
    created_at timestamptz not null default now(),
    primary key (workspace_id, user_id, key)
);
comment on table public.idempotency_keys is 'What was answered to a request that named itself, for a day: the same request again gets the same answer.';
comment on column public.idempotency_keys.status is 'Null: begun, and not known to have ended.';
comment on column public.idempotency_keys.body is 'Null also where the answer held a secret: that is shown once.';

create function strowger.standing(who uuid, workspace uuid) returns text
language sql stable security definer set search_path = ''
as $$
    select m.role from public.members m where m.user_id = who and m.workspace_id = workspace
    union all
    select k.role from public.api_keys k
    where k.id = who and k.workspace_id = workspace
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > pg_catalog.now())
    limit 1
$$;
comment on function strowger.standing(uuid, uuid) is 'The role of a member or a live key in a workspace; null when it has none.';

create or replace function strowger.my_workspace() returns uuid
language sql stable security definer set search_path = ''
as $$
    select w.id
    from (select (select nullif(auth.jwt() -> 'app_metadata' ->> 'workspace_id', '')::uuid) as id) w
    where strowger.standing((select auth.uid()), w.id) is not null
$$;
comment on function strowger.my_workspace() is
    'The workspace of the caller''s token, if the caller is a member or a live key of it. Definer, or the policies would recurse.';

create or replace function strowger.my_rank() returns integer
language sql stable security definer set search_path = ''
as $$
    select coalesce(strowger.rank_of(strowger.standing((select auth.uid()), (select strowger.my_workspace()))), 0)
$$;

create function strowger.api_key(hash text)
returns table (id uuid, workspace_id uuid, role text, scopes text[], expires_at timestamptz)
language sql volatile security definer set search_path = ''
as $$
    update public.api_keys k set last_used_at = pg_catalog.now()
    where k.key_hash = hash and (k.last_used_at is null or k.last_used_at < pg_catalog.now() - interval '1 minute');
    select k.id, k.workspace_id, k.role, k.scopes, k.expires_at from public.api_keys k
    where k.key_hash = hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > pg_catalog.now());
$$;
comment on function strowger.api_key(text) is 'Whose key this is, if it still opens anything; notes to the minute that it was used.';

create function strowger.redeem_ticket(hash text, wanted text, at timestamptz)
returns table (workspace_id uuid, user_id uuid, role text, call_sid text)
language sql volatile security definer set search_path = ''
as $$
    with redeemed as (
        update public.tickets t set redeemed_at = at
        where t.token_hash = hash and t.purpose = wanted and t.redeemed_at is null and t.expires_at > at
        returning t.workspace_id, t.user_id, t.call_sid
    )
    select r.workspace_id, r.user_id, strowger.standing(r.user_id, r.workspace_id), r.call_sid from redeemed r
    where strowger.standing(r.user_id, r.workspace_id) is not null
$$;
comment on function strowger.redeem_ticket(text, text, timestamptz) is 'Whom a ticket admits. One statement, so a ticket works once.';

create function strowger.accept_invitation(hash text, at timestamptz)
returns table (workspace_id uuid, user_id uuid, role text)
language sql volatile security definer set search_path = ''
as $$
    with accepted as (
        update public.invitations i set accepted_at = at, accepted_by = pg_catalog.gen_random_uuid()
        where i.token_hash = hash and i.accepted_at is null and i.revoked_at is null and i.expires_at > at
        returning i.workspace_id, i.accepted_by, i.role, i.name
    )
    insert into public.members (workspace_id, user_id, role, name)
    select a.workspace_id, a.accepted_by, a.role, a.name from accepted a
    returning workspace_id, user_id, role
$$;
comment on function strowger.accept_invitation(text, timestamptz) is 'Makes a new member of whoever holds the link, once.';

-- Two tabs may ask at once: what was the cookie a moment ago is still good, and does not change it again.
create function strowger.refresh_session(hash text, fresh text, at timestamptz)
returns table (id uuid, workspace_id uuid, user_id uuid, role text, rotated boolean)
language sql volatile security definer set search_path = ''
as $$
    update public.sessions s set revoked_at = at
    where s.previous_hash = hash and s.revoked_at is null and s.rotated_at < at - interval '20 seconds';
    with rotated as (
        update public.sessions s set token_hash = fresh, previous_hash = hash, rotated_at = at
        where s.token_hash = hash and s.revoked_at is null and s.expires_at > at
        returning s.id, s.workspace_id, s.user_id, true as rotated
    ), found as (
        select * from rotated
        union all
        select s.id, s.workspace_id, s.user_id, false from public.sessions s
        where s.previous_hash = hash and s.revoked_at is null and s.expires_at > at
    )
    select f.id, f.workspace_id, f.user_id, strowger.standing(f.user_id, f.workspace_id), f.rotated from found f
    where strowger.standing(f.user_id, f.workspace_id) is not null;
$$;
comment on function strowger.refresh_session(text, text, timestamptz) is
    'Whose session a cookie belongs to; the cookie is replaced. One that was replaced before ends the session: it was copied.';

revoke execute on function strowger.standing(uuid, uuid), strowger.api_key(text),
    strowger.redeem_ticket(text, text, timestamptz), strowger.accept_invitation(text, timestamptz),
    strowger.refresh_session(text, text, timestamptz) from public;
grant execute on function strowger.standing(uuid, uuid), strowger.api_key(text),
    strowger.redeem_ticket(text, text, timestamptz), strowger.accept_invitation(text, timestamptz),
    strowger.refresh_session(text, text, timestamptz) to strowger_worker;

grant select (id, workspace_id, name, role, scopes, hint, created_by, created_at, expires_at, revoked_at, last_used_at, replaces)
    on public.api_keys to authenticated;
grant insert on public.api_keys to authenticated;
grant update (name, expires_at, revoked_at) on public.api_keys to authenticated;
grant select (id, workspace_id, role, name, created_by, created_at, expires_at, accepted_at, accepted_by, revoked_at)
    on public.invitations to authenticated;
grant insert on public.invitations to authenticated;
grant update (revoked_at) on public.invitations to authenticated;
grant select, insert on public.tickets to strowger_worker;
grant select, insert, update (revoked_at) on public.sessions to strowger_worker;
grant select, insert, update (status, headers, body), delete on public.idempotency_keys to strowger_worker;

alter table public.api_keys enable row level security;
alter table public.api_keys force row level security;
create policy api_keys_admin on public.api_keys to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4)
    with check (
        workspace_id = (select strowger.my_workspace())
        and (select strowger.my_rank()) >= 4 and strowger.rank_of(role) <= (select strowger.my_rank())
    );

alter table public.invitations enable row level security;
alter table public.invitations force row level security;
create policy invitations_admin on public.invitations to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4)
    with check (
        workspace_id = (select strowger.my_workspace())
        and (select strowger.my_rank()) >= 4 and strowger.rank_of(role) <= (select strowger.my_rank())
    );

alter table public.tickets enable row level security;
alter table public.tickets force row level security;
create policy tickets_worker on public.tickets to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

alter table public.sessions enable row level security;
alter table public.sessions force row level security;
create policy sessions_worker on public.sessions to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

alter table public.idempotency_keys enable row level security;
alter table public.idempotency_keys force row level security;
create policy idempotency_keys_worker on public.idempotency_keys to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
