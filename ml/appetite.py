"""How much package a caller wants, told from one sentence: little, the middle, much, or nothing of the kind.

Our own sentences, English and Spanish, made of a few patterns; "nothing of the kind" are small talk and whatever a
playbook lists as its callers' questions, objections and answers. A multinomial logistic regression on word stems and
pairs of them learns in a tenth of a second. The model is plain arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
LITTLE, MIDDLE, MUCH, NOTHING = range(4)
_STRENGTH, _FOLDS = 6.0, 5
_NOT = frozenset({"not", "no", "don't", "dont", "never", "without", "sin", "nothing", "isn't", "can't", "won't"})
_REACH = 4  # words that a "not" is about
_LITTLE_WORDS = (
    "i the a an to is it of we you that for me please would like with and one my in on be have what do our us are im "
    "i'm i'd at el la los las un una lo de que y es para"
)
_EMPTY = frozenset(_LITTLE_WORDS.split())

_ASKED_FOR = (
    "the {} one", "i only want the {} one", "give me the {} option", "we would take the {} package", "{} please",
    "do you have a {} version", "i am looking for the {} system", "i think the {} one would suit us",
    "let us go with the {} one", "which one is the {} model",
)  # fmt: skip
_LITTLE_IS = (
    "cheapest", "least expensive", "most affordable", "smallest", "simplest", "most basic", "entry level", "no frills",
    "low cost", "starter", "plain", "minimal", "economy", "inexpensive",
)  # fmt: skip
_MIDDLE_IS = (
    "middle", "medium", "mid range", "standard", "regular", "normal", "average", "usual", "balanced", "most popular",
    "in between", "typical", "moderate",
)  # fmt: skip
_MUCH_IS = (
    "best", "biggest", "largest", "most powerful", "top of the line", "top", "premium", "deluxe", "complete",
    "highest quality", "strongest", "most expensive", "full", "all inclusive", "fanciest", "high end",
)  # fmt: skip
_LITTLE_SAYS = (
    "we are on a tight budget", "i can not spend that much", "i have to watch every penny", "we do not have much money",
    "i want to spend as little as possible", "keep the cost down", "only the basics", "something simple is fine",
    "nothing fancy", "we do not need any extras", "a small one is enough", "we hardly use any", "our budget is limited",
    "money is short at the moment", "i live on a fixed income", "we have to save", "it must be affordable",
    "we have little to spend", "as cheap as you can make it", "we need very little", "there are only two of us",
    "it is a small house", "i just want the bare minimum", "price is what matters most", "the less it costs the better",
    "quiero lo más barato", "solo lo básico", "algo sencillo y económico", "no tenemos mucho presupuesto",
    "lo más pequeño que tenga", "no puedo gastar tanto", "no necesitamos extras",
)  # fmt: skip
_MIDDLE_SAYS = (
    "something in the middle", "a good balance of price and quality", "what do most people take",
    "neither big nor small", "not the cheapest but not the most expensive either", "good value for the money",
    "what your customers usually buy", "somewhere between the two", "a normal package for a family",
    "average size i would say", "we are an ordinary family", "the one everybody buys", "not too big and not too small",
    "a fair price for decent quality", "algo intermedio", "the one most people have", "el más popular",
    "una buena relación entre calidad y precio", "el estándar", "ni el más barato ni el más caro",
)  # fmt: skip
_MUCH_SAYS = (
    "price is not a problem", "money is no object", "i want everything included", "with all the extras",
    "whatever it costs", "we want to be fully independent", "quality matters more than price",
    "we want it to last so only the finest", "we need power even when the grid is down",
    "we lose power in every storm", "it has to cover everything", "we use a lot", "it is a big house",
    "cost is no concern", "we need as much as we can get", "we want backup power", "spare no expense",
    "i do not mind paying more for quality", "i want the finest there is", "the more the better",
    "we have two electric cars", "we want to do it right and get all of it", "quiero lo mejor", "el paquete completo",
    "con todos los extras", "el precio no importa", "lo más grande que tenga", "queremos ser independientes",
)  # fmt: skip
_NOTHING_SAYS = (
    "yes", "no", "okay", "who is this", "can you say that again", "i am at work right now", "that sounds good",
    "hello", "i have to ask my partner", "let me think about it", "the first one please", "tomorrow afternoon",
    "no thank you", "i want to talk to a person", "please have someone call me back", "i want a quote",
    "i would like to know more", "call me next week", "that is a lot of money", "how does it work",
    "take me off your list", "stop calling me", "i want to book a visit", "that is right", "no that is all",
    "can i speak to somebody", "send me a message", "the second one", "we moved here last year", "i saw your ad", "sí",
    "no sé", "cuánto tarda", "quién es", "está bien",
)  # fmt: skip


def pieces_of(sentence: str) -> tuple[str, ...]:
    """Stems and pairs of them; what follows a "not" is another piece than without it."""
    stems: list[str] = []
    denied = 0
    for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", sentence.lower()):
        if word in _NOT:
            denied = _REACH
            continue
        denied -= 1
        if word not in _EMPTY:
            stem = stem_of(word)
            stems.append(f"not {stem}" if denied > 0 else stem)
    return (*stems, *(f"{a} {b}" for a, b in pairwise(stems)))


def stem_of(word: str) -> str:
    return re.sub(r"(?<=\w{4})(?:est|ing|ed|er|es|s|e)$", "", word)


def sentences(besides: Sequence[str] = ()) -> tuple[tuple[str, int], ...]:
    """Each once, with what it wants."""
    found: dict[str, int] = dict.fromkeys((sentence.lower() for sentence in besides), NOTHING)
    return tuple((found | dict(_own())).items())


def _own() -> Iterator[tuple[str, int]]:
    for said, wish in ((_NOTHING_SAYS, NOTHING), (_LITTLE_SAYS, LITTLE), (_MIDDLE_SAYS, MIDDLE), (_MUCH_SAYS, MUCH)):
        yield from ((sentence, wish) for sentence in said)
    for kinds, wish in ((_LITTLE_IS, LITTLE), (_MIDDLE_IS, MIDDLE), (_MUCH_IS, MUCH)):
        yield from ((form.format(kind), wish) for form in _ASKED_FOR for kind in kinds)


@dataclass(frozen=True, slots=True)
class Appetite:
    """`weights` are 4 wishes x known pieces."""

    pieces: dict[str, int]
    weights: Floats
    base: Floats

    def of(self, sentence: str) -> Floats:
        """How likely each wish is. Words it does not know are no evidence; without any known one it is nothing."""
        columns = [self.pieces[piece] for piece in set(pieces_of(sentence)) if piece in self.pieces]
        if not columns:
            none: Floats = np.eye(4)[NOTHING]
            return none
        return _softmax(self.weights[:, columns].sum(axis=1) + self.base)


def learn(examples: Sequence[tuple[str, int]]) -> Appetite:
    from sklearn.linear_model import LogisticRegression

    pieces = {p: i for i, p in enumerate(sorted({p for sentence, _ in examples for p in pieces_of(sentence)}))}
    wanted = np.array([wish for _, wish in examples])
    fitted = LogisticRegression(C=_STRENGTH, max_iter=300, class_weight="balanced").fit(
        _table(examples, pieces), wanted
    )
    return Appetite(pieces, fitted.coef_, fitted.intercept_)


def unseen(examples: Sequence[tuple[str, int]]) -> dict[str, Floats]:
    """What a model says of each sentence that has not learned from it."""
    order = np.random.default_rng(0).permutation(len(examples))
    found: dict[str, Floats] = {}
    for fold in range(_FOLDS):
        out = set(order[fold::_FOLDS].tolist())
        model = learn([example for i, example in enumerate(examples) if i not in out])
        found |= {examples[i][0]: model.of(examples[i][0]) for i in out}
    return found


def _table(examples: Sequence[tuple[str, int]], pieces: dict[str, int]) -> csr_matrix:
    rows: list[int] = []
    columns: list[int] = []
    for row, (sentence, _) in enumerate(examples):
        known = {pieces[piece] for piece in pieces_of(sentence)}
        rows += [row] * len(known)
        columns += known
    return csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(examples), len(pieces)))


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - np.max(logits))
    shares: Floats = raised / raised.sum()
    return shares
