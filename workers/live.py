"""The model of the estimate during a call, learned at night from the workspace's own calls.

Each call whose end is known is looked at as it stood at a few of its turns. What is learned serves from then on if it
is surely better, on calls it was not trained on, than what served before; it is tried again when there is a tenth of
new calls to learn from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from app.dialog.events import CallerKeyed, CallerSaid
from app.dialog.events import Entry as LogEntry
from app.errors import ModelRefused
from app.sales import live
from app.sales.conversation import conversation_of
from app.sales.learning import Known, learnable
from app.sales.live import LiveModel
from app.sales.registry import Entry, Lineage, Stage, at
from app.store import call_events, model_files, model_nights, models, own_outcomes
from app.store.connect import Connection, Database
from app.store.models import StoredRegistry
from ml.live import Learned, Moment, learn

WHO = "nightly"
MOST_CALLS = 600  # the newest: their logs are read whole, which takes some seconds
_AT_ONCE = 50
_SHARES = (0.25, 0.5, 0.75, 1.0)  # of a call's turns


def learn_live(database: Database, workspace: UUID, now: datetime) -> str | None:
    """What was done; None where there was too little to learn from, or nothing new."""
    with database.worker(workspace) as db:
        champion = at(models.serving(db, live.TARGET), Stage.CHAMPION)
        known = learnable(own_outcomes.known(db, now), model_nights.all_nights(db))
        serving = _serving(db, champion)
    newest = sorted(known, key=lambda one: one.called_at)[-MOST_CALLS:]
    if not newest or not _is_news(newest, champion):
        return None
    moments: list[Moment] = []
    for first in range(0, len(newest), _AT_ONCE):
        some = newest[first : first + _AT_ONCE]
        with database.worker(workspace) as db:
            logs = call_events.of_calls(db, [one.call_id for one in some])
        moments += [moment for one in some for moment in moments_of(one, logs.get(one.call_id, []))]
    learned = learn(moments, serving)
    if learned is None:
        return None
    if not learned.better:
        return f"{learned.model.version} not better during calls: {learned.why}"
    with database.worker(workspace) as db:
        sha256 = model_files.keep(db, live.to_file(learned.model))
        models.add(db, _entry(learned, sha256, newest))
    registry = StoredRegistry(lambda: database.worker(workspace))
    registry.promote(learned.model.version, WHO, learned.why, live.TARGET)
    return f"{learned.model.version} estimates during calls from now on"


def moments_of(one: Known, log: Sequence[LogEntry]) -> Iterator[Moment]:
    """The call as it stood after a quarter of its turns, half, three quarters, and all."""
    turns = [place for place, entry in enumerate(log) if isinstance(entry.fact, CallerSaid | CallerKeyed)]
    places = {max(1, round(share * len(turns))) for share in _SHARES} if turns else set()
    for turn in sorted(places):
        end = turns[turn] if turn < len(turns) else len(log)
        yield Moment(one.call_id.int, conversation_of(log[:end]), one.converted, one.frozen)


def _serving(db: Connection, champion: Entry | None) -> LiveModel:
    body = model_files.fetch(db, champion.file_sha256) if champion else None
    try:
        return live.from_file(body) if body else live.shipped()
    except ModelRefused:
        return live.shipped()


def _is_news(known: Sequence[Known], champion: Entry | None) -> bool:
    """A tenth of the calls, at least, came to be known since the champion learned."""
    since = champion.lineage.data_to if champion else None
    return since is None or sum(one.known_at > since for one in known) >= len(known) / 10


def _entry(learned: Learned, sha256: str, known: Sequence[Known]) -> Entry:
    sold = sum(one.converted for one in known)
    lineage = Lineage(
        "own calls as they stood",
        sha256,
        "live",
        len(known),
        sold,
        known[0].called_at,
        max(one.known_at for one in known),
    )
    metrics = {"moments": learned.moments, "frozen": learned.why}
    weights = len(learned.model.weights)
    return Entry(learned.model.version, live.TARGET, Stage.CANDIDATE, sha256, weights, lineage, metrics)
