-- One workspace with at least one row in every table. Run as the owner, after: select set_config('test.tag', 'a', false).
-- Ids are md5(tag || name), so that a test can name them.

create or replace function pg_temp.id(name text) returns uuid language sql
as $$ select md5(current_setting('test.tag') || name)::uuid $$;
create or replace function pg_temp.phone(start text) returns text language sql
as $$ select start || lpad((ascii(current_setting('test.tag')) % 100)::text, 2, '0') $$;

insert into workspaces (id, name) values (pg_temp.id('workspace'), 'Workspace ' || current_setting('test.tag'));
insert into members (workspace_id, user_id, role)
select pg_temp.id('workspace'), pg_temp.id(role), role from unnest(array['viewer', 'agent', 'manager', 'admin', 'owner']) role;
insert into playbooks (id, workspace_id, name) values (pg_temp.id('playbook'), pg_temp.id('workspace'), 'solar');
insert into playbook_versions (workspace_id, playbook_id, version, yaml, sha256, published_by)
values (pg_temp.id('workspace'), pg_temp.id('playbook'), 1, 'goal: sell', encode(sha256('goal: sell'), 'hex'), 'test');
insert into phone_numbers (id, workspace_id, e164, playbook)
values (pg_temp.id('number'), pg_temp.id('workspace'), pg_temp.phone('+120255501'), 'solar');
insert into leads (id, workspace_id, phone, name)
values (pg_temp.id('lead'), pg_temp.id('workspace'), pg_temp.phone('+120255502'), 'Ada');
insert into decisions (id, workspace_id, phone, channel, purpose, verdict, rules, findings, rules_version, decided_at)
select pg_temp.id(name), pg_temp.id('workspace'), pg_temp.phone('+120255502'), 'voice', 'marketing', 'allow', '{C02}', '[]',
       '1', now()
from unnest(array['decision', 'spare decision']) name;
insert into attempts (id, workspace_id, lead_id, decision_id, number, reserved_at)
values (pg_temp.id('attempt'), pg_temp.id('workspace'), pg_temp.id('lead'), pg_temp.id('decision'), 1, now());
insert into calls (id, workspace_id, call_sid, direction, caller, called, lead_id, playbook, playbook_version)
select pg_temp.id(name), pg_temp.id('workspace'), 'CA' || replace(pg_temp.id(name)::text, '-', ''), 'inbound',
       pg_temp.phone('+120255502'), pg_temp.phone('+120255501'), pg_temp.id('lead'), 'solar', 1
from unnest(array['call', 'spare call']) name;
insert into media_tokens (token_hash, workspace_id, call_id, expires_at)
values (encode(sha256(current_setting('test.tag')::bytea), 'hex'), pg_temp.id('workspace'), pg_temp.id('call'),
        now() + interval '30 s');
insert into carrier_events (workspace_id, key, call_id, body)
values (pg_temp.id('workspace'), 'status:1', pg_temp.id('call'), '{}');
insert into call_events (workspace_id, call_id, seq, at_ms, kind, body)
values (pg_temp.id('workspace'), pg_temp.id('call'), 1, 0, 'CallResumed', '{"stream_sid": "MZ1"}');
insert into turns (workspace_id, call_id, position, speaker, turn, at_ms, text)
values (pg_temp.id('workspace'), pg_temp.id('call'), 1, 'caller', 1, 0, 'hello');
insert into consents (id, workspace_id, phone, purpose, kind, wording, channel, evidence, given_at)
values (pg_temp.id('consent'), pg_temp.id('workspace'), pg_temp.phone('+120255502'), 'marketing', 'written', 'You may call me.',
        'form', 'form 1', now() - interval '1 day');
insert into suppressions (id, workspace_id, phone, reason, evidence)
values (pg_temp.id('suppression'), pg_temp.id('workspace'), pg_temp.phone('+120255503'), 'asked in a call', 'stop');
insert into outcomes (call_id, workspace_id, call_sid, lead_id, result, reason)
values (pg_temp.id('call'), pg_temp.id('workspace'), 'CA' || replace(pg_temp.id('call')::text, '-', ''), pg_temp.id('lead'),
        'booked', 'finished');
