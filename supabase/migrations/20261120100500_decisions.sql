-- What the gate said, and the attempts it allowed. Both are evidence.

create table public.decisions (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    phone text not null,
    channel text not null check (channel in ('voice', 'whatsapp')),
    purpose text not null,
    verdict text not null check (verdict in ('allow', 'defer', 'deny')),
    rules text[] not null,
    findings jsonb not null,
    rules_version text not null,
    until timestamptz,
    decided_at timestamptz,
    recorded_at timestamptz not null default now(),
    unique (workspace_id, id),
    check ((verdict = 'defer') = (until is not null))
);
comment on table public.decisions is 'Every answer of the gate: may this person be called or written to now? Append-only.';
comment on column public.decisions.rules is 'Ids of the rules that decided.';
comment on column public.decisions.findings is 'The objections, each with its rule and reason; empty when allowed.';
comment on column public.decisions.decided_at is 'The time it was decided for; null when the clock could not be trusted.';
create index decisions_phone on public.decisions (workspace_id, phone, recorded_at desc);

create table public.attempts (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    lead_id uuid not null,
    decision_id uuid not null,
    number integer not null check (number > 0),
    reserved_at timestamptz not null,
    unique (workspace_id, id),
    unique (workspace_id, lead_id, number),
    unique (workspace_id, decision_id),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id),
    foreign key (workspace_id, decision_id) references public.decisions (workspace_id, id)
);
comment on table public.attempts is 'One row per dial, written before it: at most one per lead and number. Every ring counts. Append-only.';

create trigger decisions_append_only before update or delete on public.decisions
    for each row execute function strowger.refuse_change();
create trigger decisions_keep before truncate on public.decisions
    for each statement execute function strowger.refuse_change();
create trigger attempts_append_only before update or delete on public.attempts
    for each row execute function strowger.refuse_change();
create trigger attempts_keep before truncate on public.attempts
    for each statement execute function strowger.refuse_change();

grant select on public.decisions, public.attempts to authenticated, service_role;
grant select, insert on public.decisions, public.attempts to strowger_worker;

alter table public.decisions enable row level security;
alter table public.decisions force row level security;
create policy decisions_member_reads on public.decisions for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy decisions_worker on public.decisions to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

alter table public.attempts enable row level security;
alter table public.attempts force row level security;
create policy attempts_member_reads on public.attempts for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy attempts_worker on public.attempts to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
