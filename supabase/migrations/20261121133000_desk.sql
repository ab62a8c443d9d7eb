-- What people add at their desks: notes and tags on leads, drafts of playbooks, and a person's own word on a tier.

alter table public.leads add column tags text[] not null default '{}' check (cardinality(tags) <= 20);
grant update (tags) on public.leads to authenticated, service_role;
create index leads_newest on public.leads (workspace_id, updated_at desc, id desc);
drop index public.calls_recent;  -- the next one does its work, and pages need a tie broken
create index calls_newest on public.calls (workspace_id, created_at desc, id desc);
create index calls_live on public.calls (workspace_id, created_at desc) where ended_at is null;
create index outcomes_result on public.outcomes (workspace_id, result, recorded_at desc);

create table public.notes (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    lead_id uuid not null,
    text text not null check (length(text) between 1 and 4000),
    written_by uuid not null,
    written_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id)
);
comment on table public.notes is 'What a person of ours wrote about a lead. Append-only.';
create index notes_lead on public.notes (workspace_id, lead_id, written_at desc);

create trigger notes_append_only before update or delete on public.notes
    for each row execute function strowger.refuse_change();
create trigger notes_keep before truncate on public.notes
    for each statement execute function strowger.refuse_change();

grant select, insert on public.notes to authenticated, service_role;

alter table public.notes enable row level security;
alter table public.notes force row level security;
create policy notes_member_reads on public.notes for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy notes_agent_inserts on public.notes for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 2);

create table public.playbook_drafts (
    workspace_id uuid not null,
    playbook_id uuid not null,
    yaml text not null check (yaml <> ''),
    saved_by text not null,
    saved_at timestamptz not null default now(),
    primary key (workspace_id, playbook_id),
    foreign key (workspace_id, playbook_id) references public.playbooks (workspace_id, id)
);
comment on table public.playbook_drafts is 'At most one unfinished text per playbook. It is never used for a call.';

grant select, insert, delete on public.playbook_drafts to authenticated, service_role;
grant update (yaml, saved_by, saved_at) on public.playbook_drafts to authenticated, service_role;

alter table public.playbook_drafts enable row level security;
alter table public.playbook_drafts force row level security;
create policy playbook_drafts_member_reads on public.playbook_drafts for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy playbook_drafts_manager_inserts on public.playbook_drafts for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy playbook_drafts_manager_updates on public.playbook_drafts for update to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3)
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy playbook_drafts_manager_deletes on public.playbook_drafts for delete to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);

create table public.tier_overrides (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    lead_id uuid not null,
    call_id uuid,
    kind text not null check (kind in ('priority', 'offer')),
    tier text check (tier <> '' and (kind = 'offer' or tier in ('hot', 'warm', 'cold'))),
    why text not null default '' check (length(why) <= 300),
    who text not null check (who <> ''),
    at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id),
    foreign key (workspace_id, call_id) references public.calls (workspace_id, id)
);
comment on table public.tier_overrides is
    'Where a person knew better than the model. The newest counts; models are taught with it. Append-only.';
comment on column public.tier_overrides.tier is 'Null: what the model says counts again.';
create index tier_overrides_lead on public.tier_overrides (workspace_id, lead_id, kind, at desc);
create index tier_overrides_call on public.tier_overrides (workspace_id, call_id);

create trigger tier_overrides_append_only before update or delete on public.tier_overrides
    for each row execute function strowger.refuse_change();
create trigger tier_overrides_keep before truncate on public.tier_overrides
    for each statement execute function strowger.refuse_change();

grant select, insert on public.tier_overrides to authenticated, service_role;
grant select on public.tier_overrides to strowger_worker;

alter table public.tier_overrides enable row level security;
alter table public.tier_overrides force row level security;
create policy tier_overrides_member_reads on public.tier_overrides for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy tier_overrides_agent_inserts on public.tier_overrides for insert to authenticated
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 2);
create policy tier_overrides_worker on public.tier_overrides for select to strowger_worker
    using (workspace_id = (select strowger.tenant()));
