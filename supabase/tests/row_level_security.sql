-- Run against any migrated database: psql -v ON_ERROR_STOP=1 -f supabase/tests/row_level_security.sql
-- Changes nothing. That each role sees what it should is in tests/integration/test_T13_rls.py; this file shows, on a
-- database with real data, that whoever has no business there sees nothing.

begin;

do $$
declare
    name text;
    seen bigint;
    who text;
begin
    for name in select tablename from pg_tables where schemaname = 'public' loop
        foreach who in array array['anon', 'authenticated', 'strowger_worker'] loop
            perform set_config('role', who, true);
            perform set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-000000000000"}', true);
            perform set_config('strowger.workspace_id', '', true);
            begin
                execute format('select count(*) from public.%I', name) into seen;
            exception when insufficient_privilege then
                seen := 0;
            end;
            perform set_config('role', 'none', true);
            if seen > 0 then
                raise exception '% sees % rows of %', who, seen, name;
            end if;
        end loop;
    end loop;
end
$$;

do $$
begin
    if exists (
        select from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)
    ) then
        raise exception 'a table has no forced row-level security';
    end if;
    if (select rolsuper or rolbypassrls from pg_roles where rolname = 'strowger_worker') then
        raise exception 'strowger_worker can bypass row-level security';
    end if;
end
$$;

rollback;
