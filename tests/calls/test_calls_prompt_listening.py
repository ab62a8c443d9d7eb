"""The recogniser of the bench, on a clock that does not wait: what it tells, and when."""

import asyncio
import json

import pytest

from app.exchange import marks, virtual
from app.exchange.caller_words import Register, marked, saying
from app.exchange.deepgram import DeepgramServer
from app.exchange.listening import Connected
from app.exchange.prompt_listening import PromptFlux, PromptNova
from app.telephony import mulaw

NUMBER = 17
PIECE_MS = 20
WHOLE = saying("rms", "is there a warranty")
PAUSED = saying("rms", "can you tell me", "how long the installation takes")
EAGER = {"eager_eot_threshold": ["0.4"]}


class Connection:
    """In place of a socket of `websockets`: audio at the pace of speech in pieces of so many milliseconds."""

    def __init__(self, register, said, piece_ms=PIECE_MS, controls=()):
        self._speaker = register.add(NUMBER)
        self._said, self._piece_ms = said, piece_ms
        self._controls = dict(controls)  # ms of the call -> message
        silence = marks.CALLERS.frame(NUMBER) * 50
        self._sound = silence + marked(said, NUMBER) + silence
        self._at_ms = 0
        self.told = []  # ms after the caller's last sound, and the message

    async def recv(self):
        if text := self._controls.pop(self._at_ms, None):
            return json.dumps({"type": text})
        self._at_ms += self._piece_ms
        await asyncio.sleep(self._piece_ms / 1000)
        if self._at_ms >= 1000 > self._at_ms - self._piece_ms:
            self._speaker.begin(self._said)
        piece = self._sound[(self._at_ms - self._piece_ms) * 8 : self._at_ms * 8]
        return piece or json.dumps({"type": "CloseStream"})

    async def send(self, text):
        now_ms = (asyncio.get_running_loop().time() - virtual.STARTED_AT) * 1000
        self.told.append((round(now_ms) - 1000 - self._said.ms, json.loads(text)))

    async def close(self, code, reason):
        """It is over."""


def hear(kind, said, query=(), **how):
    register = Register()
    connection = Connection(register, said, **how)
    listening = type("Bench", (kind,), {"register": register})
    seen = Connected({"model": ["m"], "interim_results": ["true"], **dict(query)}, {})
    virtual.run(listening(DeepgramServer(), connection, seen, 1).run())
    assert register.speakers[NUMBER].strange_frames == 0
    return connection.told


def turns(told, *events):
    return [(at, m["event"], m["transcript"]) for at, m in told if m.get("event") in events]


def finals(told):
    return [(at, m["channel"]["alternatives"][0]["transcript"]) for at, m in told if m.get("speech_final")]


def test_flux_guesses_after_120_ms_of_silence_and_ends_the_turn_after_200():
    told = hear(PromptFlux, WHOLE, EAGER)
    assert [m["type"] for _, m in told].count("Connected") == 1
    assert turns(told, "EagerEndOfTurn", "EndOfTurn") == [
        (120, "EagerEndOfTurn", "is there a warranty"),
        (200, "EndOfTurn", "is there a warranty"),
    ]
    assert turns(hear(PromptFlux, WHOLE), "EagerEndOfTurn") == []  # not asked for


def test_a_pause_in_mid_sentence_ends_a_turn_like_any_other():
    told = turns(hear(PromptFlux, PAUSED, EAGER), "EndOfTurn")
    assert [text for _, _, text in told] == ["can you tell me", "how long the installation takes"]
    assert [text for _, text in finals(hear(PromptNova, PAUSED))] == [text for _, _, text in told]


def test_interim_results_come_every_250_ms_with_the_words_whose_sound_has_come():
    told = [m for at, m in hear(PromptNova, WHOLE) if m["type"] == "Results" and not m["is_final"] and at <= 0]
    texts = [m["channel"]["alternatives"][0]["transcript"] for m in told]
    assert len(told) == (1000 + WHOLE.ms) // 250
    assert texts[3] == ""
    assert all("is there a warranty".startswith(text) for text in texts)
    assert "is there" in texts[-1]


@pytest.mark.parametrize("piece_ms", [20, 60, 100])
def test_silence_counts_when_its_audio_has_come(piece_ms):
    ((at_ms, _),) = finals(hear(PromptNova, WHOLE, piece_ms=piece_ms))
    assert 200 <= at_ms < 200 + piece_ms


def test_an_answer_that_was_asked_for_comes_when_it_is_due_and_no_earlier():
    asked_ms = 1000 + WHOLE.ms // 100 * 100 + 100
    ((at_ms, text),) = finals(hear(PromptNova, WHOLE, piece_ms=100, controls={asked_ms: "Finalize"}))
    assert at_ms == 200
    assert text == "is there a warranty"


def test_another_callers_sound_is_noticed():
    register = Register()
    connection = Connection(register, WHOLE)
    strange = mulaw.decode(marks.CALLERS.frame(NUMBER)) + mulaw.decode(marks.CALLERS.frame(NUMBER + 400))
    connection._sound = connection._sound[:4000] + mulaw.encode(strange) * 200
    listening = type("Bench", (PromptNova,), {"register": register})
    virtual.run(listening(DeepgramServer(), connection, Connected({}, {}), 1).run())
    assert register.speakers[NUMBER].strange_frames > 0
