-- A call whose sound was to be kept and could not be: the disk was full. The call itself is whole.
alter table public.calls add column recording_lost_at timestamptz;
comment on column public.calls.recording_lost_at is 'When its sound could not be written; null for all others.';
grant update (recording_lost_at) on public.calls to strowger_worker;
