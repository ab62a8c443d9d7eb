"""What the gate said, kept as evidence."""

from __future__ import annotations

from uuid import UUID

from app.compliance.gate import Decision
from app.store.connect import Connection
from app.store.values import json

_STORE = """
    insert into decisions (workspace_id, phone, channel, purpose, verdict, rules, findings, rules_version, until,
                           decided_at)
    values (strowger.here(), %(phone)s, %(channel)s, %(purpose)s, %(verdict)s, %(rules)s, %(findings)s,
            %(rules_version)s, %(until)s, %(at)s)
    returning id
"""


def store(db: Connection, decision: Decision) -> UUID:
    """Keep refusals, too: in a transaction that is committed although nothing is done."""
    values = {
        "phone": decision.phone,
        "channel": decision.channel,
        "purpose": decision.purpose,
        "verdict": decision.verdict,
        "rules": list(decision.rule_ids),
        "findings": json([{"rule": finding.rule, "reason": finding.reason} for finding in decision.findings]),
        "rules_version": decision.rules_version,
        "until": decision.until,
        "at": decision.at,
    }
    row = db.execute(_STORE, values).fetchone()
    assert row is not None
    decision_id: UUID = row["id"]
    return decision_id
