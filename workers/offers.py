"""The offer tier of this process: one small model per playbook and state of people's corrections, made when needed.

A model takes a second or two to make and is kept; it is made anew when somebody has corrected a tier since.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from app.dialog.playbook import parse
from app.sales.offer import Assortment, Corrected, Suggestion, Told
from app.sales.packages import assortment_of

if TYPE_CHECKING:
    from ml.offers import OfferModel

MOST_KEPT = 32


class OfferTiers:
    def __init__(self) -> None:
        self._kept: OrderedDict[str, OfferModel] = OrderedDict()

    def suggest(self, playbook: str, name: str, corrected: Sequence[Corrected], told: Told) -> Suggestion | None:
        """`playbook` is the YAML of `name`. None where it has no two offers to choose between. Raises BadPlaybook."""
        assortment = _assortment(playbook, name)
        if len(assortment.packages) < 2:
            return None
        return self._model(assortment, corrected).suggest(told)

    def _model(self, assortment: Assortment, corrected: Sequence[Corrected]) -> OfferModel:
        from ml.offers import train

        key = repr((assortment, [(sorted(one.told.facts.items()), one.told.words, one.package) for one in corrected]))
        if key not in self._kept:
            self._kept[key] = train(assortment, corrected)
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]


@lru_cache(maxsize=1)
def of_this_process() -> OfferTiers:
    """Made models are worth keeping for as long as the process lives."""
    return OfferTiers()


@lru_cache(maxsize=16)
def _assortment(playbook: str, name: str) -> Assortment:
    return assortment_of(parse(playbook, name))
