"""The dashboard's files at `/`: what the build made, or a plain page where nothing was built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.dashboard_build import built

ASSETS = "/assets/"
FOREVER = "public, max-age=31536000, immutable"  # their names change with their content
# Where programs are spoken to, and a wrong address is an error, not a page.
OTHERS = ("/api/", "/twilio/", "/health/", "/metrics", "/docs", "/redoc", "/openapi.json", "/home.css")
_TYPES: Mapping[str, str] = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


class Dashboard:
    """Answers what a browser asks for; everything else, and all of it where nothing was built, is the service's."""

    def __init__(self, app: ASGIApp, folder: Path | None = None) -> None:
        self._app = app
        self._folder = folder or built()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and self._folder is not None:
            answer = self._answer(self._folder, scope["path"], Headers(scope=scope).get("accept", ""))
            if answer is not None:
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    @staticmethod
    def _answer(folder: Path, path: str, accepts: str) -> Response | None:
        if path.startswith(OTHERS):
            return None
        file = _inside(folder, path)
        if file is not None:
            caching = FOREVER if path.startswith(ASSETS) else "no-cache"
            return FileResponse(file, media_type=_TYPES.get(file.suffix), headers={"Cache-Control": caching})
        if path == "/" or ("text/html" in accepts and not path.startswith(ASSETS)):
            return FileResponse(folder / "index.html", media_type="text/html", headers={"Cache-Control": "no-cache"})
        return None


def _inside(folder: Path, path: str) -> Path | None:
    """The file of this address, if it is one of the folder's own."""
    if path.endswith("/") or "\x00" in path:
        return None
    file = Path(os.path.normpath(folder / path.lstrip("/")))
    return file if file.is_relative_to(folder) and file.is_file() else None
