-- Opt-outs that a call's log knows of and the list does not: must never exist, and is looked for all the same.

create index call_events_optouts on public.call_events (written_at) where kind = 'OptedOut';

create function strowger.optouts_not_listed(since timestamptz, most integer)
returns table (workspace_id uuid, call_id uuid, phone text, words text)
language sql stable security definer set search_path = ''
as $$
    select c.workspace_id, c.id, p.phone, e.body ->> 'words'
    from public.call_events e
    join public.calls c on c.id = e.call_id
    join public.workspaces w on w.id = c.workspace_id
    cross join lateral (select case c.direction when 'inbound' then c.caller else c.called end as phone) p
    where e.kind = 'OptedOut' and e.written_at >= since and p.phone ~ '^\+[1-9][0-9]{6,14}$'
      and not exists (
          select from public.suppressions s
          where s.workspace_id = c.workspace_id and s.channel_scope = 'all'
            and s.phone_hash = pg_catalog.encode(pg_catalog.sha256(w.phone_key || pg_catalog.convert_to(p.phone, 'UTF8')), 'hex')
      )
    order by e.written_at
    limit most
$$;
comment on function strowger.optouts_not_listed(timestamptz, integer) is
    'For the reconciler: what it finds is put on the list, and is an alarm.';
revoke execute on function strowger.optouts_not_listed(timestamptz, integer) from public;
grant execute on function strowger.optouts_not_listed(timestamptz, integer) to strowger_worker;