insert into scores (id, workspace_id, lead_id, call_id, model_version, probability, lower, upper, tier, reasons)
values (pg_temp.id('score'), pg_temp.id('workspace'), pg_temp.id('lead'), pg_temp.id('call'), 'v1', 0.7, 0.6, 0.8, 'hot', '{booked}');
insert into turn_readings (workspace_id, call_id, seq, intent, probability, objection, sentiment, model_version)
values (pg_temp.id('workspace'), pg_temp.id('call'), 1, 'price', 0.9, 0.8, -0.5, 'sales-en-1');
insert into messages (id, workspace_id, direction, call_id, lead_id, template, sender, recipient, text, status, provider_sid)
values (pg_temp.id('message'), pg_temp.id('workspace'), 'outbound', pg_temp.id('call'), pg_temp.id('lead'), 'booked',
        pg_temp.phone('+120255501'), pg_temp.phone('+120255502'), 'See you', 'sent', 'SM' || current_setting('test.tag'));
insert into outbox (id, workspace_id, kind, key) values (pg_temp.id('job'), pg_temp.id('workspace'), 'score', 'CA1');
insert into outbox (id, workspace_id, kind, key, payload)
values (pg_temp.id('chunk'), pg_temp.id('workspace'), 'rescore', pg_temp.id('batch') || '/0', '{"calls": []}');
insert into voices (id, workspace_id, provider, name, speaker, wording, evidence, evidence_sha256, samples_sha256,
                    consented_at, kept_by)
values (pg_temp.id('voice'), pg_temp.id('workspace'), 'elevenlabs', 'dana', 'Dana', 'I, Dana, agree.', 'dana.wav',
        repeat('0', 64), array[repeat('1', 64)], now() - interval '1 day', 'test');
insert into models (id, workspace_id, target, version, stage, file_sha256, features, trained_on, data_sha256, code_version, rows,
                    positives)
values (pg_temp.id('model'), pg_temp.id('workspace'), 'converted', 'lead-1', 'champion', repeat('0', 64), 3, 'own outcomes',
        repeat('1', 64), '0.1.0', 100, 20);
insert into model_files (workspace_id, sha256, body)
values (pg_temp.id('workspace'), encode(sha256('a model'), 'hex'), 'a model');
insert into tier_cuts (workspace_id, model_version, usual, hot, warm, capacity_per_day, value_usd, call_cost_usd, leads)
values (pg_temp.id('workspace'), 'lead-1', 0.2, 0.5, 0.1, 40, 1000, 5, 1);
insert into model_nights (workspace_id, target, night, known_from, known_to, outcomes, positives, learned, why)
values (pg_temp.id('workspace'), 'converted', '2026-11-20', now() - interval '1 day', now(), 10, 2, true, 'nothing strange');
insert into alerts (id, workspace_id, kind, subject, sentence)
values (pg_temp.id('alert'), pg_temp.id('workspace'), 'drift', 'minutes', 'minutes has moved.');
insert into lead_results (id, workspace_id, lead_id, won, at, noted_by)
values (pg_temp.id('result'), pg_temp.id('workspace'), pg_temp.id('lead'), true, now(), 'test');
insert into audit_log (id, workspace_id, actor, action, subject)
values (pg_temp.id('audit'), pg_temp.id('workspace'), 'system', 'playbook.publish', 'solar');
insert into api_keys (id, workspace_id, name, role, scopes, key_hash, hint, created_by)
values (pg_temp.id('api key'), pg_temp.id('workspace'), 'crm', 'viewer', '{*:read}',
        encode(sha256(('key' || current_setting('test.tag'))::bytea), 'hex'), 'abcd', pg_temp.id('admin'));
insert into invitations (id, workspace_id, token_hash, role, created_by, expires_at)
values (pg_temp.id('invitation'), pg_temp.id('workspace'),
        encode(sha256(('invitation' || current_setting('test.tag'))::bytea), 'hex'), 'agent', pg_temp.id('admin'),
        now() + interval '1 day');
insert into tickets (token_hash, workspace_id, user_id, purpose, expires_at)
values (encode(sha256(('ticket' || current_setting('test.tag'))::bytea), 'hex'), pg_temp.id('workspace'), pg_temp.id('viewer'),
        'feed', now() + interval '30 s');
