"""The guards against what people say: lists of sayings in `corpora/`, one per line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.dialog.guards import asks_robot, opts_out, refuses_recording


def sayings(name: str) -> list[str]:
    lines = (Path(__file__).parent / "corpora" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def share_caught(guard: Callable[[str], bool], name: str) -> tuple[float, list[str]]:
    lines = sayings(name)
    caught = [line for line in lines if guard(line)]
    return len(caught) / len(lines), caught


@pytest.mark.parametrize("saying", sayings("opt_out"))
def test_C05_every_opt_out_is_caught(saying: str) -> None:
    assert opts_out(saying)


def test_C05_at_most_one_look_alike_in_a_hundred_is_taken_for_an_opt_out() -> None:
    share, caught = share_caught(opts_out, "not_opt_out")
    assert share <= 0.01, caught


@pytest.mark.parametrize("saying", sayings("robot"))
def test_C32_every_question_about_being_a_machine_is_caught(saying: str) -> None:
    assert asks_robot(saying)


def test_C32_other_talk_is_not_taken_for_it() -> None:
    share, caught = share_caught(asks_robot, "not_robot")
    assert share <= 0.1, caught


@pytest.mark.parametrize("saying", sayings("recording_refused"))
def test_C20_every_refusal_of_recording_is_caught(saying: str) -> None:
    assert refuses_recording(saying)


def test_C20_talk_about_recording_is_no_refusal() -> None:
    assert [line for line in sayings("recording_not_refused") if refuses_recording(line)] == []


@pytest.mark.parametrize(
    ("name", "least"),
    [("opt_out", 200), ("not_opt_out", 100), ("robot", 100), ("recording_refused", 20)],
)
def test_the_lists_are_as_long_as_promised_and_hold_nothing_twice(name: str, least: int) -> None:
    lines = sayings(name)
    assert len(lines) >= least
    assert len(set(lines)) == len(lines)
