"""Puts the API together: every module of this package that has a `router` is part of it."""

from __future__ import annotations

import importlib
import pkgutil

from fastapi import APIRouter, Depends

from app.api import v1
from app.api.v1.admission import admit

PREFIX = "/api/v1"


def build() -> APIRouter:
    api = APIRouter(prefix=PREFIX, dependencies=[Depends(admit, scope="function")])
    for found in sorted(pkgutil.iter_modules(v1.__path__), key=lambda one: one.name):
        part = getattr(importlib.import_module(f"{v1.__name__}.{found.name}"), "router", None)
        if isinstance(part, APIRouter):
            api.include_router(part)
    return api
