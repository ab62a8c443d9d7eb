"""What a caller means: general sales-call intents and the questions and objections of a playbook.

Two text classifiers, trained on our own sayings and the playbook's examples the first time they are needed and kept
under the data directory by the hash of everything they were made from. Serving needs numpy only.

    python -m app.providers.offline.intents --evaluate [examples.csv ...]
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from app.dialog import guards, sayings
from app.dialog.moves import Expectation
from app.dialog.playbook import Playbook, parse
from app.dialog.state import Understanding
from app.errors import ModelRefused
from app.providers.offline.text_model import TextModel, load, save

OTHER = "other"
GENERAL_THRESHOLD = 0.30  # below it an intent is "other"; the figures behind both come from --evaluate
TOPIC_THRESHOLD = 0.40
IN_DIALOGUE_ONLY = frozenset({"yes", "no", "repeat", "goodbye", "greeting", "done", "dont_know"})
MIXED = frozenset({"price", "question_product"})
CODE = ("intents.py", "intent_training.py", "text_model.py")

Example = tuple[str, str]
Recogniser = Callable[[str], Understanding]


def general_examples(language: str) -> list[Example]:
    return [(text, intent) for intent, texts in sayings.general(language).items() for text in texts]


def topic_examples(playbook: Playbook) -> list[Example]:
    """The playbook's questions and objections, and as "other" all that is said about other things.

    General sayings join the answer that `means` them, but for intents that hold questions and objections alike.
    """
    covered = {intent for answer in playbook.answers for intent in answer.means}
    found = [(example, answer.label) for answer in playbook.answers for example in answer.examples]
    for text, intent in general_examples(playbook.language):
        answer = playbook.answer_meaning(intent)
        if answer and intent not in MIXED:
            found.append((text, answer.label))
        elif intent not in covered:
            found.append((text, OTHER))
    choices = [*playbook.menu.choices, *playbook.callback.choices]
    choices += [choice for fact in playbook.facts for choice in fact.choices]
    found += [(example, OTHER) for choice in choices for example in choice.examples]
    found += [(example, OTHER) for fact in playbook.facts for example in fact.examples]
    return list(dict.fromkeys(found))


def trained(examples: Sequence[Example], threshold: float, data_dir: Path, name: str) -> TextModel:
    """From the cache, or trained now (a second or two) and kept."""
    path = data_dir / "models" / f"{name}-{_fingerprint(examples, threshold)}.npz"
    if path.exists():
        try:
            return load(path)
        except ModelRefused:
            path.unlink(missing_ok=True)
    from app.providers.offline.intent_training import train  # scikit-learn loads only where something is trained

    save(train(examples, threshold), path)
    return load(path)


def _fingerprint(examples: Sequence[Example], threshold: float) -> str:
    digest = hashlib.sha256(repr((sorted(examples), threshold)).encode())
    for name in CODE:
        digest.update((files("app.providers.offline") / name).read_bytes())
    digest.update((files("app.dialog") / "words.py").read_bytes())
    digest.update((files("app.providers.offline") / "data" / "word_classes.txt").read_bytes())
    return digest.hexdigest()[:16]


def stop_examples(language: str) -> list[Example]:
    """Many more sentences than the rest needs, and some that only sound like a wish not to be called again."""
    return list(dict.fromkeys((*general_examples(language), *sayings.more(language))))


@cache
def _stops(language: str, data_dir: Path) -> TextModel:
    """The second opinion on wishes not to be called again."""
    return trained(stop_examples(language), GENERAL_THRESHOLD, data_dir, f"stops-{language}")


@dataclass(frozen=True, slots=True)
class Intents:
    """Understands one playbook's callers. Load once per process; each call costs well under a millisecond."""

    general: TextModel
    topics: TextModel
    stops: TextModel

    @classmethod
    def load(cls, playbook: Playbook, data_dir: Path) -> Intents:
        language = playbook.language
        return cls(
            trained(general_examples(language), GENERAL_THRESHOLD, data_dir, f"intents-{language}"),
            trained(topic_examples(playbook), TOPIC_THRESHOLD, data_dir, f"topics-{playbook.name}"),
            _stops(language, data_dir),
        )

    def understand(self, text: str, expecting: Expectation | None = None) -> Understanding:
        intent, confidence = self.general.recognise(text)
        about, about_confidence = self.topics.recognise(text)
        accepted = about != OTHER and about_confidence >= self.topics.threshold
        return Understanding(
            intent if confidence >= self.general.threshold else OTHER,
            confidence,
            about if accepted else "",
            about_confidence if accepted else 0.0,
            self.stops.probability(text, "stop_calling"),
        )


def sales_examples(language: str) -> list[Example]:
    """Only what a call is about: without yes, no, pardon, hello and goodbye, which need a dialogue."""
    return [(text, intent) for text, intent in general_examples(language) if intent not in IN_DIALOGUE_ONLY]


@cache
def _sales(language: str, data_dir: Path) -> TextModel:
    return trained(sales_examples(language), GENERAL_THRESHOLD, data_dir, f"sales-{language}")


def recognise(text: str, language: str = "en", data_dir: Path = Path(".strowger")) -> tuple[str, float]:
    """What one saying by itself is about ("en" or "es") and how sure we are; the guards decide before the model."""
    if guards.opts_out(text):
        return "stop_calling", 1.0
    intent, confidence = _sales(language, data_dir).recognise(text)
    if intent != "voicemail" and guards.asks_robot(text):
        return "is_robot", 1.0
    return (intent, confidence) if confidence >= GENERAL_THRESHOLD else (OTHER, confidence)


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(prog="python -m app.providers.offline.intents", description=__doc__)
    options.add_argument("--evaluate", action="store_true", help="print out-of-sample figures")
    options.add_argument("files", nargs="*", type=Path, help="CSV with language, text, intent: new sayings")
    options.add_argument("--playbook", type=Path, help="a playbook file; default: Northlight Solar")
    given = options.parse_args(arguments)
    if not given.evaluate:
        options.print_help()
        return 2
    from app.providers.offline.intent_training import cross_validate

    source = given.playbook or Path(str(files("app") / "playbooks" / "northlight_solar.yaml"))
    playbook = parse(source.read_text(encoding="utf-8"), source.name)
    for name, examples, threshold in (
        ("general, English", general_examples("en"), GENERAL_THRESHOLD),
        ("general, Spanish", general_examples("es"), GENERAL_THRESHOLD),
        ("sales, English", sales_examples("en"), GENERAL_THRESHOLD),
        (f"topics of {playbook.name}", topic_examples(playbook), TOPIC_THRESHOLD),
    ):
        found = cross_validate(examples, threshold)
        _print(
            f"{name}: {found.examples} sayings, 5-fold: accuracy {found.accuracy:.3f}, macro F1 {found.macro_f1:.3f}; "
            f"at threshold {threshold}: {found.accepted:.1%} accepted, {found.accuracy_accepted:.1%} of those right"
        )
        weak = sorted(found.recall.items(), key=lambda item: item[1])[:5]
        _print("  weakest recall: " + ", ".join(f"{label} {value:.2f}" for label, value in weak))
    for path in given.files:
        _print(_on_file(path))
    return 0


def _on_file(path: Path) -> str:
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    wrong = [(row, found) for row in rows if (found := recognise(row["text"], row["language"])[0]) != row["intent"]]
    listed = "".join(f"\n  {row['text']!r}: {row['intent']}, taken for {found}" for row, found in wrong)
    return f"{path.name}: {len(rows)} sayings never trained on, {1 - len(wrong) / max(len(rows), 1):.1%} right{listed}"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
