from hypothesis import given
from hypothesis import strategies as st

from app.providers.breaker import Breaker, Rules

RULES = Rules(failures=3, window_s=60, rest_s=10, probe_s=10)


def after(*failures: float) -> Breaker:
    breaker = Breaker(RULES)
    for at in failures:
        breaker = breaker.failed(at)
    return breaker


def test_it_opens_after_three_failures_in_a_minute():
    assert after(0, 1).admits(1)
    assert not after(0, 1, 2).admits(2)


def test_failures_far_apart_do_not_count_together():
    assert after(0, 50, 61).admits(61)


def test_after_a_rest_one_probe_is_let_through():
    opened = after(0, 1, 2)
    assert not opened.admits(11.9)
    assert opened.admits(12)
    assert not opened.tried(12).admits(12.1)


def test_a_probe_that_worked_closes_it():
    assert after(0, 1, 2).tried(12).worked() == Breaker(RULES)


def test_a_probe_that_failed_opens_it_for_another_rest():
    failed = after(0, 1, 2).tried(12).failed(13)
    assert not failed.admits(22.9)
    assert failed.admits(23)


def test_a_probe_nobody_reports_on_is_forgotten():
    assert after(0, 1, 2).tried(12).admits(22)


def test_late_failures_do_not_prolong_the_rest():
    assert after(0, 1, 2, 9).admits(12)


EVENTS = st.lists(st.tuples(st.sampled_from(["failed", "worked", "ask"]), st.floats(0, 30)), max_size=60)


@given(EVENTS)
def test_whatever_happens_it_rests_probes_and_recovers(events):
    breaker, now = Breaker(RULES), 0.0
    failures: list[float] = []
    opened: float | None = None
    probes: list[float] = []
    for event, pause in events:
        now += pause
        match event:
            case "failed":
                failures.append(now)
                breaker = breaker.failed(now)
            case "worked":
                failures, opened, probes = [], None, []
                breaker = breaker.worked()
                assert breaker.admits(now)
            case "ask" if breaker.admits(now):
                if opened is not None:  # half open
                    assert now - opened >= RULES.rest_s
                    assert all(now - probe >= RULES.probe_s for probe in probes)
                    probes.append(now)
                breaker = breaker.tried(now)
        if breaker.opened_at != opened and breaker.opened_at is not None:
            assert len(failures) >= RULES.failures or probes
            opened, probes = breaker.opened_at, []
        assert breaker.admits(now + RULES.rest_s + RULES.probe_s)  # never shut for good
