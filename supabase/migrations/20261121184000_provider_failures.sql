-- The newest failure of each provider is looked up for people; failures are few among a log's facts.
create index call_events_failures on public.call_events (workspace_id, written_at desc) where kind = 'ProviderFailed';
