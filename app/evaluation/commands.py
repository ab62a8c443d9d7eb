"""`strowger evaluate WHAT`: one command for each sense of a call, on a folder of labelled recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option("--data", help="The folder with the recordings.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for a program to read.")]

Clips = Annotated[
    Path | None,
    typer.Option(
        help="Instead: a folder with single digits (7_ann_3.flac), put together to numbers in several groupings.",
        show_default=False,
    ),
]


def mount(evaluation: typer.Typer) -> None:
    """Adds the commands to `evaluate`. Each imports what it measures with only when it runs."""
    evaluation.command("answers")(answers)
    evaluation.command("interruptions")(interruptions)
    evaluation.command("keys")(keys)
    evaluation.command("offers")(offers)
    evaluation.command("text")(text)
    evaluation.command("turns")(turns)


def answers(data: Data = None, as_json: AsJson = False) -> None:
    """Who answered an outbound call: person or machine, how soon that is known, and where the beep ends."""
    from app.evaluation.answers import report

    raise typer.Exit(report(data, as_json))


def interruptions(data: Data = None, as_json: AsJson = False) -> None:
    """Sounds over our own speech: which take the turn, which do not, and how soon we are soft and silent."""
    from app.evaluation.interruptions import report

    raise typer.Exit(report(data, as_json))


def keys(data: Data = None, as_json: AsJson = False) -> None:
    """Keys that come as tones in the sound: whole sequences, and false ones in speech."""
    from app.evaluation.keys import report

    raise typer.Exit(report(data, as_json))


def offers(
    calls: Annotated[int, typer.Option(help="How many people phone in.", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 1,
    playbook: Annotated[str | None, typer.Option(help="Whose offers.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Which package suits: whole calls with made-up people whose package is known."""
    from app.evaluation.offers import report

    raise typer.Exit(report(calls=calls, seed=seed, playbook=playbook, as_json=as_json))


def text(
    data: Annotated[Path | None, typer.Option(help="The folder with the labelled sets.", show_default=False)] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="banking, clinc, sentiment, objections, donation, sales or live. Repeatable; all if left out."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Models of words: intents, sentiment, objections, and wishes not to be called again, each asked beside seen."""
    from app.evaluation.text import report

    raise typer.Exit(report(data, tuple(only or ()), as_json))


def turns(data: Data = None, clips: Clips = None, as_json: AsJson = False) -> None:
    """The end of a dictated number: callers cut off in a pause, and how long the others waited for us."""
    from app.evaluation.turns import report, report_groupings

    raise typer.Exit(report(data, as_json) if clips is None else report_groupings(clips, as_json))