insert into sessions (id, workspace_id, user_id, token_hash, expires_at)
values (pg_temp.id('session'), pg_temp.id('workspace'), pg_temp.id('viewer'),
        encode(sha256(('session' || current_setting('test.tag'))::bytea), 'hex'), now() + interval '1 day');
insert into idempotency_keys (workspace_id, user_id, key, request_sha256)
values (pg_temp.id('workspace'), pg_temp.id('viewer'), 'one', repeat('0', 64));
insert into notes (id, workspace_id, lead_id, text, written_by)
values (pg_temp.id('note'), pg_temp.id('workspace'), pg_temp.id('lead'), 'Call after lunch.', pg_temp.id('agent'));
insert into playbook_drafts (workspace_id, playbook_id, yaml, saved_by)
values (pg_temp.id('workspace'), pg_temp.id('playbook'), 'goal: sell more', 'test');
insert into tier_overrides (id, workspace_id, lead_id, kind, tier, why, who)
values (pg_temp.id('override'), pg_temp.id('workspace'), pg_temp.id('lead'), 'priority', 'hot', 'They rang twice.', 'test');
insert into webhooks (id, workspace_id, url, events, secret_sealed, created_by)
values (pg_temp.id('webhook'), pg_temp.id('workspace'), 'https://hooks.example.com/in', '{call.ended}', 'sealed',
        pg_temp.id('admin'));
insert into webhook_deliveries (id, workspace_id, webhook_id, event, key, body)
values (pg_temp.id('delivery'), pg_temp.id('workspace'), pg_temp.id('webhook'), 'call.ended', 'CA1', '{}');
insert into campaigns (id, workspace_id, name, playbook, created_by)
values (pg_temp.id('campaign'), pg_temp.id('workspace'), 'Spring', 'solar', 'test');
insert into campaign_leads (workspace_id, campaign_id, lead_id, position)
values (pg_temp.id('workspace'), pg_temp.id('campaign'), pg_temp.id('lead'), 1);
insert into notification_rules (workspace_id, kind, enabled, channels, threshold, updated_by)
values (pg_temp.id('workspace'), 'hot_lead', true, '{push,email}', 0.7, pg_temp.id('manager'));
insert into notification_addresses (workspace_id, emails, slack_sealed, slack_host, updated_by)
values (pg_temp.id('workspace'), '{ops@example.com}', 'sealed', 'hooks.example.com', pg_temp.id('manager'));
insert into push_subscriptions (id, workspace_id, user_id, endpoint, p256dh, auth, vapid)
values (pg_temp.id('subscription'), pg_temp.id('workspace'), pg_temp.id('viewer'),
        'https://push.example.com/' || current_setting('test.tag'), 'key', 'secret', 'ours');
insert into notifications (id, workspace_id, kind, key, about, lead_id)
values (pg_temp.id('notification'), pg_temp.id('workspace'), 'hot_lead', 'hot_lead:CA1:call', '{}', pg_temp.id('lead'));
insert into notification_deliveries (id, workspace_id, notification_id, channel, address)
values (pg_temp.id('notice sent'), pg_temp.id('workspace'), pg_temp.id('notification'), 'email', 'ops@example.com');
insert into report_schedules (id, workspace_id, report, format, hour, emails, next_at, created_by)
values (pg_temp.id('schedule'), pg_temp.id('workspace'), 'funnel', 'csv', 7, '{ops@example.com}', now() + interval '1 day',
        pg_temp.id('manager'));
insert into legal_holds (id, workspace_id, lead_id, why, set_by)
values (pg_temp.id('hold'), pg_temp.id('workspace'), pg_temp.id('lead'), 'A complaint is being looked at.', pg_temp.id('admin'));
insert into erasures (id, workspace_id, lead_id, asked_by, done_at)
values (pg_temp.id('erasure'), pg_temp.id('workspace'), pg_temp.id('lead'), pg_temp.id('admin'), now());
insert into kept_evidence (id, workspace_id, erasure_id, what, body, keep_until)
values (pg_temp.id('evidence'), pg_temp.id('workspace'), pg_temp.id('erasure'), 'consent', '{}', now() + interval '5 years');
