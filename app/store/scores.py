"""Scores with the model version that made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

from app.sales.lead import Score, Tier
from app.sales.offer import Suggestion
from app.store.connect import Connection
from app.store.values import json

# Of the scores of one call or lead: those of the model that serves now, the newest of them. After a roll back the
# model rolled back has the newest scores, and they must not show.
SERVING_FIRST = """
    coalesce(s.model_version = (select m.version from models m where m.target = 'converted' and m.stage = 'champion'),
             s.model_version like 'simulated-%%') desc, s.scored_at desc
"""

_RECORD = """
    insert into scores (workspace_id, lead_id, call_id, model_version, probability, lower, upper, tier, reasons, shadow,
                        features, offer, offer_detail, uplift, uplift_lower, uplift_upper)
    values (strowger.here(), %(lead_id)s, %(call_id)s, %(model_version)s, %(probability)s, %(lower)s, %(upper)s,
            %(tier)s, %(reasons)s, %(shadow)s, %(features)s, %(offer)s, %(offer_detail)s, %(uplift)s,
            %(uplift_lower)s, %(uplift_upper)s)
    on conflict (call_id, model_version) do nothing
"""
_NO_UPLIFT = dict.fromkeys(("uplift", "uplift_lower", "uplift_upper"))
_OF_CALL = f"""
    select s.probability, s.lower, s.upper, strowger.tier_of(s.workspace_id, s.probability, s.tier) as tier, s.reasons,
           s.model_version
    from scores s join calls c on c.id = s.call_id
    where c.call_sid = %s and not s.shadow order by {SERVING_FIRST} limit 1
"""  # noqa: S608 - a constant
_OFFER = """
    select s.offer, s.offer_detail from scores s join calls c on c.id = s.call_id
    where c.call_sid = %s and not s.shadow and s.offer_detail <> '{}' order by s.scored_at desc limit 1
"""


def record(
    db: Connection,
    lead_id: UUID,
    call_id: UUID,
    score: Score,
    row: Mapping[str, object] | None = None,
    *,
    shadow: bool = False,
    offer: Suggestion | None = None,
) -> bool:
    """`row` is what the model looked at; `offer` the package that suits.

    False when this model version has scored this call before.
    """
    values = asdict(score) | {"lead_id": lead_id, "call_id": call_id, "reasons": list(score.reasons)}
    values |= {"shadow": shadow, "features": json(dict(row or {}))}
    detail = asdict(offer) if offer else {}
    adds = score.uplift
    values |= {"uplift": adds.value, "uplift_lower": adds.lower, "uplift_upper": adds.upper} if adds else _NO_UPLIFT
    values |= {"offer": detail.pop("package", None), "offer_detail": json(detail)}
    return db.execute(_RECORD, values).rowcount == 1


def of_call(db: Connection, call_sid: str) -> Score | None:
    """By the model that serves now, if it has scored this call; else the latest."""
    row = db.execute(_OF_CALL, (call_sid,)).fetchone()
    if row is None:
        return None
    return Score(**{**row, "tier": Tier(row["tier"]), "reasons": tuple(row["reasons"])})


def offer_of_call(db: Connection, call_sid: str) -> Suggestion | None:
    """The latest; None where no offer tier was asked for. A person's word is in `app.store.overrides`."""
    row = db.execute(_OFFER, (call_sid,)).fetchone()
    if row is None:
        return None
    detail = row["offer_detail"]
    lists = {name: tuple(detail[name]) for name in ("candidates", "reasons")}
    return Suggestion(**{**detail, **lists, "package": row["offer"]})
