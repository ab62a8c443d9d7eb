"""The public API, `/api/v1`: one module per noun, each with its `router`.

A route needs an `operation_id` and a row in `access`; without a row nobody gets in. Its handler asks for a `Caller` and
reaches the database only through `web.records.user(caller.claims, work)`, so that row-level security decides.
"""
