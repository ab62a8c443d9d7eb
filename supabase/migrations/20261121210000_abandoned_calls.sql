-- How the calls of campaigns were answered, and campaigns that stopped because too many were abandoned (C09); and two
-- more kinds of news: that, and a limit that was reached.

alter table public.campaign_leads
    add column answer text check (answer in ('connected', 'abandoned', 'not_counted')),
    add column wait_ms integer check (wait_ms >= 0),
    add column answered_at timestamptz,
    add column judged_at timestamptz,
    add constraint campaign_leads_judged_whole
        check ((answer is null) = (judged_at is null) and (answer is null) = (answered_at is null));
comment on column public.campaign_leads.answer is
    'abandoned: a person answered and nobody of ours was heard within 2 s; not_counted: no person, as far as is known.';
comment on column public.campaign_leads.wait_ms is 'From the end of the greeting, or from the answer, until we were heard.';
create index campaign_leads_judged on public.campaign_leads (campaign_id, answered_at) where answer is not null;
create index campaign_leads_to_judge on public.campaign_leads (call_sid) where state = 'called' and judged_at is null;

alter table public.campaigns
    add column stopped_at timestamptz,
    add column stopped_why text check (length(stopped_why) <= 500),
    add column let_go_on_at timestamptz,
    add constraint campaigns_stopped_whole check ((stopped_at is null) = (stopped_why is null)),
    add constraint campaigns_stopped_rest check (stopped_at is null or state in ('paused', 'ended'));
comment on column public.campaigns.stopped_at is 'The dialler stopped it. Only a person lets it go on, which empties this.';
comment on column public.campaigns.let_go_on_at is 'When a person did so: calls abandoned before that do not stop it again.';

grant update (answer, wait_ms, answered_at, judged_at) on public.campaign_leads to strowger_worker;
grant update (stopped_at, stopped_why) on public.campaigns to strowger_worker;
grant update (stopped_at, stopped_why, let_go_on_at) on public.campaigns to authenticated;

create function strowger.keep_stopped() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if current_user = 'strowger_worker' then
        raise exception 'a campaign that was stopped goes on when a person says so' using errcode = '42501';
    end if;
    return new;
end
$$;
comment on function strowger.keep_stopped() is 'No process of ours lets a campaign go on that was stopped.';
revoke execute on function strowger.keep_stopped() from public;
create trigger campaigns_go_on_by_people before update on public.campaigns for each row
    when (old.state = 'paused' and (new.state = 'running' or (old.stopped_at is not null and new.stopped_at is null)))
    execute function strowger.keep_stopped();

create function strowger.calls_to_judge(most integer)
returns table (workspace_id uuid, campaign_id uuid, call_sid text)
language sql stable security definer set search_path = ''
as $$
    select l.workspace_id, l.campaign_id, l.call_sid
    from public.campaign_leads l join public.calls k on k.call_sid = l.call_sid
    cross join lateral (
        select exists (select from public.media_tokens t where t.call_id = k.id and t.redeemed_at is not null)
            or exists (select from public.call_events e where e.call_id = k.id) as yes
    ) connected
    where l.state = 'called' and l.judged_at is null and (
        exists (select from public.outcomes o where o.call_id = k.id)
        or k.ended_at < now() - interval '1 minute'
        or (not connected.yes and (k.ended_at is not null or k.created_at < now() - interval '10 minutes'))
    )
    order by k.created_at limit most
$$;
comment on function strowger.calls_to_judge(integer) is
    'Calls of campaigns that are over, or that nobody has reported on for ten minutes, of all workspaces.';
revoke execute on function strowger.calls_to_judge(integer) from public;
grant execute on function strowger.calls_to_judge(integer) to strowger_worker;

alter table public.notification_rules drop constraint notification_rules_kind_check;
alter table public.notification_rules add constraint notification_rules_kind_check check (
    kind in ('hot_lead', 'call_back', 'provider_down', 'budget', 'drift', 'campaign_stopped', 'limit')
);
