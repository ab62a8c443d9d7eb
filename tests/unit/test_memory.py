"""When a process tidies up: once, a moment after its last call."""

from __future__ import annotations

from app.memory import QUIET_S, Memory, give_back


def test_it_tidies_once_after_the_last_call() -> None:
    tidied: list[float] = []
    now = 0.0

    def tidy() -> None:
        tidied.append(now)

    memory = Memory(tidy)
    for tenth, live in enumerate([0, 1, 2, 0, 0, 1, *[0] * 40, 1, *[0] * 40]):
        now = tenth / 10
        memory.look(live, now)
    assert len(tidied) == 2
    assert tidied[0] >= 0.6 + QUIET_S  # a short rest between two calls is none
    assert tidied[1] >= 4.7 + QUIET_S


def test_nothing_is_tidied_before_the_first_call() -> None:
    memory = Memory(lambda: (_ for _ in ()).throw(AssertionError("tidied")))
    for tenth in range(100):
        memory.look(0, tenth / 10)


def test_what_is_free_goes_back_on_whatever_system() -> None:
    give_back()
