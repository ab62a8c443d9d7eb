import json
from dataclasses import replace

import numpy as np
import pytest
import uvloop
from rich.console import Console

from app.bench import configurations, opened
from app.bench_capacity import Search
from app.bench_log import Kept
from app.bench_processes import EqualLoad, cost_ratio
from app.bench_report import Findings, Load, Strangers, render
from app.dialog.events import Entry, ProviderFailed, TokensUsed
from app.exchange import marks
from app.exchange.bench_ear import Ear, Spoke, listen
from app.exchange.bench_lines import strange_lines
from app.exchange.caller_words import Register, marked, saying
from app.exchange.calls import Call
from app.exchange.exchange import CallRecord
from app.exchange.phones import Handset, Stretch
from app.exchange.prompt_model import TOKENS, PromptModel, tokens
from app.exchange.prompt_voice import Made, PromptVoice, line
from app.exchange.recording import Tape
from app.telephony import mulaw


@pytest.mark.realtime
def test_a_small_bench_hears_every_call_to_its_end():
    with opened() as bench:
        found = uvloop.run(bench.run(configurations()["nova"], calls=2, seconds=5, manners=False))
    assert found.missed == 0, found.as_dict()
    assert len(found.talk) == 2
    assert all(ear.greeted and ear.spoke for ear in found.talk), found.as_dict()
    assert found.strangers.sounds == 0 < found.strangers.frames_checked, found.as_dict()
    json.dumps(found.as_dict())  # its figures depend on what else runs here


def findings(*spoke: Spoke, underruns: int = 0, strange: int = 0) -> Findings:
    ear = Ear(spoke, underruns=underruns, seconds=60.0, greeted=True)
    return Findings(1, [ear], Load(0.5, 60.0, 1e6, 2.0, 0.1), Strangers(strange, 100), name="a configuration")


ASKED = Spoke("ask", reply_ms=600)


@pytest.mark.parametrize(
    ("found", "good"),
    [
        (findings(ASKED), True),
        (findings(ASKED, underruns=1), False),
        (findings(ASKED, strange=1), False),
        (findings(ASKED, Spoke("ask")), False),  # a reply that never came
        (findings(), False),
    ],
)
def test_a_bench_is_good_when_every_call_was_whole(found, good):
    assert found.good is good
    console = Console(record=True, width=120)
    render([found], "two cores", console)
    assert ("not good" in console.export_text()) is not good


def test_beside_a_bare_loop_the_processor_is_told_in_times_of_it():
    ours, bare = findings(ASKED), findings(ASKED)
    bare.judged = False
    ours.load, bare.load = replace(ours.load, cpu_s=0.9), replace(bare.load, cpu_s=0.6)
    console = Console(record=True, width=120)
    render([ours, bare], "two cores", console)
    row = next(line for line in console.export_text().splitlines() if "times the bare loop's" in line)
    assert [cell.strip() for cell in row.split("│")[2:5]] == ["1.50", "1.00", "<= 1.23"]
    render([ours], "two cores", console)
    assert "times the bare" not in console.export_text()


def test_a_missed_target_is_named_and_printed_with_the_target_beside_it():
    found = findings(Spoke("ask", 750), Spoke("break in", 760, 300, 400), Spoke("pause", 700, cut=True), Spoke("mm-hm"))
    assert found.missed_targets() == [
        "voice to voice, p50 ms",
        "voice to voice, p95 ms",
        "barge-in until 12 dB down, p50 ms",
        "barge-in until 12 dB down, p95 ms",
        "cut into a 0.7 s pause",
    ]
    console = Console(record=True, width=120)
    render([found], "two cores", console)
    text = console.export_text(styles=True)
    row = next(part for part in text.splitlines() if "voice to voice, p95" in part)
    assert "760" in row
    assert "<= 680" in row
    assert "\x1b[1;31m" in row


