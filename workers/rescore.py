"""A chunk of leads scored again by the model that serves now: after a promotion, a roll back, or when somebody asks.

The model sees what it saw after the call, from the log of the call. A lead whose score by this model is known keeps it.
"""

from __future__ import annotations

from app.store import outbox, score_batches
from workers.jobs import Later, Ref
from workers.model import Judged
from workers.resources import Resources
from workers.scoring import News, cut_anew, keep, load


def rescore(resources: Resources, job: Ref) -> str | Later:
    with resources.database.worker(job.workspace_id) as db:
        found = [load(db, sid) for sid in score_batches.chunk_of(db, job.id)]
    judged: list[tuple[News, Judged]] = []
    for news in found:
        if news is None:
            continue
        score = resources.judge(job.workspace_id, news.entries, news.history)
        if score is None:
            return Later("the model is being made", seconds=2.0)
        judged.append((news, score))
    with resources.database.worker(job.workspace_id) as db:
        new = sum(keep(db, news, score, again=True).new for news, score in judged)
        cut_anew(db, [score for _, score in judged], resources.now())
        outbox.done(db, job.id)
    return f"{new} of {len(judged)} leads scored anew"
