"""The SQL tests in supabase/tests, which a person may also run with psql against a database of their own."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

pytestmark = pytest.mark.integration
SUPABASE = Path(__file__).parents[2] / "supabase"


@pytest.mark.parametrize("script", sorted((SUPABASE / "tests").glob("*.sql")), ids=lambda path: path.stem)
def test_T13_sql_script_passes_on_a_database_with_data(postgres_url: str, script: Path) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute((SUPABASE / "seed.sql").read_bytes())
        db.execute(script.read_bytes())


def test_T13_sql_script_notices_a_hole(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute((SUPABASE / "seed.sql").read_bytes())
        db.execute("create policy hole on leads for select to authenticated using (true)")
        with pytest.raises(psycopg.errors.RaiseException, match="authenticated sees 6 rows of leads"):
            db.execute((SUPABASE / "tests" / "row_level_security.sql").read_bytes())
