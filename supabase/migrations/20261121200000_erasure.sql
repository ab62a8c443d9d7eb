-- What one person may ask for: everything that is kept about them (GDPR Art. 15, 20), and that it goes (Art. 17).
--
-- Both are made from one table, `strowger.places_of_a_person`: where a person's data lies, how their rows are found, and
-- what becomes of those rows. A table that is not in it, and could have such rows, fails a test.

create table public.erasures (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id),
    lead_id uuid not null,
    suppress boolean not null default true,
    asked_by uuid not null,
    asked_at timestamptz not null default now(),
    waits_for text check (waits_for in ('call', 'hold', 'carrier', 'file')),
    silenced text[] not null default '{}',
    removed jsonb not null default '{}',
    done_at timestamptz,
    unique (workspace_id, id),
    foreign key (workspace_id, lead_id) references public.leads (workspace_id, id)
);
comment on table public.erasures is 'That everything about a person is to go, or has gone: who asked for it, and how much of what went.';
comment on column public.erasures.suppress is 'Whether the number goes on the list of those who are never called or written to.';
comment on column public.erasures.waits_for is 'The end of a call with its outcome, a legal hold, the carrier that keeps a copy, or a file that cannot be deleted.';
comment on column public.erasures.silenced is
    'The carrier''s ids of calls and messages of which neither our recordings nor the carrier hold a copy any more.';
create unique index erasures_open on public.erasures (workspace_id, lead_id) where done_at is null;
create index erasures_lead on public.erasures (workspace_id, lead_id, asked_at desc);

create table public.kept_evidence (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    erasure_id uuid not null,
    what text not null check (what in ('consent', 'call', 'said', 'decision')),
    body jsonb not null,
    keep_until timestamptz not null,
    unique (workspace_id, id),
    foreign key (workspace_id, erasure_id) references public.erasures (workspace_id, id)
);
comment on table public.kept_evidence is
    'What law wants kept of an erased person: proof of consent, and that there was a call. Nobody''s token reads it.';
comment on column public.kept_evidence.what is 'said: what was disclosed, agreed to, refused. call, decision: 16 CFR 310.5.';
create index kept_evidence_erasure on public.kept_evidence (workspace_id, erasure_id);
create index kept_evidence_until on public.kept_evidence (workspace_id, keep_until);

grant select, insert on public.erasures to authenticated;
grant select on public.erasures to service_role, strowger_worker;
grant select on public.kept_evidence to strowger_worker;
grant update (waits_for, silenced) on public.erasures to strowger_worker;
alter table public.erasures enable row level security;
alter table public.erasures force row level security;
create policy erasures_admin on public.erasures to authenticated
    using (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4)
    with check (workspace_id = (select strowger.my_workspace()) and (select strowger.my_rank()) >= 4);
create policy erasures_worker on public.erasures to strowger_worker
    using (workspace_id = (select strowger.tenant())) with check (workspace_id = (select strowger.tenant()));
alter table public.kept_evidence enable row level security;
alter table public.kept_evidence force row level security;
create policy kept_evidence_worker_reads on public.kept_evidence for select to strowger_worker
    using (workspace_id = (select strowger.tenant()));

-- A dossier is read as the workspace's worker, and row-level security says what that sees.
grant select on public.notes, public.legal_holds to strowger_worker;
create policy notes_worker_reads on public.notes for select to strowger_worker
    using (workspace_id = (select strowger.tenant()));
create policy legal_holds_worker_reads on public.legal_holds for select to strowger_worker
    using (workspace_id = (select strowger.tenant()));

create function strowger.plan_erasure() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into public.outbox (workspace_id, kind, key) values (new.workspace_id, 'erasure', new.id::text);
    return null;
end
$$;
comment on function strowger.plan_erasure() is 'Its job is written with it: none is asked for and forgotten.';
revoke execute on function strowger.plan_erasure() from public;
create trigger erasures_are_done after insert on public.erasures
    for each row when (new.done_at is null) execute function strowger.plan_erasure();

-- These stay append-only for everybody; erasing may take what is one person's from them.
do $$
declare
    name text;
