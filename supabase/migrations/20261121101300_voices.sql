-- Copies of people's voices: who agreed to it, in which words, and where the proof lies, before the copy is made.

create table public.voices (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    provider text not null check (provider <> ''),
    name text not null check (name ~ '^[a-z0-9_-]{1,64}$'),
    speaker text not null check (speaker <> ''),
    wording text not null check (wording <> ''),
    evidence text not null check (evidence <> ''),
    evidence_sha256 text not null check (evidence_sha256 ~ '^[0-9a-f]{64}$'),
    samples_sha256 text[] not null check (cardinality(samples_sha256) > 0),
    consented_at timestamptz not null,
    kept_by text not null check (kept_by <> ''),
    created_at timestamptz not null default now(),
    voice_id text check (voice_id <> ''),
    made_at timestamptz,
    deleted_at timestamptz check (deleted_at >= created_at),
    deleted_how text check (deleted_how <> ''),
    unique (workspace_id, id),
    check ((voice_id is null) = (made_at is null)),
    check ((deleted_at is null) = (deleted_how is null))
);
comment on table public.voices is
    'One row per copy of a person''s voice. It begins as a consent; the voice at the provider comes and goes.';
comment on column public.voices.speaker is 'Whose voice it is, as they named themselves.';
comment on column public.voices.wording is 'The exact text the speaker agreed to.';
comment on column public.voices.evidence is 'Where the recording of the consent lies.';
comment on column public.voices.evidence_sha256 is 'Of that recording, so that no other can take its place.';
comment on column public.voices.samples_sha256 is 'Of the recordings the copy was made from.';
comment on column public.voices.voice_id is 'The provider''s name for it. Null: agreed to, and not made (or not known to be).';
create unique index voices_name on public.voices (workspace_id, name) where deleted_at is null;
create unique index voices_made on public.voices (provider, voice_id) where voice_id is not null;

create function strowger.voice_goes_on() returns trigger
language plpgsql set search_path = ''
as $$
declare
    consent constant text[] := array['voice_id', 'made_at', 'deleted_at', 'deleted_how'];
begin
    if tg_op = 'UPDATE' and new is distinct from old and to_jsonb(new) - consent = to_jsonb(old) - consent
       and (old.voice_id is null or (new.voice_id, new.made_at) = (old.voice_id, old.made_at))
       and (old.deleted_at is null or (new.deleted_at, new.deleted_how) = (old.deleted_at, old.deleted_how)) then
        return new;
    end if;
    raise exception 'a voice is made once and deleted once, and its consent never changes'
        using errcode = 'insufficient_privilege';
end
$$;
comment on function strowger.voice_goes_on() is 'The consent is evidence; what became of the voice is written down once.';
revoke execute on function strowger.voice_goes_on() from public;
create trigger voices_go_on before update or delete on public.voices
    for each row execute function strowger.voice_goes_on();
create trigger voices_keep before truncate on public.voices
    for each statement execute function strowger.refuse_change();

grant select on public.voices to authenticated, service_role;
grant select, insert, update (voice_id, made_at, deleted_at, deleted_how) on public.voices to strowger_worker;

alter table public.voices enable row level security;
alter table public.voices force row level security;
create policy voices_manager_reads on public.voices for select to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 3);
create policy voices_worker on public.voices to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));

create function strowger.voice_is_not_ours(provider text, voice_id text) returns boolean
language sql stable security definer set search_path = ''
as $$
    select exists (
        select from public.voices v
        where v.provider = voice_is_not_ours.provider and v.voice_id = voice_is_not_ours.voice_id
          and (v.deleted_at is not null or v.workspace_id is distinct from strowger.here())
    )
$$;
comment on function strowger.voice_is_not_ours(text, text) is
    'A person''s voice that was agreed to for another workspace, or not any more. Voices nobody copied are everybody''s.';
revoke execute on function strowger.voice_is_not_ours(text, text) from public;
grant execute on function strowger.voice_is_not_ours(text, text) to authenticated, strowger_worker;
