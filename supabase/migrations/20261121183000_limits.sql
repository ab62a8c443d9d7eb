-- How much may go out, and where to: caps on calls, messages and money, and the countries that may be called (T06).

alter table public.workspaces
    add column calls_per_minute integer not null default 60 check (calls_per_minute between 0 and 600),
    add column calls_per_hour integer not null default 600 check (calls_per_hour between 0 and 36000),
    add column calls_per_day integer not null default 2000 check (calls_per_day between 0 and 100000),
    add column messages_per_day integer not null default 2000 check (messages_per_day between 0 and 100000),
    add column spend_per_day_usd numeric(12, 2) not null default 100 check (spend_per_day_usd >= 0),
    add column reach text[] not null default '{+1}'
        check (cardinality(reach) <= 100 and array_to_string(reach, '') ~ '^(\+[1-9][0-9]{0,6})*$');
comment on column public.workspaces.calls_per_minute is 'Outgoing calls of all campaigns and people together; asked in the transaction of each attempt.';
comment on column public.workspaces.spend_per_day_usd is
    'Nothing goes out once a day''s calls have cost this, by the price table, with those going on as estimated. A day of time_zone.';
comment on column public.workspaces.reach is 'What a number must begin with to be called or written to: +1, +34, ...';
grant select (calls_per_minute, calls_per_hour, calls_per_day, messages_per_day, spend_per_day_usd, reach)
    on public.workspaces to authenticated, strowger_worker;
grant update (calls_per_minute, calls_per_hour, calls_per_day, messages_per_day, spend_per_day_usd, reach)
    on public.workspaces to authenticated;

create index attempts_recent on public.attempts (workspace_id, reserved_at desc);
create index messages_sent on public.messages (workspace_id, created_at desc) where direction = 'outbound';
create index call_events_used on public.call_events (call_id) where kind in ('UnitsUsed', 'TokensUsed');
