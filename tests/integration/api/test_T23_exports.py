"""No cell of anything that is exported is a formula, in whichever column people typed one (T23)."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from zipfile import ZipFile

import psycopg
import pytest
from openpyxl import load_workbook

from app.api.v1.reports import Kind

from .conftest import Api, id_of

pytestmark = pytest.mark.integration

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://evil.example","x")',
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
)
BOLD = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NUMBER = re.compile(r"\+[1-9]\d{6,14}")
SPREADSHEETS = ("soffice", "libreoffice", "localc")
_LEAD = """
    insert into leads (id, workspace_id, phone, name, source, tags, facts)
    values (md5(%(n)s)::uuid, %(w)s, %(phone)s, %(text)s::text, %(text)s::text, array[%(text)s::text],
            jsonb_build_object('state', %(text)s::text, 'time_zone', %(text)s::text))
"""
_CALL = """
    insert into calls (id, workspace_id, call_sid, direction, caller, called, lead_id, playbook, playbook_version,
                       status, created_at, ended_at)
    values (md5('call' || %(n)s)::uuid, %(w)s, %(sid)s, 'inbound', %(phone)s, %(text)s::text, md5(%(n)s)::uuid,
            %(text)s::text, 1, 'completed', now() - interval '1 hour', now())
"""
_MET = """
    insert into call_events (workspace_id, call_id, seq, at_ms, kind, body)
    values (%(w)s, md5('call' || %(n)s)::uuid, 1, 0, 'ObjectionMet', jsonb_build_object('name', %(text)s::text))
"""


@dataclass(frozen=True)
class Exports:
    """Every file that can be had, by name."""

    files: dict[str, bytes]

    def rows(self, name: str) -> list[list[str]]:
        return list(csv.reader(io.StringIO(self.files[name].decode(), newline="")))


@pytest.fixture(scope="module")
def exports(api: Api) -> Exports:
    workspace = id_of("a", "workspace")
    for number, text in enumerate(FORMULAS):
        values = {"w": workspace, "n": f"formula {number}", "phone": f"+1202555{7100 + number}", "text": text}
        with psycopg.connect(api.url, autocommit=True) as db:
            for statement in (_LEAD, _CALL, _MET):
                db.execute(statement, {**values, "sid": f"CAformula{number}"})
    desk = api.as_("manager")
    files = {"leads.csv": desk.get("/leads/export").content}
    for kind in ("funnel", *get_args(Kind)):
        for ending in ("csv", "xlsx"):
            answer = desk.get(f"/reports/{kind}", params={"format": ending})
            assert answer.status_code == 200, answer.text
            files[f"{kind}.{ending}"] = answer.content
    return Exports(files)


def test_T23_what_was_typed_is_in_the_files(exports: Exports) -> None:
    """Or the other tests would find nothing wrong with nothing."""
    told = {cell.removeprefix("'") for row in exports.rows("leads.csv") for cell in row}
    assert set(FORMULAS) <= told
    for name in ("sources.csv", "objections.csv"):
        assert set(FORMULAS) <= {cell.removeprefix("'") for row in exports.rows(name) for cell in row}, name


def test_T23_no_cell_of_a_csv_begins_a_formula(exports: Exports) -> None:
    for name in exports.files:
        if name.endswith(".csv"):
            cells = [cell for row in exports.rows(name) for cell in row if cell.startswith(BOLD)]
            assert [cell for cell in cells if not NUMBER.fullmatch(cell)] == [], name


def test_T23_no_cell_of_a_workbook_is_a_formula(exports: Exports) -> None:
    for name, body in exports.files.items():
        if name.endswith(".xlsx"):
            cells = [cell for row in load_workbook(io.BytesIO(body)).worksheets[0].iter_rows() for cell in row]
            assert [cell.value for cell in cells if cell.data_type == "f"] == [], name
            bold = [str(cell.value) for cell in cells if str(cell.value).startswith(BOLD) and cell.data_type == "s"]
            assert [text for text in bold if not NUMBER.fullmatch(text)] == [], name
            with ZipFile(io.BytesIO(body)) as parts:
                assert not any(b"<f>" in parts.read(part) for part in parts.namelist())


@pytest.fixture(scope="module")
def spreadsheet() -> str:
    program = next((path for name in SPREADSHEETS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("no LibreOffice here: install libreoffice-calc to open the exports with a real spreadsheet")
    return program


def test_T23_a_real_spreadsheet_finds_no_formula(exports: Exports, spreadsheet: str, tmp_path: Path) -> None:
    """As a flat document, in which every formula is an attribute of its cell."""
    for name, body in exports.files.items():
        (tmp_path / name.replace(".", "-of.")).write_bytes(body)
    out = tmp_path / "opened"
    command = [spreadsheet, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "fods"]
    files = [str(path) for path in sorted(tmp_path.iterdir()) if path.is_file()]
    subprocess.run([*command, "--outdir", str(out), *files], check=True, capture_output=True, timeout=180)
    opened = sorted(out.glob("*.fods"))
    assert opened
    for path in opened:
        assert "table:formula=" not in path.read_text(encoding="utf-8"), path.name
