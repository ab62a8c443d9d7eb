"""GET /leads/{id}/dossier and /leads/{id}/erasure: what a person may ask for (C42, C43)."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from .conftest import Api, id_of, problem

pytestmark = pytest.mark.integration
LEAD = str(id_of("a", "lead"))
HOLD_OFF = "update legal_holds set lifted_by = set_by, lifted_at = now() where workspace_id = %s"


def test_C42_a_dossier_is_a_zip_and_that_it_was_asked_for_is_noted(api: Api) -> None:
    sid = api.sql("select call_sid from calls where id = %s", id_of("a", "call"))[0][0]
    folder = api.web.recordings.folder / "kept"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{sid}.wav").write_bytes(b"RIFFada")
    (folder / "CAsomebodyelse.wav").write_bytes(b"RIFFelse")
    answer = api.as_("admin").get(f"/leads/{LEAD}/dossier")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["cache-control"] == "private, no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["dossier.json", f"sounds/kept-{sid}.wav"]
        assert archive.read(f"sounds/kept-{sid}.wav") == b"RIFFada"
        told = json.loads(archive.read("dossier.json"))
    assert told["format"] == "strowger.dossier/1"
    assert told["kept"]["leads"][0]["name"] == "Ada"
    assert told["kept"]["notes"][0]["text"] == "Call after lunch."
    assert str(id_of("b", "workspace")) not in json.dumps(told)
    noted = api.sql("select actor, subject from audit_log where action = 'leads_dossier'")
    assert noted == [(str(id_of("a", "admin")), LEAD)]


def test_T12_nobody_of_another_workspace_has_a_dossier_here(api: Api) -> None:
    theirs = str(id_of("b", "lead"))
    for method, path in (("GET", "dossier"), ("GET", "erasure"), ("POST", "erasure")):
        answer = api.as_("owner").request(method, f"/leads/{theirs}/{path}", json={} if method == "POST" else None)
        assert answer.status_code == 404, path
    assert api.sql("select count(*) from erasures where lead_id = %s and done_at is null", theirs) == [(0,)]


def test_C43_an_erasure_is_asked_for_once_and_seen_and_a_hold_refuses_it(api: Api) -> None:
    admin, path, here = api.as_("admin"), f"/leads/{LEAD}/erasure", id_of("a", "workspace")
    assert admin.get(path).json()["state"] == "done", "the one of one_of_each.sql"
    refused = admin.post(path, json={})
    assert (refused.status_code, "legal hold" in problem(refused)["detail"]) == (409, True)
    api.sql(HOLD_OFF, here)
    asked = admin.post(path, json={})
    assert (asked.status_code, asked.json()["state"], asked.json()["suppress"]) == (202, "waiting", True)
    assert admin.post(path, json={}).status_code == 409
    seen = admin.get(path).json()
    assert (seen["state"], seen["asked_by"]) == ("waiting", str(id_of("a", "admin")))
    jobs = api.sql("select o.kind from outbox o join erasures e on e.id::text = o.key where e.lead_id = %s", LEAD)
    assert jobs == [("erasure",)]
    api.sql("update outbox set quarantined_at = now() where kind = 'erasure'")
    assert admin.get(path).json()["state"] == "stuck"
    assert api.as_("manager").get(path).status_code == 403
    assert api.sql("select count(*) from audit_log where action = 'leads_erase' and subject = %s", LEAD) == [(1,)]
