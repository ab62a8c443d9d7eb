-- A small, made-up day at a made-up solar installer, for development: `supabase db reset` runs it after the migrations.
-- Every name is invented and every number is one of those reserved for fiction. May be run again: it changes nothing then.

do $seed$
declare
    ws constant uuid := '5707a6e2-0000-4000-8000-000000000001';
    today constant timestamptz := date_trunc('day', now());
begin
    if exists (select from public.calls where workspace_id = ws) then
        return;
    end if;

    insert into public.workspaces (id, name) values (ws, 'Northlight Solar') on conflict (id) do nothing;

    insert into public.playbooks (workspace_id, name) values (ws, 'northlight_solar')
    on conflict (workspace_id, name) do nothing;
    insert into public.playbook_versions (workspace_id, playbook_id, version, yaml, sha256, published_by)
    select ws, p.id, 1, y.yaml, encode(sha256(convert_to(y.yaml, 'UTF8')), 'hex'), 'seed'
    from public.playbooks p, (values ('# `strowger up` publishes the real one as version 2' || chr(10))) y (yaml)
    where p.workspace_id = ws and p.name = 'northlight_solar'
    on conflict (playbook_id, version) do nothing;
    insert into public.phone_numbers (workspace_id, e164, playbook, whatsapp)
    values (ws, '+12025550100', 'northlight_solar', true)
    on conflict (e164) do nothing;

    insert into public.leads (id, workspace_id, phone, name, source, facts, tier, created_at, updated_at)
    select md5('lead' || phone)::uuid, ws, phone, name, source, facts::jsonb, tier, today + at, today + at
    from (values
        ('+12025550141', 'Maya Torres', 'inbound_call', '{"roof": "tile", "bill": "210", "owner": "yes"}', 'hot', interval '9 h'),
        ('+12025550142', 'Ben Okafor', 'inbound_call', '{"roof": "shingle", "bill": "140", "owner": "yes"}', 'warm', interval '10 h'),
        ('+12025550143', null, 'inbound_call', '{}', 'cold', interval '11 h'),
        ('+12025550144', 'Ines Keller', 'web_form', '{"bill": "95", "owner": "no"}', 'cold', interval '13 h'),
        ('+12025550145', 'Ravi Menon', 'inbound_call', '{"roof": "flat", "bill": "320", "owner": "yes"}', 'hot', interval '15 h'),
        ('+12025550146', null, 'inbound_call', '{}', null, interval '16 h')
    ) l (phone, name, source, facts, tier, at)
    on conflict (workspace_id, phone) do nothing;

    insert into public.calls (id, workspace_id, call_sid, direction, caller, called, lead_id, playbook, playbook_version, status,
                              end_reason, created_at, answered_at, ended_at)
    select md5('call' || n)::uuid, ws, 'CAseed' || n, 'inbound', phone, '+12025550100',
           (select l.id from public.leads l where l.workspace_id = ws and l.phone = c.phone),
           'northlight_solar', 1, 'completed', reason, today + at, today + at, today + at + lasted
    from (values
        (1, '+12025550141', 'finished', interval '9 h', interval '3 min 12 s'),
        (2, '+12025550142', 'finished', interval '10 h 20 min', interval '2 min 5 s'),
        (3, '+12025550143', 'silence', interval '11 h 3 min', interval '31 s'),
        (4, '+12025550144', 'finished', interval '13 h 40 min', interval '1 min 48 s'),
        (5, '+12025550145', 'transferred', interval '15 h 12 min', interval '1 min 2 s'),
        (6, '+12025550146', 'opted_out', interval '16 h 30 min', interval '19 s')
    ) c (n, phone, reason, at, lasted);

    insert into public.turns (workspace_id, call_id, position, speaker, turn, at_ms, text, meant, complete)
    select ws, md5('call' || n)::uuid, position, speaker, turn, at_ms, text, meant, meant = ''
    from (values
        (1, 1, 'agent', 0, 400, 'Thank you for calling Northlight Solar. I am the automated assistant.', ''),
        (1, 2, 'caller', 1, 6100, 'hi i would like to know what solar would cost me', ''),
        (1, 3, 'agent', 1, 9000, 'Most homes of your size', 'Most homes of your size pay between nine and fourteen thousand dollars.'),
        (1, 4, 'caller', 2, 11200, 'we have a tile roof if that matters', ''),
        (1, 5, 'agent', 2, 14000, 'Tile is fine. Would Tuesday at ten suit you for a visit?', ''),
        (1, 6, 'caller', 3, 18800, 'tuesday at ten is good', ''),
        (2, 1, 'agent', 0, 400, 'Thank you for calling Northlight Solar. I am the automated assistant.', ''),
        (2, 2, 'caller', 1, 5900, 'i am only comparing prices', ''),
        (4, 1, 'agent', 0, 400, 'Thank you for calling Northlight Solar. I am the automated assistant.', ''),
        (4, 2, 'caller', 1, 6000, 'i rent can i still do this', ''),
        (5, 1, 'agent', 0, 400, 'Thank you for calling Northlight Solar. I am the automated assistant.', ''),
        (5, 2, 'caller', 1, 5800, 'could i talk to a person please', ''),
        (6, 1, 'agent', 0, 400, 'Thank you for calling Northlight Solar.', 'Thank you for calling Northlight Solar. I am the automated assistant.'),
        (6, 2, 'caller', 1, 2600, 'take me off your list', '')
    ) t (n, position, speaker, turn, at_ms, text, meant);

    insert into public.outcomes (workspace_id, call_id, call_sid, lead_id, result, reason, facts, appointment, follow_up, turns,
                                 interruptions, duration_ms, reply_p50_ms, reply_p95_ms, recorded_at)
    select ws, c.id, c.call_sid, c.lead_id, o.result, c.end_reason, l.facts, o.appointment, o.follow_up, o.turns,
           o.interruptions, (extract(epoch from c.ended_at - c.created_at) * 1000)::bigint, 780, 1240, c.ended_at
    from (values
        (1, 'booked', to_char(today + interval '4 days', 'YYYY-MM-DD"T10:00"'), 'appointment', 3, 1),
        (2, 'qualified', null, null, 1, 0),
        (3, 'silent', null, null, 0, 0),
        (4, 'conversed', null, null, 1, 0),
        (5, 'human_requested', null, null, 1, 0),
        (6, 'opted_out', null, null, 1, 1)
    ) o (n, result, appointment, follow_up, turns, interruptions)
    join public.calls c on c.id = md5('call' || o.n)::uuid
    join public.leads l on l.id = c.lead_id;

    insert into public.scores (workspace_id, lead_id, call_id, model_version, probability, lower, upper, tier, reasons, scored_at)
    select ws, c.lead_id, c.id, 'seed', s.p, s.p - 0.08, s.p + 0.08, s.tier, s.reasons, c.ended_at
    from (values
        (1, 0.81, 'hot', array['asked for an appointment', 'owns the home', 'high electricity bill']),
        (2, 0.42, 'warm', array['owns the home', 'compares prices', 'short call']),
        (4, 0.12, 'cold', array['rents', 'low electricity bill', 'short call']),
        (5, 0.66, 'hot', array['asked for a person', 'high electricity bill', 'owns the home'])
    ) s (n, p, tier, reasons)
    join public.calls c on c.id = md5('call' || s.n)::uuid;

    insert into public.consents (workspace_id, phone, purpose, kind, wording, channel, evidence, call_id, given_at)
    values (ws, '+12025550141', 'whatsapp', 'whatsapp', 'May Northlight Solar send you the details on WhatsApp?', 'call',
            'call CAseed1', md5('call1')::uuid, today + interval '9 h 3 min');
    insert into public.messages (workspace_id, direction, call_id, lead_id, template, sender, recipient, text, status, provider_sid,
                                 created_at, status_at)
    select ws, 'outbound', c.id, c.lead_id, 'appointment', '+12025550100', '+12025550141',
           'Hello Maya, Northlight Solar here: we look forward to seeing you on Tuesday at 10:00.', 'read', 'SMseed1',
           c.ended_at, c.ended_at + interval '2 min'
    from public.calls c where c.id = md5('call1')::uuid;
    insert into public.suppressions (workspace_id, phone, reason, evidence, call_id, created_at)
    values (ws, '+12025550146', 'asked in a call', 'call CAseed6: take me off your list', md5('call6')::uuid,
            today + interval '16 h 30 min');
end
$seed$;
