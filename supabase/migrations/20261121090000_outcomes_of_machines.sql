-- A machine answered: a mailbox (the reason says whether a message was left), or something else that is no person.

alter table public.outcomes drop constraint outcomes_result_check;
alter table public.outcomes add constraint outcomes_result_check check (result in (
    'opted_out', 'booked', 'human_requested', 'qualified', 'conversed', 'voicemail', 'not_reached', 'silent', 'abandoned',
    'provider_outage', 'media_lost'
));
