from __future__ import annotations

import pytest

from app.dialog.answered import Kind
from app.dialog.events import CarrierReport, Heard, HungUp, MustEnd, ReplyEnded, Signal, Tick, Toned, VoiceOff, VoiceOn
from app.dialog.reception import Act, Hush, Learned, MachineWish, Press, Reception, SayTo, Strategy
from app.dialog.turns import EndCall

LEAVE = Strategy(voicemail="leave_message")
MAILBOX = Heard("leave a message after the tone", started_ms=300, ended_ms=2500)


class Played:
    """A call on paper: signals in, acts out."""

    def __init__(self, strategy: Strategy) -> None:
        self.reception = Reception(strategy)
        self.acts: list[Act] = []

    def at(self, now_ms: int, *signals: Signal) -> list[Act]:
        """What is done now, without what is only written down."""
        done = [act for signal in signals or (Tick(),) for act in self.reception.step(signal, now_ms)]
        self.acts += done
        return [act for act in done if not isinstance(act, Learned)]

    @property
    def kinds(self) -> list[str]:
        return [act.fact.kind for act in self.acts if isinstance(act, Learned)]


def test_a_person_is_noted_and_left_to_the_conversation() -> None:
    call = Played(LEAVE)
    assert call.at(500, VoiceOn(300)) == []
    assert call.at(1000, VoiceOff(700)) == []
    assert call.at(1400) == []
    assert call.kinds == [Kind.HUMAN]
    assert not call.reception.in_charge


def test_a_message_is_left_when_the_beep_is_over() -> None:
    call = Played(LEAVE)
    call.at(320, VoiceOn(300))
    assert call.at(2600, MAILBOX) == [Hush()]
    assert call.reception.in_charge
    assert call.at(2700, VoiceOff(2500)) == []
    assert call.at(3500, Toned(1000, 3000, 3400)) == [SayTo("voicemail")]
    assert call.at(9000, ReplyEnded(closes=True, reason="message_left")) == [EndCall("message_left")]
    assert call.at(9100, Tick()) == []


def test_without_a_beep_the_message_follows_three_seconds_of_silence() -> None:
    call = Played(LEAVE)
    call.at(2600, VoiceOn(300), MAILBOX)
    call.at(2700, VoiceOff(2500))
    assert call.at(5499) == []
    assert call.reception.deadline(5400) == 5500
    assert call.at(5500) == [SayTo("voicemail")]
    assert call.at(7000, Toned(1000, 6000, 6500)) == [Hush(), SayTo("voicemail")]  # too early, so once more
    assert call.at(7500, Toned(1000, 7200, 7400)) == []


def test_a_mailbox_without_an_end_is_given_up() -> None:
    call = Played(LEAVE)
    call.at(2600, VoiceOn(300), MAILBOX)
    assert call.at(62_599) == []
    assert call.at(62_600) == [EndCall("voicemail")]


def test_hanging_up_on_a_mailbox_is_at_once_when_it_is_sure() -> None:
    call = Played(Strategy(screening="say_who"))
    assert call.at(2600, VoiceOn(300), MAILBOX) == [Hush(), EndCall("voicemail")]


def test_a_machine_nobody_understood_yet_is_listened_to_where_its_kind_matters() -> None:
    call = Played(Strategy(screening="say_who"))
    call.at(320, VoiceOn(300))
    assert call.at(3200) == [Hush()]
    assert call.at(3500, Heard("say your name and why you are calling", started_ms=300, ended_ms=3400)) == []
    call.at(3800, VoiceOff(3500))
    assert call.at(4200) == [SayTo("screening")]
    assert call.at(8000, ReplyEnded()) == []
    assert not call.reception.in_charge
    assert call.kinds == ["not_sure", "voicemail", "screening"] or call.kinds == ["voicemail", "screening"]


def test_a_machine_that_pauses_without_a_word_we_know_is_hung_up_on() -> None:
    call = Played(Strategy(ivr="press_key", key="0"))
    call.at(320, VoiceOn(300))
    call.at(3200)
    call.at(4300, VoiceOff(4000))
    assert call.at(5499) == []
    assert call.at(5500) == [EndCall("voicemail")]


def test_a_menu_gets_its_key_when_it_pauses() -> None:
    call = Played(Strategy(ivr="press_key", key="0"))
    call.at(320, VoiceOn(300))
    assert call.at(2000, Heard("for sales press one", started_ms=300, ended_ms=1900)) == [Hush()]
    call.at(3300, VoiceOff(3000))
    assert call.at(3800) == [Press("0")]
    assert not call.reception.in_charge


def test_after_a_menu_or_a_screener_a_long_voice_alone_is_a_person() -> None:
    call = Played(Strategy(ivr="press_key", key="0"))
    call.at(2000, VoiceOn(300), Heard("for sales press one", started_ms=300, ended_ms=1900))
    call.at(3800, VoiceOff(3000))
    assert call.at(10_000, VoiceOn(6000)) == []
    assert not call.reception.in_charge


@pytest.mark.parametrize("kind", ["unavailable", "fax"])
def test_nobody_can_be_reached_there(kind: str) -> None:
    call = Played(LEAVE)
    signal = Toned(2100, 500, 3000) if kind == "fax" else Heard("the number you have dialed is not in service")
    assert call.at(3100, VoiceOn(100), signal) == [Hush(), EndCall(kind)]


def test_a_secretary_who_asks_us_to_leave_a_message_is_a_person() -> None:
    call = Played(LEAVE)
    call.at(320, VoiceOn(300))
    call.at(1000, VoiceOff(700))
    call.at(1400)
    call.at(12_000, VoiceOn(9000))
    assert (
        call.at(12_500, Heard("he is out, please leave your name and number", started_ms=9000, ended_ms=12_000)) == []
    )
    assert call.kinds == [Kind.HUMAN]


def test_the_carriers_word_is_taken() -> None:
    call = Played(Strategy())
    assert call.at(1000, VoiceOn(300), CarrierReport("machine_start")) == [Hush(), EndCall("voicemail")]


def test_hanging_up_and_having_to_end_are_obeyed_while_a_machine_is_on() -> None:
    for signal, reason in ((HungUp(), "voicemail"), (MustEnd("drained"), "drained")):
        call = Played(LEAVE)
        call.at(2600, VoiceOn(300), MAILBOX)
        assert call.at(2700, signal) == [EndCall(reason)]


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (MachineWish(), Strategy("leave_message", "press_key", "0", "say_who")),
        (MachineWish(voicemail="hang_up"), Strategy("hang_up", "press_key", "0", "say_who")),
        (MachineWish(menu="hang_up"), Strategy("leave_message", "hang_up", "", "say_who")),
        (MachineWish(menu="press_key", key="5"), Strategy("leave_message", "press_key", "5", "say_who")),
    ],
)
def test_a_campaigns_wish_goes_before_the_playbook_and_no_wish_leaves_it(wish: MachineWish, found: Strategy) -> None:
    assert Strategy("leave_message", "press_key", "0", "say_who").wished(wish) == found
