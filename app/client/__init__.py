"""Strowger's API for programs in Python: `Client("https://calls.example.com", key="sk_...").calls_list()`.

`api.py` is made from the OpenAPI document: python -m app.client.generate
"""

from __future__ import annotations

from app.client.api import Client
from app.client.transport import ApiProblem

__all__ = ["ApiProblem", "Client"]