begin
    foreach name in array array['decisions', 'scores', 'lead_results', 'turn_readings'] loop
        execute format('drop trigger %I on public.%I', name || '_append_only', name);
        execute format('create trigger %I before update or delete on public.%I '
                       'for each row execute function strowger.refuse_change_but_forgetting()', name || '_append_only', name);
    end loop;
end
$$;
create trigger kept_evidence_append_only before update or delete on public.kept_evidence
    for each row execute function strowger.refuse_change_but_forgetting();
create trigger kept_evidence_keep before truncate on public.kept_evidence
    for each statement execute function strowger.refuse_change();

create or replace function strowger.only_revoke() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' and old.revoked_at is null and new.revoked_at is not null
       and to_jsonb(new) - 'revoked_at' - 'revoked_how' = to_jsonb(old) - 'revoked_at' - 'revoked_how' then
        return new;
    end if;
    -- to be kept as evidence of an erased person
    if tg_op = 'DELETE' and pg_catalog.current_setting('strowger.forgetting', true) = 'on' then
        return old;
    end if;
    raise exception 'a consent can only be revoked, once' using errcode = 'insufficient_privilege';
end
$$;

create function strowger.refuse_change_but_blanking() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' and pg_catalog.current_setting('strowger.forgetting', true) = 'on'
       and to_jsonb(new) - 'subject' - 'detail' = to_jsonb(old) - 'subject' - 'detail' then
        return new;
    end if;
    raise exception 'table %.% is append-only', tg_table_schema, tg_table_name using errcode = 'insufficient_privilege';
end
$$;
comment on function strowger.refuse_change_but_blanking() is
    'Who did what and when never changes; erasing takes a telephone number out of what it was done to.';
revoke execute on function strowger.refuse_change_but_blanking() from public;
drop trigger if exists audit_log_append_only on public.audit_log;
create trigger audit_log_append_only before update or delete on public.audit_log
    for each row execute function strowger.refuse_change_but_blanking();

create function strowger.mentions(words text, needles text[]) returns boolean
language sql immutable set search_path = ''
as $$ select exists (select from unnest(needles) n where pg_catalog.strpos(words, n) > 0) $$;
comment on function strowger.mentions(text, text[]) is 'Whether one of them is in the text, letter for letter.';

create function strowger.a_person(lead uuid, out phone text, out calls uuid[], out sids text[], out needles text[])
language plpgsql stable set search_path = ''
as $$
begin
    select l.phone into phone from public.leads l where l.workspace_id = (select strowger.here()) and l.id = lead;
    select coalesce(array_agg(c.id), '{}'), coalesce(array_agg(c.call_sid), '{}') into calls, sids
    from public.calls c
    where c.workspace_id = (select strowger.here())
      and (c.lead_id = lead or (c.lead_id is null and phone in (c.caller, c.called)));
    needles := array_remove(array[phone, lead::text] || sids, null);
end
$$;
comment on function strowger.a_person(uuid) is
    'What a lead is found by: number, calls, and everything that, in a text, means this person and no other.';

