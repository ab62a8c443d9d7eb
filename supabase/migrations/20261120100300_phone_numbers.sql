-- Our own numbers: what a caller dialled decides whose call it is and which playbook answers.

create table public.phone_numbers (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    e164 text not null unique check (e164 ~ '^\+[1-9][0-9]{6,14}$'),
    playbook text not null,
    whatsapp boolean not null default false,
    created_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, playbook) references public.playbooks (workspace_id, name)
);
comment on table public.phone_numbers is 'Numbers of the workspace. A number belongs to one workspace only.';
create index phone_numbers_workspace on public.phone_numbers (workspace_id, playbook);

create function strowger.number(number text)
returns table (workspace_id uuid, e164 text, playbook text, whatsapp boolean)
language sql stable security definer set search_path = ''
as $$ select n.workspace_id, n.e164, n.playbook, n.whatsapp from public.phone_numbers n where n.e164 = $1 $$;
comment on function strowger.number(text) is 'Whose number this is: the first question of every webhook.';
revoke execute on function strowger.number(text) from public;
grant execute on function strowger.number(text) to strowger_worker;

grant select, insert, update, delete on public.phone_numbers to authenticated, service_role;
grant select on public.phone_numbers to strowger_worker;

alter table public.phone_numbers enable row level security;
alter table public.phone_numbers force row level security;
create policy phone_numbers_member_reads on public.phone_numbers for select to authenticated
    using (workspace_id = (select strowger.my_workspace()));
create policy phone_numbers_admin_writes on public.phone_numbers to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4)
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4);
create policy phone_numbers_worker_reads on public.phone_numbers for select to strowger_worker
    using (workspace_id = (select strowger.tenant()));
