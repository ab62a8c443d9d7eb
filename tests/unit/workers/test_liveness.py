"""When a worker counts as silent."""

from __future__ import annotations

from workers.liveness import PATIENCE_S, Pulse


def watched(*looks: tuple[float, int | None]) -> Pulse:
    pulse = Pulse(alive_at=0.0)
    for now, seen in looks:
        pulse = pulse.looked(now, seen)
    return pulse


def test_a_worker_that_never_showed_life_is_silent_after_its_patience() -> None:
    pulse = watched((1.0, 0), (20.0, 0))
    assert not pulse.silent(PATIENCE_S)
    assert pulse.silent(1.0 + PATIENCE_S)


def test_every_new_probe_that_ran_starts_the_patience_anew() -> None:
    pulse = watched((1.0, 0), (30.0, 1))
    assert not pulse.silent(30.0 + PATIENCE_S - 0.1)
    assert pulse.silent(30.0 + PATIENCE_S)


def test_an_old_mark_is_no_sign_of_life() -> None:
    assert watched((1.0, 3), (40.0, 3)).silent(1.0 + PATIENCE_S)


def test_F03_nobody_is_silent_while_the_broker_is_away_and_patience_starts_when_it_is_back() -> None:
    pulse = watched((1.0, 1), (5.0, None), (300.0, None))
    assert not pulse.silent(10_000.0)
    back = pulse.looked(400.0, 0)  # empty: its marks are lost too
    assert not back.silent(400.0 + PATIENCE_S - 0.1)
    assert back.silent(400.0 + PATIENCE_S)


def test_F03_probe_numbers_that_go_on_after_a_loss_count_again() -> None:
    assert watched((1.0, 7), (5.0, None), (10.0, 0), (15.0, 9)).alive_at == 15.0