create function strowger.places_of_a_person()
returns table (place text, told boolean, find text, erase text[], why text)
language sql immutable set search_path = ''
as $places$
    values
    -- $1 lead, $2 number, $3 calls, $4 the carrier's ids of them, $5 needles, $6 workspace; t is the table.
    ('turns', true, $$t.call_id = any ($3)$$, array['delete from public.turns t where @found'], ''),
    ('turn_readings', true, $$t.call_id = any ($3)$$, array['delete from public.turn_readings t where @found'], ''),
    ('call_events', true, $$t.call_id = any ($3)$$, array[
        $$delete from public.call_events t where @found
          and t.kind not in ('CallBegan', 'CallEnded', 'AnsweredBy', 'TurnTimed', 'TokensUsed', 'UnitsUsed')$$,
        $$update public.call_events t
          set body = t.body || pg_catalog.jsonb_build_object(
              case t.body ->> 'direction' when 'outbound' then 'called' else 'caller' end, '')
          where @found and t.kind = 'CallBegan'$$
    ], 'its figures stay, of nobody'),
    ('carrier_events', true, $$t.call_id = any ($3)$$, array['delete from public.carrier_events t where @found'], ''),
    ('media_tokens', false, $$t.call_id = any ($3)$$, array['delete from public.media_tokens t where @found'],
     'not told: it was good for a minute'),
    ('tickets', false, $$t.call_sid = any ($4)$$, array['delete from public.tickets t where @found'],
     'not told: it admitted one of us, once'),
    ('scores', true, $$t.lead_id = $1 or t.call_id = any ($3)$$, array['delete from public.scores t where @found'], ''),
    ('lead_results', true, $$t.lead_id = $1$$, array['delete from public.lead_results t where @found'], ''),
    ('tier_overrides', true, $$t.lead_id = $1 or t.call_id = any ($3)$$,
     array['delete from public.tier_overrides t where @found'], ''),
    ('notes', true, $$t.lead_id = $1$$, array['delete from public.notes t where @found'], ''),
    ('messages', true, $$t.lead_id = $1 or t.call_id = any ($3) or (t.lead_id is null and $2 in (t.sender, t.recipient))$$,
     array[
        $$update public.messages t
          set text = '', error = null, sender = case t.direction when 'inbound' then '' else t.sender end,
              recipient = case t.direction when 'inbound' then t.recipient else '' end
          where @found$$
    ], 'that one was sent stays, of nobody'),
    ('outcomes', true, $$t.lead_id = $1 or t.call_id = any ($3)$$, array[
        $$update public.outcomes t set facts = '{}', appointment = null, follow_up = null, whatsapp_consent = null where @found$$
    ], 'its result and figures stay, of nobody'),
    ('consents', true, $$t.phone = $2 or t.call_id = any ($3)$$, array['delete from public.consents t where @found'],
     'proof of it goes to kept_evidence'),
    ('decisions', true, $$t.phone = $2$$,
     array[$$update public.decisions t set phone = '', findings = '[]' where @found$$], 'goes to kept_evidence'),
    ('attempts', true, $$t.lead_id = $1$$, array[]::text[], 'ids and times: that there was a dial, of nobody'),
    ('campaign_leads', true, $$t.lead_id = $1$$, array[
        $$update public.campaign_leads t
          set why = '', again_at = null, state = case when t.state in ('waiting', 'calling') then 'refused' else t.state end
          where @found$$
    ], 'its place on the list stays, of nobody'),
    ('notification_deliveries', true, $$t.notification_id in (
         select n.id from public.notifications n
         where n.workspace_id = $6
           and (n.lead_id = $1 or n.call_sid = any ($4) or strowger.mentions(n.key || n.about::text, $5)))$$,
     array['delete from public.notification_deliveries t where @found'], ''),
    ('notifications', true,
     $$t.lead_id = $1 or t.call_sid = any ($4) or strowger.mentions(t.key || t.about::text, $5)$$,
     array['delete from public.notifications t where @found'], ''),
    ('webhook_deliveries', true, $$strowger.mentions(t.key || t.body::text, $5)$$, array[
        $$update public.webhook_deliveries t
          set body = '{}', error = null, status = case t.status when 'waiting' then 'failed' else t.status end
          where @found$$
    ], ''),
    ('alerts', true, $$strowger.mentions(t.subject || t.sentence || t.detail::text, $5)$$,
     array['delete from public.alerts t where @found'], ''),
    ('outbox', false, $$strowger.mentions(t.key, $5) or pg_catalog.strpos(t.payload::text, $2) > 0$$, array[
        $$update public.outbox t set payload = '{}', last_error = null, done_at = coalesce(t.done_at, pg_catalog.now())
          where @found$$
    ], 'not told: what is still to be done'),
    ('idempotency_keys', false, $$strowger.mentions(t.headers::text || coalesce(t.body, ''), $5)$$,
     array['delete from public.idempotency_keys t where @found'],
     'not told: answers that were given to us, which others may be in as well'),
    ('audit_log', true, $$strowger.mentions(t.subject || ' ' || t.detail::text, $5)$$, array[
        $$update public.audit_log t set subject = pg_catalog.replace(t.subject, $2, ''), detail = '{}'
          where @found and pg_catalog.strpos(t.subject || ' ' || t.detail::text, $2) > 0$$
    ], 'that something was done stays'),
    ('legal_holds', true, $$t.lead_id = $1$$,
     array[$$update public.legal_holds t set why = 'erased' where @found$$], 'only those that were lifted are here by then'),
    ('suppressions', true, $$t.phone = $2 or t.call_id = any ($3)$$, array[]::text[],
     'kept, so that nobody calls them again'),
    ('kept_evidence', true, $$t.erasure_id in (
         select e.id from public.erasures e where e.workspace_id = $6 and e.lead_id = $1)$$, array[]::text[],
     'kept as long as law wants it, and out of everybody''s reach'),
    ('erasures', true, $$t.lead_id = $1$$, array[]::text[], 'that it was done'),
    ('calls', true, $$t.id = any ($3)$$, array[
        $$update public.calls t
          set caller = case t.direction when 'inbound' then '' else t.caller end,
              called = case t.direction when 'outbound' then '' else t.called end,
              recording_path = null, forgotten_at = coalesce(t.forgotten_at, pg_catalog.now())
          where @found$$
    ], 'that there was a call stays, with nobody'),
    ('leads', true, $$t.id = $1$$, array[
        $$update public.leads t
          set name = null, phone = null, source = 'erased', facts = '{}', tags = '{}', tier = null,
              forgotten_at = coalesce(t.forgotten_at, pg_catalog.now())
          where @found$$
    ], 'an empty row that others refer to')
