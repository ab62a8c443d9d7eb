"""How long each stage of a turn may take before something else takes its place, as one value.

Promise P2 leaves 2.5 s from the caller's last sound to ours, and 4.0 s at the very worst. A stage is not waited for
until it fails: it must get on, and whoever does not is passed over at these times. Seconds.

    stage    waits for                                       and when it does not come
    stt      a connection            connect_s               another try, then the next recogniser
             words for a voice       words_s, voiced_s       the next recogniser, from the sound kept meanwhile
    llm      the first token         first_token_s           the next model, or the playbook's own words
             a word from anyone      next_model_s, models_s  one more model is asked; the playbook's own words
             another token           token_gap_s             the rest in the playbook's own words
             words at speaking pace  slowest_cps             the same
    tts      the first audio         first_audio_s           the next voice
             audio before it is out  audio_gap_s             the rest of the line from the next voice
    any      something to be heard   acknowledge_s, late_s   "All right.": a clause before the answer
                                     filler_s                "One moment, please."
                                     give_up_s               "Sorry, could you say that again?"
             a promise made durable  commit_s                the call goes on, the journal keeps trying

Tools need no deadline of their own: they are steps of the engine, which waits for nothing (dialog/toolbox.py); what
they promise is a commit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    connect_s: float = 1.0
    words_s: float = 0.9  # any word of the recogniser's about a voice that has ended
    voiced_s: float = 2.7  # a voice that goes on without a word about it
    first_token_s: float = 1.2
    next_model_s: float = 0.7  # without a word, until the next model is asked as well
    models_s: float = 1.6  # for all of them together
    slow_s: float = 0.7  # a model that last took longer to its first token is expected to be slow
    token_gap_s: float = 0.8
    slowest_cps: float = 12.0  # letters a second: speech takes about 15
    first_audio_s: float = 1.0
    audio_gap_s: float = 0.5  # of silence in a line
    audio_lead_s: float = 0.4  # before what was delivered is played out
    acknowledge_s: float = 0.25  # from the caller's last sound, at the earliest: the answer is later than usual
    late_s: float = 1.1  # the same, whatever is usual
    filler_s: float = 2.0
    give_up_s: float = 5.0
    commit_s: float = 8.0


DEADLINES = Deadlines()
