"""Where hot and warm begin in a workspace, and what that misses: made anew when leads, model or means change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.sales.misses import Misses, misses
from app.sales.priority import Lines, Means, Yardstick, draw, enough
from app.store import workspace_settings
from app.store.connect import Connection
from app.store.scores import SERVING_FIRST

_GET = """
    select model_version, usual, buyers, buyers_of, hot, warm, capacity_per_day, value_usd::float as value_usd,
           call_cost_usd::float as call_cost_usd, leads, cut_at
    from tier_cuts where target = 'converted'
"""
# Whoever may not be called, or has bought, takes nobody's place.
_BEST = f"""
    select s.probability, count(*) over ()::integer as leads
    from leads l
    cross join lateral (
        select s.probability from scores s join calls c on c.id = s.call_id
        where s.workspace_id = l.workspace_id and s.lead_id = l.id and not s.shadow
        order by c.created_at desc, {SERVING_FIRST} limit 1
    ) s
    where l.phone is not null and not coalesce(strowger.is_suppressed(l.phone, 'voice'), true)
      and not coalesce((select r.won from lead_results r where r.workspace_id = l.workspace_id and r.lead_id = l.id
                          and r.target = 'converted'
                        order by r.noted_at desc limit 1), false)
    order by s.probability desc limit %(most)s
"""  # noqa: S608 - a constant
_PUT = """
    insert into tier_cuts (workspace_id, model_version, usual, buyers, buyers_of, hot, warm, capacity_per_day,
                           value_usd, call_cost_usd, leads)
    values (strowger.here(), %(model_version)s, %(usual)s, %(buyers)s, %(buyers_of)s, %(hot)s, %(warm)s, %(capacity)s,
            %(value)s, %(cost)s, %(leads)s)
    on conflict (workspace_id, target) do update set
        model_version = excluded.model_version, usual = excluded.usual, buyers = excluded.buyers,
        buyers_of = excluded.buyers_of, hot = excluded.hot, warm = excluded.warm,
        capacity_per_day = excluded.capacity_per_day, value_usd = excluded.value_usd,
        call_cost_usd = excluded.call_cost_usd, leads = excluded.leads, cut_at = now()
"""
# Not `updated_at`: the lead itself has no news.
_TIERS = f"""
    update leads l set tier = n.tier
    from (
        select l.id, coalesce(h.tier, strowger.tier_of(l.workspace_id, s.probability, l.tier)) as tier
        from leads l
        cross join lateral (
            select s.probability from scores s join calls c on c.id = s.call_id
            where s.workspace_id = l.workspace_id and s.lead_id = l.id and not s.shadow
            order by c.created_at desc, {SERVING_FIRST} limit 1
        ) s
        left join lateral (
            select tier from tier_overrides
            where workspace_id = l.workspace_id and lead_id = l.id and kind = 'priority' order by at desc limit 1
        ) h on true
    ) n
    where n.id = l.id and l.tier is distinct from n.tier
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class TierCuts:
    """`buyers_of` says where the buyers come from by which misses are told; `leads` could be called at `cut_at`."""

    model_version: str
    usual: float
    buyers: Sequence[float]
    buyers_of: str
    hot: float
    warm: float
    capacity_per_day: int
    value_usd: float
    call_cost_usd: float
    leads: int
    cut_at: datetime

    @property
    def lines(self) -> Lines:
        return Lines(self.hot, self.warm)

    @property
    def missed(self) -> Misses:
        """Buyers that end up cold."""
        return misses(self.buyers, self.warm)

    @property
    def not_hot(self) -> Misses:
        """Buyers that are not called first."""
        return misses(self.buyers, self.hot)


def get(db: Connection) -> TierCuts | None:
    """None until the first score."""
    row = db.execute(_GET).fetchone()
    return TierCuts(**row) if row else None


def recut(db: Connection, by: Yardstick | None = None) -> TierCuts | None:
    """Under the workspace's means and for the leads of now. `by` is the model that serves, where it may have changed.

    Every lead's tier follows at once, but where a person chose. None where nothing was ever scored.
    """
    known = get(db)
    if by is None and known is not None:
        by = Yardstick(known.model_version, known.usual, tuple(known.buyers), known.buyers_of)
    if by is None:
        return None
    settings = workspace_settings.get(db)
    means = Means(settings.capacity_per_day, float(settings.value_usd), float(settings.call_cost_usd))
    rows = db.execute(_BEST, {"most": enough(means)}).fetchall()
    lines = draw([row["probability"] for row in rows], means, by.usual)
    values: dict[str, Any] = {
        "model_version": by.model_version,
        "usual": by.usual,
        "buyers": list(by.buyers),
        "buyers_of": by.buyers_of,
        "hot": lines.hot,
        "warm": lines.warm,
        "capacity": means.capacity,
        "value": settings.value_usd,
        "cost": settings.call_cost_usd,
        "leads": rows[0]["leads"] if rows else 0,
    }
    db.execute(_PUT, values)
    db.execute(_TIERS)
    return get(db)