def test_a_caller_is_known_by_the_mark_in_his_silence_and_no_two_marks_are_alike():
    register = Register()
    numbers = range(0, len(marks.CALLERS), 61)
    for number in numbers:
        register.add(number)
    found = [register.by_frame(marks.CALLERS.frame(number)) for number in numbers]
    assert [speaker.number for speaker in found if speaker] == list(numbers)
    both = mulaw.decode(marks.CALLERS.frame(0)).astype(np.int32) + mulaw.decode(marks.CALLERS.frame(61))
    assert register.by_frame(mulaw.encode(both.astype(np.int16))) is None  # two at once are nobody


def test_a_saying_is_as_long_as_its_words_and_knows_its_pause():
    said = saying("rms", "i would like to", "make an appointment")
    assert said.pause_ms is not None
    assert said.words[3].text == "to"
    assert said.words[3].to_ms == said.pause_ms
    assert said.words[4].from_ms == said.pause_ms + 700
    assert said.words[-1].to_ms == said.ms
    assert len(marked(said, 7)) == len(said.sound)


def test_every_sentence_of_the_model_has_ten_tokens_and_no_reply_is_said_twice():
    told = 'Your reply now: Say this: "It is free. You do not have to buy." End with this question: "Is it yours?"'
    request = {"messages": [{"role": "system", "content": told}, {"role": "user", "content": "hello"}]}
    model = PromptModel()
    first, second = model(request), model(request)
    assert len(first.words) == 3 * TOKENS
    assert "".join(first.words) == first.text[:1].upper() + first.text[1:]
    assert first.text != second.text
    assert first.text.endswith("Is it yours?")
    assert tokens("Yes.") == ("Y", "e", "s", ".")


def test_a_line_ends_with_the_mark_of_its_end():
    found = [marks.LINES.number(row) for row in marks.LINES.bins(line("It costs ten thousand dollars.", 20))]
    heard = [number for number in found if number is not None]
    assert heard[0] == 20
    assert heard[-1] == 21
    voice = PromptVoice()
    made = [b"".join(sound for sound, _ in voice(text)) for text in ("One.", "Two.")]
    assert made[0] != made[1]
    assert [made.text for made in voice.lines] == ["One.", "Two."]
    assert voice.lines[0].number != voice.lines[1].number


@pytest.mark.parametrize("limit", [5, 40, 57, 160, 300])
def test_capacity_is_found_by_doubling_and_halving(limit):
    search, tried = Search(32, 256), []
    while (calls := search.next()) is not None:
        tried.append(calls)
        search.tell(calls, held=calls <= limit)
    assert len(tried) < 12
    assert search.held <= limit
    assert min(limit, 256) - search.held <= 8, (search.held, tried)


SAID = saying("rms", "how much does it cost")
ANSWER = "Most homes pay between ten and twenty eight thousand dollars."
FRAME = 160


def a_call(kind: str, *agent: tuple[int, bytes], said=SAID, at_ms: int = 2000, lasting_ms: int = 12_000) -> Ear:
    """A caller says something `at_ms`; of ours these sounds are heard at these times, one over the other's end."""
    record = CallRecord(Call("CA1", "AC1", "", "", "inbound", None), Tape(), Handset(print, print), (), (), 100.0)
    heard = bytearray(mulaw.silence(lasting_ms))
    for from_ms, sound in agent:
        heard[from_ms * 8 : from_ms * 8 + len(sound)] = sound
    record.tape.add(mulaw.silence(lasting_ms), bytes(heard[: lasting_ms * 8]))
    record.handset.spoken.append(Stretch(at_ms, at_ms + said.ms, f"{kind}: {said.text}"))
    return listen(record, [said])


def test_voice_to_voice_is_from_the_last_sound_of_his_to_the_first_of_ours():
    end_ms = 2000 + SAID.ms
    assert a_call("ask", (end_ms + 620, line(ANSWER, 0))).spoke == (Spoke("ask", 620),)
    assert a_call("ask").unanswered == 2  # no greeting and no reply


