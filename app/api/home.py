"""`/`: a page for whoever opens the address in a browser. Says what runs here; shows nothing about anybody."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from app.api.context import web_of
from app.errors import StoreError
from app.store import outbox

router = APIRouter(include_in_schema=False)

_STYLE = """
:root { color-scheme: light dark; --ink: #17202a; --paper: #fbfaf7; --line: #d9d4c7; --accent: #0b6e5f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e6df; --paper: #16191c; --line: #363b40; --accent: #5cc9b4; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 Georgia, "Times New Roman", serif; }
main { max-width: 40rem; margin: 0 auto; padding: 12vh 1.5rem 4rem; }
h1 { font-size: 2.4rem; font-weight: 500; margin: 0 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.5rem; margin: 2rem 0;
  padding: 1.25rem 0; border-block: 1px solid var(--line); }
dt { opacity: .7; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
a { color: var(--accent); }
code { font: .9em ui-monospace, Menlo, Consolas, monospace; }
"""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Strowger</title>
<link rel="stylesheet" href="/home.css">
<main>
<h1>Strowger</h1>
<p>Sales calls on the phone: answered, held, scored and followed up. This service is {state}.</p>
<dl>
<dt>Calls now</dt><dd>{calls}</dd>
<dt>Jobs waiting</dt><dd>{jobs}</dd>
<dt>Database</dt><dd>{database}</dd>
</dl>
<p><a href="/health/detailed">Health</a>, <a href="/metrics">metrics</a>.
A call again from its log: <code>strowger replay CALL_SID</code>.</p>
</main>
</html>
"""


@router.get("/", response_class=HTMLResponse)
async def home(request: Request) -> HTMLResponse:
    """Only figures of our own go into the page, so there is nothing to escape."""
    web = web_of(request)
    try:
        jobs, database = str((await web.records.system(outbox.pending)).pending), "up"
    except StoreError:
        jobs, database = "not known", "down"
    state = "taking no new calls, and leaves when the last one has ended" if web.board.draining else "taking calls"
    page = _PAGE.format(state=state, calls=web.board.live(), jobs=jobs, database=database)
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


@router.get("/home.css")
async def style() -> Response:
    return Response(_STYLE, media_type="text/css")
