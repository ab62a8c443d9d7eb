"""One person's data deleted because it was asked for (C43): first the copies outside of the database, at the carrier
and on this machine, one after the other; then, in one transaction, every row. Cut off anywhere, it goes on from
there."""

from __future__ import annotations

from uuid import UUID

from app.errors import ProviderError
from app.retention import sounds
from app.store import audit, erasures, outbox
from app.store.erasures import Copy, WaitsFor
from workers.jobs import Later, Ref
from workers.resources import Resources

WHO = "erasure"
AT_ONCE = 20  # copies of one run, so that it ends within a worker's time: each may take the carrier some seconds
LOOK_AGAIN_S: dict[WaitsFor, float] = {"call": 15.0, "hold": 300.0, "carrier": 60.0, "file": 60.0}
WHY: dict[WaitsFor, str] = {
    "call": "a call with them is going on, or has no outcome yet",
    "hold": "a legal hold",
    "carrier": "the carrier does not delete its copy",
    "file": "a recording cannot be deleted",
}


def erase(resources: Resources, job: Ref) -> str | Later:
    """The erasure whose id is the job's key."""
    wanted = UUID(job.key)
    with resources.database.worker(job.workspace_id) as db:
        found = erasures.one(db, wanted)
        if found is None or found.done_at is not None:
            outbox.done(db, job.id)
            return "nothing to erase"
        held = erasures.held(db, wanted)
        copies = () if held else erasures.copies(db, wanted, AT_ONCE)
    if held:
        return _waits(resources, job, "hold")
    files = sounds(resources.data_dir / "recordings") if copies else {}
    for copy in copies:
        try:
            at_carrier = _at_carrier(resources, copy)
            for path in files.get(copy.sid, ()):
                path.unlink(missing_ok=True)
        except ProviderError:
            return _waits(resources, job, "carrier")
        except OSError:
            return _waits(resources, job, "file")
        with resources.database.worker(job.workspace_id) as db:
            erasures.silenced(db, wanted, copy.sid)
            gone = {"recordings": len(files.get(copy.sid, ())), "at_carrier": at_carrier}
            audit.write(db, WHO, "erasure.copies", str(found.lead_id), {copy.kind: copy.sid, **gone})
    if len(copies) == AT_ONCE:
        return Later("there are more copies", seconds=0.1)
    return _rows(resources, job, found.lead_id)


def _at_carrier(resources: Resources, copy: Copy) -> int:
    """How many the carrier deleted. Nobody is asked where no carrier's account is set: it recorded nothing then."""
    if resources.copies is None or not copy.at_carrier:
        return 0
    return (
        resources.copies.forget_message(copy.sid) if copy.kind == "message" else resources.copies.forget_call(copy.sid)
    )


def _rows(resources: Resources, job: Ref, lead_id: UUID) -> str | Later:
    with resources.database.worker(job.workspace_id) as db:
        said = erasures.erase(db, UUID(job.key), resources.now())
        waits_for: WaitsFor | None = said.get("waits_for")
        if waits_for is None:
            audit.write(db, WHO, "erasure.done", str(lead_id), said)
            outbox.done(db, job.id)
    if waits_for is not None:
        return _waits(resources, job, waits_for)
    return ", ".join(f"{place} {count}" for place, count in sorted(said.items()) if count)


def _waits(resources: Resources, job: Ref, what: WaitsFor) -> Later:
    with resources.database.worker(job.workspace_id) as db:
        erasures.wait(db, UUID(job.key), what)
    return Later(WHY[what], LOOK_AGAIN_S[what])
