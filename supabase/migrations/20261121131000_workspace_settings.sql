-- What a workspace may set for itself, by its admins.

alter table public.workspaces
    add column time_zone text not null default 'America/New_York' check (length(time_zone) between 1 and 64),
    add column locale text not null default 'en' check (locale in ('en', 'es')),
    add column retention_days integer not null default 180 check (retention_days between 1 and 3650),
    add column quiet_from time,
    add column quiet_to time,
    add column capacity_per_day integer not null default 40 check (capacity_per_day between 1 and 100000),
    add column value_usd numeric(12, 2) not null default 1000 check (value_usd >= 0),
    add check ((quiet_from is null) = (quiet_to is null));
comment on column public.workspaces.time_zone is 'IANA name: what "today" means in reports, and when quiet hours are.';
comment on column public.workspaces.retention_days is 'How long transcripts are kept. Evidence that law wants kept longer is not touched by it.';
comment on column public.workspaces.quiet_from is 'Nobody is notified from then to quiet_to, in time_zone; over midnight too. Null: no quiet hours.';
comment on column public.workspaces.capacity_per_day is 'How many leads people can call in a day: what tiers are cut for.';
comment on column public.workspaces.value_usd is 'What a customer is worth, on average.';

grant select (time_zone, locale, retention_days, quiet_from, quiet_to, capacity_per_day, value_usd)
    on public.workspaces to authenticated, strowger_worker;
grant update (time_zone, locale, retention_days, quiet_from, quiet_to, capacity_per_day, value_usd)
    on public.workspaces to authenticated;
