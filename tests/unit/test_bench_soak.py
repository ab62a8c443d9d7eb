"""Memory that grows is told from memory that only moves."""

from __future__ import annotations

import pytest

from app.bench_soak import Soak

FLAT = (372.0, 400.0, 415.0, 430.4, 430.6, 430.9, 430.7, 430.5, 430.8, 430.6, 430.7)


def soak(memory_mb, call_mb, missed) -> Soak:
    return Soak(memory_mb, (0.0,) * len(memory_mb), call_mb, missed)


def test_a_service_that_only_fills_its_caches_at_first_is_flat():
    slope, half = soak(FLAT, 0.6, 0).slope_mb
    assert abs(slope) < 0.1
    assert 0 < half < 0.2
    assert soak(FLAT, 0.6, 0).good


def test_growth_of_two_megabytes_in_a_hundred_calls_is_found_with_its_interval():
    growing = (372.0, *(400.0 + step for step in range(10)))  # one for each fifty
    slope, half = soak(growing, 0.6, 0).slope_mb
    assert slope == pytest.approx(2.0)
    assert half == pytest.approx(0.0, abs=1e-6)
    assert not soak(growing, 0.6, 0).good


def test_lines_kept_for_being_said_again_are_no_growth_and_are_told():
    kept = tuple(0.5 * step for step in range(11))
    found = Soak(tuple(mb + more for mb, more in zip(FLAT, kept, strict=True)), kept, 0.6, 0)
    assert found.good
    assert found.slope_mb == pytest.approx(soak(FLAT, 0.6, 0).slope_mb)
    assert found.as_dict()["slope_with_phrases"] == pytest.approx(1.0, abs=0.1)


def test_readings_that_prove_nothing_are_not_flat():
    """The slope may be anything: the interval says so."""
    assert not soak((372.0, 400.0, 400.0, 380.0, 440.0, 390.0, 430.0), 0.6, 0).good


@pytest.mark.parametrize(("call_mb", "missed"), [(3.1, 0), (0.6, 1)])
def test_a_call_that_takes_too_much_or_had_no_reply_is_not_good(call_mb, missed):
    assert not soak(FLAT, call_mb, missed).good
