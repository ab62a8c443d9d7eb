"""The estimate during a call: what is shipped is what the command makes, and it gets better as the call goes on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from app.errors import ModelRefused
from app.sales.lead import Conversation
from app.sales.live import from_file, inputs, shipped, to_file
from ml.live import Moment, auc_at, learn, train


def test_the_shipped_weights_are_those_the_command_makes() -> None:
    made = train()
    assert shipped().base == pytest.approx(made.base, abs=1e-3)
    assert dict(shipped().weights) == pytest.approx(dict(made.weights), abs=1e-3)


def test_it_knows_more_the_longer_the_call() -> None:
    found = [auc_at(shipped(), share) for share in (0.25, 0.5, 1.0)]
    assert found == sorted(found)
    assert found[0] > 0.65


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"version": "v", "base": 0}',
        b'{"version": "", "base": 0, "weights": {}}',
        b'{"version": "v", "base": "0", "weights": {}}',
        b'{"version": "v", "base": true, "weights": {}}',
        b'{"version": "v", "base": NaN, "weights": {}}',
        b'{"version": "v", "base": 0, "weights": {"a person": 1e999}}',
        b'{"version": "v", "base": 0, "weights": {"age": 1}}',
        b'{"version": "v", "base": 0, "weights": {}, "more": 1}',
        b"[" * 100_000,
        b'{"version": "v", "base": 0, "weights": {}}' + b" " * 70_000,
    ],
)
def test_F30_a_file_of_anything_but_numbers_by_name_is_refused(body: bytes) -> None:
    with pytest.raises(ModelRefused):
        from_file(body)


def test_what_was_written_is_read_again() -> None:
    assert from_file(to_file(shipped())) == shipped()


def test_own_calls_teach_what_the_simulation_does_not_know_and_noise_does_not_win() -> None:
    rng = np.random.default_rng(4)

    def moments(wish: Callable[[Conversation], float]) -> list[Moment]:
        found = []
        for n in range(600):
            talk = Conversation(objections=int(rng.random() < 0.5), human_asked=bool(rng.random() < 0.4))
            found.append(Moment(n, talk, bool(rng.random() < 1 / (1 + np.exp(-wish(talk)))), n % 5 == 0))
        return found

    theirs = learn(moments(lambda talk: -1 + 3 * talk.objections - 3 * talk.human_asked), shipped())
    assert theirs is not None
    assert theirs.better
    model = shipped()
    as_shipped = learn(
        moments(lambda t: model.base + sum(model.weights[name] * value for name, value in inputs(t).items())), model
    )
    assert as_shipped is not None
    assert not as_shipped.better
    assert learn(moments(lambda talk: 0.0)[:100], shipped()) is None
