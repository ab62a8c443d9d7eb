"""Every task by name. Whatever one of them is asked twice, it does once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workers import liveness

TABLE: Mapping[str, Callable[..., Any]] = {
    "liveness.seen": liveness.seen,
}
