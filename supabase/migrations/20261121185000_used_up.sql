-- What admits once or is remembered for a day is deleted when it can do neither any more.

create index idempotency_keys_age on public.idempotency_keys (created_at);
create index tickets_age on public.tickets (expires_at);
create index media_tokens_age on public.media_tokens (expires_at);
create index sessions_age on public.sessions (expires_at);

create function strowger.delete_used_up(at timestamptz, most integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
    gone integer;
    total integer := 0;
begin
    delete from public.idempotency_keys k using (
        select workspace_id, user_id, key from public.idempotency_keys
        where created_at < at - interval '1 day' limit most for update skip locked
    ) old where (k.workspace_id, k.user_id, k.key) = (old.workspace_id, old.user_id, old.key);
    get diagnostics gone = row_count;
    total := total + gone;
    delete from public.tickets where token_hash in (
        select token_hash from public.tickets where expires_at < at - interval '1 day' limit most for update skip locked
    );
    get diagnostics gone = row_count;
    total := total + gone;
    delete from public.media_tokens where token_hash in (
        select token_hash from public.media_tokens where expires_at < at - interval '1 day' limit most for update skip locked
    );
    get diagnostics gone = row_count;
    total := total + gone;
    delete from public.sessions where id in (
        select id from public.sessions where expires_at < at - interval '30 days' limit most for update skip locked
    );
    get diagnostics gone = row_count;
    return total + gone;
end
$$;
comment on function strowger.delete_used_up(timestamptz, integer) is
    'Answers to repeated requests, tickets and tokens of all workspaces a day after their time, sessions a month after.';
revoke execute on function strowger.delete_used_up(timestamptz, integer) from public;
grant execute on function strowger.delete_used_up(timestamptz, integer) to strowger_worker;
