"""The estimate during a call: what is shipped is what the command makes, and it gets better as the call goes on."""

from __future__ import annotations

import pytest

from app.sales.live import shipped
from ml.live import auc_at, train


def test_the_shipped_weights_are_those_the_command_makes() -> None:
    made = train()
    assert shipped().base == pytest.approx(made.base, abs=1e-3)
    assert dict(shipped().weights) == pytest.approx(dict(made.weights), abs=1e-3)


def test_it_knows_more_the_longer_the_call() -> None:
    found = [auc_at(shipped(), share) for share in (0.25, 0.5, 1.0)]
    assert found == sorted(found)
    assert found[0] > 0.65
