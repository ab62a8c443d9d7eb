"""Which offer suits what we know."""

from __future__ import annotations

from collections.abc import Mapping

from app.dialog.script import Offer, Playbook


def suiting(playbook: Playbook, facts: Mapping[str, str]) -> Offer | None:
    """The first offer whose conditions all hold; None while we know too little to name one."""
    for offer in playbook.offers:
        if all(fit.holds(facts.get(fit.fact)) for fit in offer.fits):
            return offer
    return None