$places$;
comment on function strowger.places_of_a_person() is
    'Where data of one person lies: how their rows are found, whether a dossier shows them, and what erases them, in order.';

create function strowger.rows_of_a_person(lead uuid) returns table (place text, held jsonb)
language plpgsql stable set search_path = ''
as $$
declare
    who record;
    here constant uuid := strowger.here();
    one record;
begin
    select * into who from strowger.a_person(lead);
    for one in select p.place, p.find from strowger.places_of_a_person() p where p.told loop
        return query execute pg_catalog.format(
            'select %L::text, to_jsonb(t) from public.%I t where t.workspace_id = $6 and (%s)', one.place, one.place, one.find)
            using lead, who.phone, who.calls, who.sids, who.needles, here;
    end loop;
end
$$;
comment on function strowger.rows_of_a_person(uuid) is
    'Everything that is kept about a lead, row by row. With the rights of whoever asks: row-level security decides what they see.';

create function strowger.keep_evidence(erasure uuid, lead uuid, at timestamptz) returns bigint
language sql volatile security definer set search_path = ''
as $$
    with who as (select * from strowger.a_person(lead)),
    kept (what, body, keep_until) as (
        select 'consent', to_jsonb(c) || jsonb_build_object('name', l.name), at + interval '5 years'
        from who, public.leads l, public.consents c
        where l.id = lead and c.workspace_id = l.workspace_id and (c.phone = who.phone or c.call_id = any (who.calls))
        union all
        select 'call', jsonb_build_object(
                   'call_sid', c.call_sid, 'direction', c.direction, 'caller', c.caller, 'called', c.called,
                   'status', c.status, 'began', c.created_at, 'answered', c.answered_at, 'ended', c.ended_at,
                   'playbook', c.playbook, 'playbook_version', c.playbook_version, 'result', o.result, 'reason', o.reason,
                   'duration_ms', o.duration_ms), c.created_at + interval '5 years'
        from who, public.calls c left join public.outcomes o on o.call_id = c.id
        where c.id = any (who.calls)
        union all
        select 'said', e.body || jsonb_build_object('kind', e.kind, 'call_sid', c.call_sid, 'at_ms', e.at_ms),
               c.created_at + interval '5 years'
        from who, public.call_events e join public.calls c on c.id = e.call_id
        where e.call_id = any (who.calls) and e.kind in ('DisclosureHeard', 'ConsentGiven', 'RecordingRefused', 'OptedOut')
        union all
        select 'decision', to_jsonb(d) - 'findings', d.recorded_at + interval '5 years'
        from who, public.decisions d
        where d.workspace_id = (select strowger.here()) and d.phone = who.phone
    ), written as (
        insert into public.kept_evidence (workspace_id, erasure_id, what, body, keep_until)
        select (select strowger.here()), erasure, k.what, k.body, k.keep_until from kept k where k.keep_until > at
        returning 1
    )
    select count(*) from written
