"""The table at the end of the demo, and the same as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.demo.kept import Kept
from app.pricing import in_words


def show(console: Console, kept: Sequence[Kept]) -> None:
    console.print()
    for one in kept:
        console.print(_table(one))


def as_json(kept: Sequence[Kept]) -> str:
    calls = [
        {
            "call_sid": one.call_sid,
            "caller": one.caller.phone,
            "wanted": one.caller.wants.value,
            "outcome": dataclasses.asdict(one.outcome) if one.outcome else None,
            "score": dataclasses.asdict(one.score) if one.score else None,
            "offer": dataclasses.asdict(one.offer) if one.offer else None,
            "message": {"text": one.message.text, "status": one.message.status} if one.message else None,
            "suppressed": one.suppressed,
            "recording": str(one.recording),
            "cost": {"known": str(one.cost.known), "currency": one.cost.currency, "unknown": list(one.cost.unknown)},
            "missing": list(one.missing()),
        }
        for one in kept
    ]
    return json.dumps({"ok": not any(one.missing() for one in kept), "calls": calls}, indent=2)


def _table(kept: Kept) -> Table:
    good = not kept.missing()
    title = Text.assemble(kept.caller.name, "  ", ("as it should be" if good else "NOT as it should be", _style(good)))
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2), expand=True)
    table.add_column(style="dim", width=10)
    table.add_column(ratio=1, overflow="fold")
    for name, value in _rows(kept):
        table.add_row(name, value)
    table.add_row("")
    return table


def _rows(kept: Kept) -> list[tuple[str, str]]:
    rows = [("call", kept.call_sid)]
    if outcome := kept.outcome:
        facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in outcome.facts.items())
        when = f" for {outcome.appointment}" if outcome.appointment else ""
        answered = f", answered in {outcome.reply_p50_ms} ms (median)" if outcome.reply_p50_ms is not None else ""
        rows += [
            ("outcome", outcome.result.value.replace("_", " ") + when),
            ("facts", facts or "none"),
            ("turns", f"{outcome.turns}, interrupted {outcome.interruptions} times{answered}"),
        ]
    if score := kept.score:
        bounds = f"{score.probability:.0%} ({score.lower:.0%} to {score.upper:.0%})"
        rows += [
            ("score", f"{bounds}, tier {score.tier.value}, model {score.model_version}, {score.origin}"),
            ("because", "; ".join(reason.replace("_", " ") for reason in score.reasons)),
        ]
    if offer := kept.offer:
        named = (
            f"{offer.package} ({offer.probability:.0%})" if offer.package else f"open: {', '.join(offer.candidates)}"
        )
        rows.append(("package", f"{named}, model {offer.model_version}; {'; '.join(offer.reasons)}"))
    rows.append(("follow-up", f"{kept.message.text} [{kept.message.status}]" if kept.message else "none"))
    if kept.suppressed:
        rows.append(("list", f"{kept.caller.phone} is suppressed on every channel"))
    rows.append(("cost", f"{in_words(kept.cost)} (the phone line; here it was free)"))
    rows.append(("recording", str(kept.recording)))
    rows += [("MISSING", fault) for fault in kept.missing()]
    return rows


def _style(good: bool) -> str:
    return "green" if good else "bold red"
