"""A call whose sound the disk did not take: everything else of it is there, and it says what is missing."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.api.v1.phone import keep_sound
from app.store import calls
from app.store.calls import CallRow
from app.store.connect import Connection

from .conftest import Api, id_of

pytestmark = pytest.mark.integration


def test_F24_a_call_whose_sound_the_disk_refuses_says_so(api: Api) -> None:
    sid = "CA" + id_of("a", "call").hex
    workspace = id_of("a", "workspace")
    row = api.http.portal.call(found, api, workspace, sid)  # type: ignore[union-attr]
    folder = api.web.recordings.folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("where the folder should be")
    api.http.portal.call(keep_sound, api.web, row, lambda: b"sound")  # type: ignore[union-attr]
    call = api.as_("viewer").get(f"/calls/{sid}").json()
    assert call["recording"] is False
    assert call["recording_lost_at"] is not None
    folder.unlink()
    other = "CA" + id_of("a", "spare call").hex
    row = api.http.portal.call(found, api, workspace, other)  # type: ignore[union-attr]
    api.http.portal.call(keep_sound, api.web, row, lambda: b"sound")  # type: ignore[union-attr]
    call = api.as_("viewer").get(f"/calls/{other}").json()
    assert (call["recording"], call["recording_lost_at"]) == (True, None)


async def found(api: Api, workspace: UUID, sid: str) -> CallRow:
    def read(db: Connection) -> CallRow | None:
        return calls.get(db, sid)

    row = await api.web.records.worker(workspace, read)
    assert row is not None
    return row
