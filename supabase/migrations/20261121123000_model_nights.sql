-- What a night did for the models, and the model files themselves, so that every worker on every machine finds them.

create table public.model_files (
    workspace_id uuid not null references public.workspaces (id),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    body bytea not null check (octet_length(body) between 1 and 67108864),
    kept_at timestamptz not null default now(),
    primary key (workspace_id, sha256),
    check (encode(sha256(body), 'hex') = sha256)
);
comment on table public.model_files is 'A model file under the hash of its bytes. Workers keep a copy in their data folder. Append-only.';
create trigger model_files_append_only before update or delete on public.model_files
    for each row execute function strowger.refuse_change();
create trigger model_files_keep before truncate on public.model_files
    for each statement execute function strowger.refuse_change();

grant select, insert on public.model_files to strowger_worker;

alter table public.model_files enable row level security;
alter table public.model_files force row level security;
create policy model_files_worker on public.model_files to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

create table public.model_nights (
    workspace_id uuid not null references public.workspaces (id),
    target text not null check (target ~ '^[a-z0-9_]{1,64}$'),
    night text not null check (night ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'),
    known_from timestamptz not null,
    known_to timestamptz not null check (known_to >= known_from),
    outcomes integer not null check (outcomes >= 0),
    positives integer not null check (positives between 0 and outcomes),
    learned boolean not null,
    why text not null check (why <> ''),
    decided_by text,
    found jsonb not null default '{}',
    noted_at timestamptz not null default now(),
    primary key (workspace_id, target, night)
);
comment on table public.model_nights is 'One night''s work on a model: what came in, whether it may be learned from, what had moved, what was done.';
comment on column public.model_nights.learned is 'False: these outcomes look turned over or broken, and are left out until a person decides.';
comment on column public.model_nights.found is 'Drift by column, kept promises, the duel, and what was done, as shown to people.';

grant select on public.model_nights to authenticated, service_role;
grant select, insert, update (learned, why, decided_by) on public.model_nights to strowger_worker;

alter table public.model_nights enable row level security;
alter table public.model_nights force row level security;
create policy model_nights_member_reads on public.model_nights for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy model_nights_worker on public.model_nights to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

create function strowger.model_watch() returns table (kind text, name text, value double precision)
language sql stable security definer set search_path = ''
as $$
    with latest as (
        select distinct on (n.workspace_id, n.target) n.found from public.model_nights n
        order by n.workspace_id, n.target, n.night desc
    )
    select 'psi', d ->> 'name', max((d ->> 'psi')::double precision)
    from latest, pg_catalog.jsonb_array_elements(latest.found -> 'drift') d group by d ->> 'name'
    union all
    select 'ks', d ->> 'name', max((d ->> 'ks')::double precision)
    from latest, pg_catalog.jsonb_array_elements(latest.found -> 'drift') d group by d ->> 'name'
    union all
    select 'calibration_error', '', max((latest.found -> 'kept' ->> 'calibration_error')::double precision) from latest
    union all
    select 'alerts', a.kind, count(*)::double precision from public.alerts a where a.closed_at is null group by a.kind
$$;
comment on function strowger.model_watch() is 'Figures for metrics, over all workspaces: the worst drift per column, and open alerts per kind.';
revoke execute on function strowger.model_watch() from public;
grant execute on function strowger.model_watch() to strowger_worker;