def test_an_interruption_is_over_when_nothing_of_ours_is_heard_and_softened_before():
    speech = line(ANSWER, 0)
    until = (2100 - 200) * 8
    stopped = speech[:until] + soft(speech[until : until + 300 * 8])
    (spoke,) = a_call("break in", (200, stopped), (2000 + SAID.ms + 700, line("Well.", 2))).spoke
    assert spoke.reply_ms == 700
    assert spoke.ducked_ms is not None
    assert abs(spoke.ducked_ms - 100) <= 40
    assert spoke.cleared_ms is not None
    assert abs(spoke.cleared_ms - 400) <= 40


def test_a_sound_of_ours_in_his_pause_is_a_cut():
    paused = saying("rms", "can you tell me", "how long the installation takes")
    assert paused.pause_ms is not None
    end_ms = 2000 + paused.ms
    for from_ms, cut in ((2000 + paused.pause_ms + 300, True), (end_ms - 100, True), (end_ms + 500, False)):
        (spoke,) = a_call("pause", (from_ms, line("Hm.", 0)), said=paused).spoke
        assert spoke.cut is cut


def test_a_line_that_stops_at_mm_hm_was_silenced_and_one_that_goes_on_softly_was_not():
    speech, hum = line(ANSWER, 0), saying("rms", "mm-hm")
    half = len(speech) // 2 // FRAME * FRAME
    softly = speech[:half] + soft(speech[half:])
    after_ms = 1000 + len(speech) // 8
    assert not a_call("mm-hm", (1000, speech), said=hum).spoke[0].silenced
    assert a_call("mm-hm", (1000, speech[:half]), (after_ms + 900, line(ANSWER, 2)), said=hum).spoke[0].silenced
    assert not a_call("mm-hm", (1000, softly), (after_ms, line(ANSWER, 2)), said=hum).spoke[0].silenced


def test_a_line_heard_twice_or_answering_somebody_else_is_strange():
    mine, other = Made(6000, 100.5, "Well so actually it is free."), Made(6002, 100.6, "Then well so it is not.")
    asked = {"well so actually": "how much does it cost", "then well so": "is there a warranty"}
    one = a_call("ask", (4000, line(mine.text, 6000)))
    assert strange_lines([one], [mine, other], asked) == (0, 1)
    assert strange_lines([one, one], [mine, other], asked) == (1, 2)  # two callers
    assert strange_lines([a_call("ask", (4000, line(other.text, 6002)))], [mine, other], asked) == (
        1,
        1,
    )  # not his answer


def soft(sound: bytes) -> bytes:
    return mulaw.encode((mulaw.decode(sound).astype(np.float32) * 0.1).astype(np.int16))


def test_who_was_stood_in_for_and_what_was_broken_off_is_told():
    facts = (
        ProviderFailed("dialogue", "openai", "no word in time", fallback="playbook"),
        TokensUsed(1, "openai", "model", 90, 30),
        TokensUsed(2, "openai", "model", 90, 12, cancelled=True),
    )
    kept = Kept.of([Entry(place, 0, fact) for place, fact in enumerate(facts)])
    assert kept == Kept({"dialogue, openai": 1}, 42, 12)
    assert replace(findings(ASKED), kept=kept).missed_targets() == ["stood in for a provider"]


def test_two_processes_would_hold_as_many_more_calls_as_a_call_does_not_cost_more():
    def load(cpu_s: float) -> Findings:
        return Findings(10, [], Load(cpu_s, 20.0, 1e6, 2.0, 0.1))

    one, two = EqualLoad(1, load(2.0)), EqualLoad(2, load(2.5))
    assert one.share_of_a_core == pytest.approx(0.01)
    assert cost_ratio(one, two) == pytest.approx(1.6)
    assert cost_ratio(one, EqualLoad(2, load(2.0))) == pytest.approx(2.0)