$$;
comment on function strowger.keep_evidence(uuid, uuid, timestamptz) is
    'Sets aside what law wants kept for five years, before it is erased where everybody reads it.';

create function strowger.erase_a_person(erasure uuid, at timestamptz) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
    job public.erasures;
    who record;
    one record;
    statement text;
    touched bigint;
    counts jsonb := '{}';
    here constant uuid := strowger.here();
begin
    select * into job from public.erasures e where e.workspace_id = here and e.id = erasure for update;
    if job.id is null or job.done_at is not null then
        return job.removed;
    end if;
    perform from public.leads l where l.workspace_id = here and l.id = job.lead_id for update;
    select * into who from strowger.a_person(job.lead_id);
    if strowger.held(job.lead_id) then
        return '{"waits_for": "hold"}';
    end if;
    -- what a call that goes on will still write, and the sound of one that ended since
    if not who.sids <@ job.silenced or exists (
        select from public.calls c where c.id = any (who.calls)
          and (c.ended_at is null or not exists (select from public.outcomes o where o.call_id = c.id))
    ) then
        return '{"waits_for": "call"}';
    end if;
    if who.phone is not null and (job.suppress or exists (
        select from public.call_events e where e.call_id = any (who.calls) and e.kind = 'OptedOut'
    )) then
        insert into public.suppressions (workspace_id, phone, reason, evidence)
        values (here, who.phone, 'erased', 'asked to be erased') on conflict (workspace_id, phone_hash, channel_scope) do nothing;
    end if;
    perform pg_catalog.set_config('strowger.forgetting', 'on', true);
    counts := pg_catalog.jsonb_build_object('kept_evidence', strowger.keep_evidence(job.id, job.lead_id, at));
    for one in select p.place, p.find, p.erase from strowger.places_of_a_person() p loop
        foreach statement in array one.erase loop
            execute pg_catalog.replace(statement, '@found', '(t.workspace_id = $6 and (' || one.find || '))')
                using job.lead_id, who.phone, who.calls, who.sids, who.needles, here;
            get diagnostics touched = row_count;
            counts := counts || pg_catalog.jsonb_build_object(one.place, touched + coalesce((counts ->> one.place)::bigint, 0));
        end loop;
    end loop;
    perform pg_catalog.set_config('strowger.forgetting', '', true);
    update public.erasures e set done_at = at, waits_for = null, removed = counts where e.id = job.id;
    return counts;
end
$$;
comment on function strowger.erase_a_person(uuid, timestamptz) is
    'All of it or nothing, in one transaction, once the copies outside of the database are gone. Says what it waits for.';

create function strowger.forget_evidence(at timestamptz) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
    gone integer;
begin
    perform pg_catalog.set_config('strowger.forgetting', 'on', true);
    delete from public.kept_evidence k using public.erasures e
    where k.workspace_id = (select strowger.here()) and k.keep_until <= at
      and e.workspace_id = k.workspace_id and e.id = k.erasure_id and not strowger.held(e.lead_id);
    get diagnostics gone = row_count;
    perform pg_catalog.set_config('strowger.forgetting', '', true);
    return gone;
end
$$;
comment on function strowger.forget_evidence(timestamptz) is 'What was kept of erased people as long as law wants it.';

revoke execute on function strowger.mentions(text, text[]), strowger.a_person(uuid), strowger.places_of_a_person(),
    strowger.rows_of_a_person(uuid), strowger.keep_evidence(uuid, uuid, timestamptz),
    strowger.erase_a_person(uuid, timestamptz), strowger.forget_evidence(timestamptz) from public;
grant execute on function strowger.mentions(text, text[]), strowger.a_person(uuid), strowger.places_of_a_person(),
    strowger.rows_of_a_person(uuid), strowger.erase_a_person(uuid, timestamptz),
    strowger.forget_evidence(timestamptz) to strowger_worker;
