-- What a campaign wants done when a machine answers; null is what its playbook says.

alter table public.campaigns
    add column voicemail text check (voicemail in ('hang_up', 'leave_message')),
    add column menu text check (menu in ('hang_up', 'press_key')),
    add column menu_key text check (menu_key ~ '^[0-9*#]$'),
    add constraint campaigns_menu_has_its_key check ((menu is not distinct from 'press_key') = (menu_key is not null));
comment on column public.campaigns.voicemail is 'hang_up or leave_message; null: as the playbook says.';
comment on column public.campaigns.menu is 'A menu of keys: hang_up, or press_key and menu_key; null: as the playbook says.';

grant update (voicemail, menu, menu_key) on public.campaigns to authenticated;
create index campaign_leads_call on public.campaign_leads (workspace_id, call_sid) where call_sid is not null;
