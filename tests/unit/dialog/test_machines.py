"""What a playbook says to machines, and what is wrong with one that says it badly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.dialog.moves import Finish, MachineListens, Say
from app.dialog.playbook import parse
from app.dialog.reception import Strategy
from app.errors import BadPlaybook

TEXT = (Path(__file__).parents[3] / "app" / "playbooks" / "northlight_solar.yaml").read_text(encoding="utf-8")


def test_C05_the_message_says_who_called_that_it_sells_and_where_to_opt_out(new_talk: Any) -> None:
    conversation = new_talk(direction="outbound")
    said = conversation.does(MachineListens(1, "voicemail"))
    for part in ("Nora", "automated A.I. assistant", "Northlight Solar", "sales call", "eight hundred, five five five"):
        assert part in said
    (line,) = [move for move in conversation.reply if isinstance(move, Say)]
    assert line.protected  # nothing in the mailbox's noise cuts it short
    assert conversation.reply[-1] == Finish("message_left")


def test_a_screener_hears_who_calls_and_why_and_the_call_goes_on(new_talk: Any) -> None:
    conversation = new_talk(direction="outbound", heard=0.0)
    said = conversation.does(MachineListens(1, "screening"))
    assert "Nora" in said
    assert "sales call about home solar" in said
    assert not any(isinstance(move, Finish) for move in conversation.reply)
    assert "automated A.I. assistant" in conversation.says("hello")  # the person has not been told yet


def test_what_is_done_about_machines_is_read() -> None:
    assert parse(TEXT, "x").machines.strategy == Strategy("leave_message", "hang_up", "", "say_who")


def test_without_the_section_machines_are_hung_up_on() -> None:
    begins, ends = TEXT.index("\nmachines:"), TEXT.index("\nlines:")
    assert parse(TEXT[:begins] + TEXT[ends:], "x").machines.strategy == Strategy()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("ivr: hang_up ", "ivr: press_key "), "`key` must say which"),
        (("voicemail: leave_message", "voicemail: sing"), "voicemail"),
        (('  who: "This', '  whom: "This'), "who"),
    ],
)
def test_what_is_wrong_with_it_is_said(change: tuple[str, str], says: str) -> None:
    assert change[0] in TEXT
    with pytest.raises(BadPlaybook, match=says):
        parse(TEXT.replace(*change), "x")
