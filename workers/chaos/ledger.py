"""What the database and the message endpoint say afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from workers.chaos.letterbox import Letterbox

_COUNTS = """
    select
        (select count(*) from outcomes where workspace_id = %(ws)s) as outcomes,
        (select count(*) from scores where workspace_id = %(ws)s) as scores,
        (select count(distinct call_id) from scores where workspace_id = %(ws)s) as scored_calls,
        (select count(*) from messages where workspace_id = %(ws)s and provider_sid is not null) as settled,
        (select count(*) from outbox
            where workspace_id = %(ws)s and done_at is null and quarantined_at is null) as open,
        (select count(*) from outbox where workspace_id = %(ws)s and done_at is not null) as done,
        (select count(*) from outbox where workspace_id = %(ws)s and quarantined_at is not null) as aside,
        (select coalesce(sum(leases), 0) from outbox where workspace_id = %(ws)s) as handed_out,
        (select extract(epoch from max(o.recorded_at - c.ended_at)) from outcomes o join calls c on c.id = o.call_id
            where c.workspace_id = %(ws)s) as slowest_outcome_s
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Counts over all seeded calls. `handed_out` is how often jobs went to the queue, lost ones again included."""

    outcomes: int
    scores: int
    scored_calls: int
    settled: int
    open: int
    done: int
    aside: int
    handed_out: int
    slowest_outcome_s: float | None
    letters: int
    duplicates: int

    def complete(self, calls: int) -> bool:
        return min(self.outcomes, self.scored_calls, self.settled, self.letters) >= calls and self.open == 0


def read(owner_url: str, workspace: UUID, box: Letterbox) -> Ledger:
    with psycopg.connect(owner_url, row_factory=dict_row) as db:
        row = db.execute(_COUNTS, {"ws": workspace}).fetchone()
    assert row is not None
    return Ledger(**row, letters=len(box.letters), duplicates=box.duplicates())
