-- The private bucket of recordings, where there is a storage service. It has no policies: files leave only through
-- short-lived signed addresses that our API issues after checking who asks.

do $$
begin
    if to_regclass('storage.buckets') is not null then
        insert into storage.buckets (id, name, public) values ('recordings', 'recordings', false)
        on conflict (id) do update set public = false;
    end if;
end
$$;
