"""`strowger evaluate text --data DIR`: what models of words must show on sets that somebody has, met or not.

DIR holds one folder per set, laid out as docs/models.md says. Every figure is of rows that the model which scored them
had not seen; every setting is chosen inside the rows it learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from app.errors import BadTable
from ml.text import sales
from ml.text.trials import sets
from ml.text.trials.sales import OptsOut, Told
from ml.verdicts import Verdict

Say = Callable[[str], None]
OUT_OF_SCOPE = "oos"


Part = Callable[[Path, Say], Iterator[Verdict]]


def parts(opts_out: OptsOut) -> dict[str, Part]:
    """By name, in the order of the table. `opts_out` is the rule that finds a wish not to be called again."""
    return {
        "banking": _banking,
        "clinc": _clinc,
        "sentiment": _sentiment,
        "objections": _objections,
        "donation": _donation,
        "sales": lambda data, say: _sales(data, say, opts_out),
    }


def verdicts(data: Path, only: tuple[str, ...], known: dict[str, Part], say: Say = lambda _: None) -> Iterator[Verdict]:
    """One after the other, as they are found. Raises BadTable for an unknown part, and for a set that is not there or
    is not laid out as it must be."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    for name in only:
        if name not in known:
            raise BadTable(f"--only {name} is not one of {', '.join(known)}.")
    if not data.is_dir():
        raise BadTable(f"there is no folder {data}.")
    with threadpool_limits(1):  # the same on every machine, and threads would only wait for each other
        for name in only or known:
            yield from known[name](data, lambda step, name=name: say(f"{name}: {step}"))  # type: ignore[misc]


def _banking(data: Path, say: Say) -> Iterator[Verdict]:
    from ml.text.trials.intents import cross_validated

    found = cross_validated(sets.labelled(data / "intents_banking77" / "train.csv", "intent"), say=say)
    yield at_least(f"banking77, {found.rows:,} questions, accuracy", found.accuracy, 0.92)


def _clinc(data: Path, say: Say) -> Iterator[Verdict]:
    from ml.text.trials.intents import cross_validated

    folder = data / "intents_clinc150"
    both = [sets.labelled(folder / name, "intent") for name in ("train.csv", "val.csv")]
    found = cross_validated(
        sets.Labelled(both[0].texts + both[1].texts, both[0].labels + both[1].labels), OUT_OF_SCOPE, say
    )
    yield at_least(f"clinc150, {found.rows:,} questions, accuracy in scope", found.accuracy, 0.93)
    yield at_least("clinc150, out of scope found", found.refused, 0.58)


def _sentiment(data: Path, say: Say) -> Iterator[Verdict]:
    from ml.text.trials.sentiment import cross_validated

    folder = data / "emotions_goemotions"
    both = [sets.labelled(folder / name, "labels") for name in ("train.csv", "dev.csv")]
    every = sets.Labelled(both[0].texts + both[1].texts, both[0].labels + both[1].labels)
    found = cross_validated(every, sets.groups(folder / "groups.json", "sentiment"), say)
    yield at_least(f"goemotions, {len(every):,} comments, sentiment macro F1", found, 0.65)


def _objections(data: Path, say: Say) -> Iterator[Verdict]:
    from ml.text.trials.objections import asked, cross_validated

    rows = asked(sets.sentences(data / "persuasion_dialogues" / "strategies.csv"))
    found = cross_validated(rows, say)
    yield at_least(f"persuasion, {len(rows):,} answers, objects or not, AUC", found, 0.88)


def _donation(data: Path, say: Say) -> Iterator[Verdict]:
    from ml.text.trials.donation import cross_validated

    rows = sets.dialogues(data / "persuasion_dialogues" / "train.jsonl.gz")
    found = cross_validated(rows, say)
    yield at_least(f"persuasion, {len(rows):,} dialogues, will they give, whole, AUC", found.whole, 0.7)
    yield at_least("persuasion, from the first half, AUC", found.first_half, 0.65)


def _sales(data: Path, say: Say, opts_out: OptsOut) -> Iterator[Verdict]:
    from ml.text.trials.sales import cross_validated, others

    rows = sets.columns(data / "sales_utterances" / "examples.csv", "language", "text", "intent")
    for language in sales.LANGUAGES:
        asked = [(text, intent) for of, text, intent in rows if of == language]
        if not asked:
            raise BadTable(f"examples.csv has no sentence in the language {language!r}.")
        own, told = cross_validated(language, opts_out, say), others(language, asked, opts_out)
        yield at_least(f"sales ({language}), {own.rows:,} own sentences, accuracy", own.accuracy, 0.85)
        yield from _stops(f"sales ({language}), own sentences", own)
        yield at_least(f"sales ({language}), {told.rows:,} of other hands, accuracy", told.accuracy, 0.85)
        yield from _stops(f"sales ({language}), other hands", told)


def _stops(where: str, found: Told) -> Iterator[Verdict]:
    alone = f"rule alone {found.by_rule:.3f}, model alone {found.by_model:.3f}"
    if found.missed:
        alone += "; missed: " + ", ".join(found.missed[:5])
    what = f"{where}, stop_calling by rule or model, {found.wishes} wishes"
    yield Verdict(what, "1.00", f"{found.recall:.3f} ({alone})", found.recall == 1)
    alike = f" (of sentences with its words {found.look_alike:.1%})" if found.look_alike else ""
    yield Verdict(f"{where}, others taken for stop_calling", "<= 1 %", f"{found.false:.2%}{alike}", found.false <= 0.01)


def at_least(what: str, found: float, needed: float) -> Verdict:
    return Verdict(what, f">= {needed:g}", f"{found:.3f}", found >= needed)
