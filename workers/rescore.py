"""A chunk of leads scored again by the model that serves now: after a promotion, a roll back, or when somebody asks.

The model sees what it saw after the call, from the log of the call. A lead whose score by this model is known keeps it,
and the package that was found to suit then; a new score has the package that suits by what people corrected since.
"""

from __future__ import annotations

from app.sales.offer import Suggestion
from app.store import corrections, outbox, score_batches
from workers.jobs import Later, Ref
from workers.model import Judged
from workers.resources import Resources
from workers.scoring import News, cut_anew, keep, load, suited


def rescore(resources: Resources, job: Ref) -> str | Later:
    with resources.database.worker(job.workspace_id) as db:
        sids = score_batches.chunk_of(db, job.id)
        corrected = corrections.of_offers(db) if sids else ()
        found = [load(db, sid, corrected) for sid in sids]
    judged: list[tuple[News, Judged, Suggestion | None]] = []
    for news in found:
        if news is None:
            continue
        score = resources.judge(job.workspace_id, news.entries, news.history)
        if score is None:
            return Later("the model is being made", seconds=2.0)
        judged.append((news, score, suited(resources, news.offering)))
    with resources.database.worker(job.workspace_id) as db:
        new = sum(keep(db, news, score, offer, again=True).new for news, score, offer in judged)
        cut_anew(db, [score for _, score, _ in judged], resources.now())
        outbox.done(db, job.id)
    return f"{new} of {len(judged)} leads scored anew"
