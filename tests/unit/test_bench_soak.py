"""Memory that grows is told from memory that only moves."""

from __future__ import annotations

import pytest

from app.bench_soak import Soak

FLAT = (372.0, 400.0, 415.0, 430.4, 430.6, 430.9, 430.7, 430.5, 430.8, 430.6, 430.7)


def test_a_service_that_only_fills_its_caches_at_first_is_flat():
    slope, half = Soak(FLAT, 0.6, 0).slope_mb
    assert abs(slope) < 0.1
    assert 0 < half < 0.2
    assert Soak(FLAT, 0.6, 0).good


def test_growth_of_two_megabytes_in_a_hundred_calls_is_found_with_its_interval():
    growing = (372.0, *(400.0 + step for step in range(10)))  # one for each fifty
    slope, half = Soak(growing, 0.6, 0).slope_mb
    assert slope == pytest.approx(2.0)
    assert half == pytest.approx(0.0, abs=1e-6)
    assert not Soak(growing, 0.6, 0).good


def test_readings_that_prove_nothing_are_not_flat():
    """The slope may be anything: the interval says so."""
    assert not Soak((372.0, 400.0, 400.0, 380.0, 440.0, 390.0, 430.0), 0.6, 0).good


@pytest.mark.parametrize(("call_mb", "missed"), [(3.1, 0), (0.6, 1)])
def test_a_call_that_takes_too_much_or_had_no_reply_is_not_good(call_mb, missed):
    assert not Soak(FLAT, call_mb, missed).good
