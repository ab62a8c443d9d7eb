"""Which package suits a caller: a multinomial logistic regression on facts and words, that may say "not enough known".

It looks at which package the playbook's conditions name, at what the caller wants in words (`ml.appetite`), at whether
words of one package's own description were said, and, once people have corrected some calls, at the words of those. It
learns in a second or two from made-up people (ml/offer_people.py) and from the corrections, which weigh more.

A package is named when it is likely enough and the conformal set holds no other: per package, split conformal
prediction conditional on the label (Mondrian; Vovk, Gammerman, Shafer, 2005) leaves out a package only where at most
one in ten of those it suits would be left out. The model is plain arrays, made anew where it is needed: there is no
file to trust.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import ml.appetite as appetite
from app.errors import BadInput
from app.sales.offer import NOT_KNOWN, Assortment, Corrected, Package, Suggestion, Told
from ml.appetite import Appetite, pieces_of, stem_of
from ml.conformal import cut_for
from ml.offer_people import Person, people, phrasebook

Floats = NDArray[np.float64]
LEFT_OUT = 0.1  # of those whom a package suits, at most so many do not have it among the candidates
LEAST_SURE = 0.6  # a package is not named on less, however little speaks for the others
CORRECTION_WEIGHS = 25.0  # as much as so many made-up people
FEWEST_CORRECTIONS, MOST_PIECES = 3, 300  # a word counts by itself from so many corrected calls that have it
_LEARNED_FROM, _CALIBRATED_ON = 3_000, 1_500
_STRENGTH = 1.0
_ASK_BY = "do|does|is|are|what|how|when|who|why|will it|can it|has|¿|qué|cómo|tiene|hay"
_ASKS = re.compile(rf"\s*(?:and|but|so|well|ok|okay)?\s*(?:{_ASK_BY})\b", re.IGNORECASE)
_SPEAKS_FOR = 0.3  # log-odds; what says less is no reason to give


@dataclass(frozen=True, slots=True)
class Reader:
    """What is told -> one row: which package the conditions name, whether they are undecided, the three wishes, words
    of each package, and `own` pieces. `known` are wishes of sentences that `appetite` must not be asked about."""

    assortment: Assortment
    appetite: Appetite
    own: Mapping[str, int]
    known: Mapping[str, Floats]

    @property
    def width(self) -> int:
        return 2 * len(self.assortment.packages) + 4 + len(self.own)

    def row(self, told: Told) -> Floats:
        row = np.zeros(self.width)
        count = len(self.assortment.packages)
        suits = self.assortment.by_rules(told.facts)
        row[count if suits is None else suits] = 1.0
        wanted = row[count + 1 : count + 4]
        for sentence in told.words:
            np.maximum(wanted, self._wish(sentence)[: appetite.NOTHING], out=wanted)
            self._mark(row, sentence)
        return row

    def _wish(self, sentence: str) -> Floats:
        found = self.known.get(sentence)
        return self.appetite.of(sentence) if found is None else found

    def _mark(self, row: Floats, sentence: str) -> None:
        """Who asks whether there is a battery does not ask for one: questions name no package."""
        count, pieces = len(self.assortment.packages), pieces_of(sentence)
        for place, package in enumerate(self.assortment.packages):
            if not _ASKS.match(sentence) and any(stem_of(word) in pieces for word in package.words):
                row[count + 4 + place] = 1.0
        for piece in pieces:
            if piece in self.own:
                row[2 * count + 4 + self.own[piece]] = 1.0


@dataclass(frozen=True, slots=True)
class OfferModel:
    """`weights` are packages x inputs."""

    reader: Reader
    weights: Floats
    base: Floats
    cuts: Floats
    version: str

    @property
    def packages(self) -> tuple[Package, ...]:
        return self.reader.assortment.packages

    def probabilities(self, told: Told) -> Floats:
        return _softmax(self.weights @ self.reader.row(told) + self.base)

    def suggest(self, told: Told) -> Suggestion:
        """Never raises: facts nobody asked for and words it does not know are no evidence."""
        found = self.probabilities(told)
        likeliest = np.argsort(-found, kind="stable")
        best = int(likeliest[0])
        left = [int(place) for place in likeliest if found[place] >= self.cuts[place]]
        if left == [best] and found[best] >= LEAST_SURE:
            reasons = self._reasons(told, best)
            return Suggestion(
                self.packages[best].name, float(found[best]), (self.packages[best].name,), reasons, self.version
            )
        open_ = left if len(left) > 1 and found[best] >= LEAST_SURE else [int(place) for place in likeliest]
        names = tuple(self.packages[place].name for place in open_)
        return Suggestion(None, float(found[best]), names, (NOT_KNOWN,), self.version)

    def _reasons(self, told: Told, best: int) -> tuple[str, ...]:
        """At most three, strongest first: what speaks for this package rather than for the others on average."""
        ahead = self.weights[best] - (self.weights.sum(axis=0) - self.weights[best]) / max(1, len(self.packages) - 1)
        found: list[tuple[float, str]] = []
        package, place = self.packages[best], self.reader.assortment.by_rules(told.facts)
        if place == best and package.conditions:
            facts = ", ".join(f"{c.fact.replace('_', ' ')} {told.facts[c.fact]}" for c in package.conditions)
            found.append((float(ahead[best]), f"{facts} suits {package.title}"))
        spoken = ahead.copy()
        spoken[: len(self.packages) + 1] = 0.0
        for sentence in told.words:
            worth = float(spoken @ self.reader.row(Told({}, (sentence,))))
            found.append((worth, f'said "{sentence[:60]}"'))
        strongest = sorted((f for f in found if f[0] > _SPEAKS_FOR), key=lambda f: -f[0])[:3]
        return tuple(reason for _, reason in strongest) or ("nothing speaks for another package",)


def train(assortment: Assortment, corrected: Sequence[Corrected] = (), seed: int = 1889) -> OfferModel:
    """The same model for the same arguments. Raises BadInput where there is nothing to choose between."""
    if len(assortment.packages) < 2:
        raise BadInput("an offer tier needs at least two offers in the playbook.")
    examples = appetite.sentences(assortment.besides)
    owns: list[Person] = [(one.told, one.package) for one in corrected if one.package in assortment.names]
    blind = Reader(assortment, appetite.learn(examples), _own_pieces(owns), appetite.unseen(examples))
    book = phrasebook(examples)
    weights, base = _fit(blind, people(assortment, book, _LEARNED_FROM, seed), owns)
    cuts = _cuts(
        OfferModel(blind, weights, base, np.zeros(len(base)), ""), people(assortment, book, _CALIBRATED_ON, seed + 1)
    )
    digest = hashlib.sha256(repr(assortment).encode() + weights.tobytes() + base.tobytes() + cuts.tobytes()).hexdigest()
    origin = "corrected" if owns else "simulated"
    reader = Reader(assortment, blind.appetite, blind.own, {})
    return OfferModel(reader, weights, base, cuts, f"offers-{origin}-{digest[:12]}")


def _fit(reader: Reader, made_up: list[Person], owns: list[Person]) -> tuple[Floats, Floats]:
    from sklearn.linear_model import LogisticRegression

    everybody = made_up + owns
    x = np.array([reader.row(told) for told, _ in everybody])
    y = np.array([reader.assortment.names.index(name) for _, name in everybody])
    weigh = np.array([1.0] * len(made_up) + [CORRECTION_WEIGHS] * len(owns))
    fitted = LogisticRegression(C=_STRENGTH, max_iter=400).fit(x, y, sample_weight=weigh)
    if len(reader.assortment.packages) > 2:
        return fitted.coef_, fitted.intercept_
    half, base = fitted.coef_[0] / 2, fitted.intercept_[0] / 2  # of two, scikit-learn keeps the difference only
    return np.vstack([-half, half]), np.array([-base, base])


def _own_pieces(owns: Sequence[Person]) -> dict[str, int]:
    calls = Counter(piece for told, _ in owns for piece in {p for sentence in told.words for p in pieces_of(sentence)})
    common = [piece for piece, times in calls.most_common(MOST_PIECES) if times >= FEWEST_CORRECTIONS]
    return {piece: column for column, piece in enumerate(sorted(common))}


def _cuts(model: OfferModel, unseen: Sequence[Person]) -> Floats:
    names = model.reader.assortment.names
    own: list[list[float]] = [[] for _ in names]
    for told, name in unseen:
        place = names.index(name)
        own[place].append(float(model.probabilities(told)[place]))
    return np.array([cut_for(np.array(scores), LEFT_OUT) for scores in own])


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - np.max(logits))
    shares: Floats = raised / raised.sum()
    return shares
