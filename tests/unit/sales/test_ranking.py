"""Whom to call next: what must hold for every list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compliance.gate import Channel, Decision, Finding, Purpose, Verdict
from app.errors import BadInput
from app.sales.answering import Belief, Segment, Slot, Tally, learn
from app.sales.ranking import Capacity, Prospect, Terms, rank

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)  # a Wednesday
NOBODY = UUID(int=0)


def decided(verdict: Verdict) -> Decision:
    findings = () if verdict is Verdict.ALLOW else (Finding("C07", "This person asked not to be contacted."),)
    return Decision(verdict, "+12025550111", Channel.VOICE, Purpose.MARKETING, NOON, None, findings, (), "test")


def a_prospect(number: int, answer: float = 0.3, sale: float = 0.2, **changes: object) -> Prospect:
    low, high = max(0.0, sale - 0.1), min(1.0, sale + 0.1)
    usual = Prospect(UUID(int=number), decided(Verdict.ALLOW), Belief(answer, 20.0), sale, low, high)
    return replace(usual, **changes)  # type: ignore[arg-type]


chances = st.floats(0, 1)
verdicts = st.sampled_from([Verdict.ALLOW, Verdict.ALLOW, Verdict.DEFER, Verdict.DENY])
people = st.lists(st.tuples(chances, chances, verdicts), max_size=40).map(
    lambda rows: [a_prospect(i, a, s, decision=decided(v)) for i, (a, s, v) in enumerate(rows, start=1)]
)
capacities = st.builds(Capacity, st.floats(0.5, 100), st.integers(1, 30), st.floats(0, 0.5))


@given(people, capacities, st.integers(0, 99))
def test_minutes_and_calls_are_never_more_than_there_are(them: list[Prospect], room: Capacity, seed: int) -> None:
    found = rank(them, Terms(), room, seed=seed)
    assert found.minutes <= room.minutes + 1e-9
    assert len(found.places) <= room.calls


@given(people, capacities, st.integers(0, 99))
def test_C07_whoever_the_gate_does_not_allow_is_listed_and_never_ranked(
    them: list[Prospect], room: Capacity, seed: int
) -> None:
    found = rank(them, Terms(), room, seed=seed)
    assert all(place.prospect.decision.allowed for place in (*found.places, *found.waiting))
    assert {p.lead_id for p in found.refused} == {p.lead_id for p in them if not p.decision.allowed}
    assert len(found.places) + len(found.waiting) + len(found.refused) == len(them)


@given(people, capacities, st.integers(0, 99), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(them: list[Prospect], room: Capacity, seed: int, dice: object) -> None:
    turned = list(them)
    dice.shuffle(turned)  # type: ignore[attr-defined]
    assert rank(them, Terms(), room, seed=seed) == rank(turned, Terms(), room, seed=seed)


@given(chances, chances, chances, st.floats(1, 1000), st.floats(0, 50))
def test_the_rate_rises_with_either_chance_and_with_the_value(
    lower: float, higher: float, other: float, value: float, cost: float
) -> None:
    lower, higher = sorted((lower, higher))
    terms = Terms(value, cost)
    assert terms.rate(lower, other) <= terms.rate(higher, other) + 1e-9
    assert terms.rate(other, lower) <= terms.rate(other, higher) + 1e-9
    assert terms.rate(lower, other) <= replace(terms, value=value * 2).rate(lower, other) + 1e-9


@pytest.mark.parametrize(("share", "count", "due"), [(0.1, 20, 2), (0.29, 100, 29), (0.5, 7, 3), (0.0, 10, 0)])
def test_the_share_for_learning_holds_in_every_beginning_of_the_list(share: float, count: int, due: int) -> None:
    them = [a_prospect(i, 0.5, 0.4) for i in range(1, 201)]
    found = rank(them, Terms(), Capacity(1e6, count, share), seed=3)
    assert sum(place.explores for place in found.places) == due
    for n in range(1, count + 1):
        assert sum(place.explores for place in found.places[:n]) == int(n * share + 1e-9)


def test_calls_for_learning_are_marked_and_say_how_likely_they_were_drawn() -> None:
    them = [a_prospect(i, 0.5, 0.4 + i / 1000) for i in range(1, 41)]
    found = rank(them, Terms(), Capacity(1e6, 10, 0.1), seed=5)
    (drawn,) = [place for place in found.places if place.explores]
    assert drawn.chance == pytest.approx(1 / 16)  # 31 were left, the less certain half of them is 16
    assert all(place.chance == 1 for place in found.places if not place.explores)
    seeds = {rank(them, Terms(), Capacity(1e6, 10, 0.1), seed=s).places[9].prospect.lead_id for s in range(40)}
    assert len(seeds) > 5


def test_ties_go_by_lead_id_and_the_dearer_package_goes_first() -> None:
    same = [a_prospect(3), a_prospect(1), a_prospect(2), a_prospect(9, value=500.0)]
    found = rank(same, Terms(), Capacity(1e6, 10, 0.0), seed=1)
    assert [place.prospect.lead_id.int for place in found.places] == [9, 1, 2, 3]


def test_a_call_that_costs_more_than_it_brings_waits() -> None:
    found = rank([a_prospect(1, 0.1, 0.1)], Terms(), Capacity(60, 10), seed=1)
    assert found.places == ()
    assert found.waiting[0].worth == pytest.approx(0.1 * 0.1 * 100 - 5)


def test_figures_that_make_no_sense_are_refused() -> None:
    for make in (
        lambda: Terms(value=0),
        lambda: Terms(talk_minutes=0.1),
        lambda: Capacity(0, 1),
        lambda: Capacity(1, 1, 0.6),
        lambda: a_prospect(1, sale_low=0.9),
    ):
        with pytest.raises(BadInput):
            make()


HERE, THERE = Segment("NY", "web_form"), Segment("TX", "referral")
TEN, EVENING = Slot(False, 10), Slot(False, 18)


def test_few_attempts_hardly_move_the_chance_and_many_do() -> None:
    base = [(THERE, TEN, Tally(300, 1000)), (THERE, EVENING, Tally(300, 1000))]
    few = learn([*base, (HERE, TEN, Tally(2, 2))]).at(HERE, NOON.replace(hour=10))
    many = learn([*base, (HERE, TEN, Tally(900, 1000))]).at(HERE, NOON.replace(hour=10))
    assert 0.28 < few.mean < 0.45
    assert many.mean > 0.8
    assert few.high - few.low > many.high - many.low


def test_the_best_hour_of_a_segment_is_found_and_lent_to_one_never_called() -> None:
    rates = learn([(HERE, TEN, Tally(100, 1000)), (HERE, EVENING, Tally(400, 1000))])
    for segment in (HERE, THERE):
        assert rates.at(segment, NOON.replace(hour=18)).mean > rates.at(segment, NOON.replace(hour=10)).mean + 0.1


def test_without_any_attempt_every_hour_is_the_same() -> None:
    rates = learn([])
    assert rates.at(HERE, NOON) == rates.at(THERE, NOON.replace(hour=18))
    assert rates.at(HERE, NOON).mean == pytest.approx(0.3)


@given(st.lists(st.tuples(st.sampled_from([HERE, THERE]), st.integers(0, 23), st.integers(0, 50), st.integers(0, 50))))
def test_chances_are_chances_whatever_was_counted(rows: list[tuple[Segment, int, int, int]]) -> None:
    rates = learn([(segment, Slot(False, hour), Tally(hits, hits + more)) for segment, hour, hits, more in rows])
    for hour in range(24):
        belief = rates.at(HERE, NOON.replace(hour=hour))
        assert 0 <= belief.low <= belief.mean <= belief.high <= 1
