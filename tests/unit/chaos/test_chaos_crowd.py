"""What is made of a call that a crowd, few descriptors or a slow carrier disturbed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.chaos.crowd import Heard, p95_ms
from app.chaos.strains import as_usual, recovered, strained
from app.exchange.bench_ear import Ear, Spoke
from app.exchange.leg import StreamLog
from app.exchange.phones import Stretch


def heard(
    *spoke: Spoke, streams: tuple[StreamLog, ...] = (StreamLog("MZ1", "", ended_by="carrier"),), **changes: Any
) -> Heard:
    handset = SimpleNamespace(spoken=[Stretch(6000, 7500)], heard=[Stretch(200, 900)])
    record: Any = SimpleNamespace(handset=handset, streams=streams, alerts=(), answered_at=100.0)
    return Heard(record, Ear(spoke, greeted=True, **changes), dialled_at=99.9, told_at=100.3)


ASKED = Spoke("ask", reply_ms=600)


def test_a_call_that_was_held_to_its_end_has_no_trouble_and_neither_has_one_without_a_seat():
    assert heard(ASKED).trouble == ""
    assert heard(refused=True, streams=()).trouble == ""


@pytest.mark.parametrize(
    ("call", "trouble"),
    [
        (heard(Spoke("ask")), "a reply missed"),
        (heard(ASKED, streams=()), "streams ended by nobody: there was none"),
        (heard(ASKED, streams=(StreamLog("MZ1", "", ended_by="server"),)), "streams ended by server"),
    ],
)
def test_a_call_that_was_taken_on_and_dropped_is_told(call, trouble):
    assert call.trouble == trouble
    assert {one.what: one.holds for one in strained([heard(ASKED)], [call], [call])}[
        "taken on and then dropped"
    ] is False


def test_the_first_word_counts_whoever_says_it():
    assert heard(ASKED).answered_s == pytest.approx(0.3)  # the agent, 200 ms into the call
    assert heard(refused=True).answered_s == pytest.approx(0.4)  # the carrier's own voice


def test_a_clear_counts_from_the_free_link_if_it_came_after_the_caller_spoke():
    def cleared(*at: float) -> float:
        return heard(streams=(StreamLog("MZ1", "", clears_at=list(at), freed_at=108.0, ended_by="carrier"),)).cleared_s

    assert cleared(103.0, 108.2, 109.0) == pytest.approx(0.2)
    assert cleared(107.0) == 0.0  # it got through before
    assert cleared(103.0) > 90  # of something else


def test_turns_are_compared_with_the_usual_ones():
    usual, later = [heard(ASKED)] * 3, [heard(Spoke("ask", reply_ms=800)), heard(refused=True)]
    assert p95_ms(usual) == 600
    (ratio,) = as_usual(usual, later[:1], "their")
    assert ratio.value == pytest.approx(4 / 3)
    assert not ratio.holds
    assert [one.holds for one in recovered(usual, later)] == [False, False]
