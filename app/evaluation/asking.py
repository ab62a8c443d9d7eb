"""The second opinion of a live call on wishes not to be called again, on our own sentences by five folds.

The rules act at once; what they miss and the model takes for such a wish, is asked about (`app/dialog/leaving.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np

from app.dialog.guards import opts_out
from app.dialog.leaving import ASK_FROM
from app.providers.offline.intent_training import build, train
from app.providers.offline.intents import GENERAL_THRESHOLD, stop_examples
from ml.text import sales
from ml.text.trials.folds import stratified
from ml.verdicts import Verdict

MOST_MS = 5.0  # of a turn


def verdicts(say: Callable[[str], None]) -> Iterator[Verdict]:
    for language in sales.LANGUAGES:
        say(f"live: {language}")
        yield from _of(language)


def _of(language: str) -> Iterator[Verdict]:
    pairs = stop_examples(language)
    texts, intents = [text for text, _ in pairs], [intent for _, intent in pairs]
    likely = np.zeros(len(pairs))
    for learn, ask in stratified(intents):
        model = build().fit([texts[at] for at in learn], [intents[at] for at in learn])
        column = list(model.classes_).index(sales.STOP)
        likely[ask] = model.predict_proba([texts[at] for at in ask])[:, column]
    alike = sales.look_alikes(language)
    wishes, sounds = np.array(intents) == sales.STOP, np.array([text in alike for text in texts])
    ruled, asked = np.array([opts_out(text) for text in texts]), likely >= ASK_FROM
    found, needless = (ruled | asked)[wishes].mean(), (asked | ruled)[~wishes & ~sounds].mean()
    where = f"live call ({language}), {len(pairs):,} own sentences"
    missed, caught = int((wishes & ~ruled).sum()), int((wishes & ~ruled & asked).sum())
    told = f"{found:.3f} (of {missed} that the rules miss, {caught} are asked about)"
    yield Verdict(f"{where}, stop_calling acted on or asked about", "1.00", told, bool(found == 1))
    look_alike = f"{needless:.2%} (of sentences with its words {asked[~wishes & sounds].mean():.1%})"
    yield Verdict(f"{where}, others asked about", "<= 1 %", look_alike, bool(needless <= 0.01))
    ms = _ms_a_turn(pairs)
    yield Verdict(f"live call ({language}), rules and second opinion, a turn", f"< {MOST_MS:g} ms", f"{ms:.2f} ms",
                  ms < MOST_MS)  # fmt: skip


def _ms_a_turn(pairs: list[tuple[str, str]]) -> float:
    """The 95th of a hundred turns: in the slowest ones the machine did something else."""
    model = train(pairs, GENERAL_THRESHOLD)
    taken = []
    for text, _ in pairs[:: max(1, len(pairs) // 200)]:
        began = perf_counter()
        opts_out(text)
        model.probability(text, sales.STOP)
        taken.append(perf_counter() - began)
    return float(np.quantile(taken, 0.95)) * 1000
