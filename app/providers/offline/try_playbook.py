"""Talk to a playbook in the terminal, to try its wording before anyone hears it.

    python -m app.providers.offline.try_playbook app/playbooks/northlight_solar.yaml

Type what a caller would say; `#12` presses keys, an empty line is silence.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path

from app.dialog import engine
from app.dialog.moves import CallerTurn, Finish, HeardLine, Move, Pressed, Said, Say, Silent
from app.dialog.playbook import Playbook, parse
from app.dialog.state import State, Understanding
from app.errors import BadPlaybook
from app.providers.offline.intents import Intents


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stdout.write(__doc__ or "")
        return 2
    path = Path(arguments[0])
    try:
        playbook = parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, BadPlaybook) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    intents = Intents.load(playbook, Path(".strowger"))
    state, moves = engine.begin(playbook, today=date.today())
    number = 0
    while not _show(moves):
        state = _all_heard(state, moves, playbook)
        number += 1
        sys.stdout.write(f"[{state.topic}] > ")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return 0
        turn, meaning = _turn(number, line.strip(), intents)
        state, moves = engine.answer(state, turn, meaning, playbook)
    return 0


def _turn(number: int, line: str, intents: Intents) -> tuple[CallerTurn, Understanding]:
    if not line:
        return Silent(number, 1), Understanding()
    if line.startswith("#"):
        return Pressed(number, line[1:]), Understanding()
    return Said(number, line), intents.understand(line)


def _all_heard(state: State, moves: tuple[Move, ...], playbook: Playbook) -> State:
    for move in moves:
        if isinstance(move, Say):
            state = engine.heard(state, HeardLine(move, move.text, True), playbook)
    return state


def _show(moves: tuple[Move, ...]) -> bool:
    """True when the call is over."""
    for move in moves:
        if isinstance(move, Say):
            sys.stdout.write(f"  {move.text}\n")
        elif isinstance(move, Finish):
            sys.stdout.write(f"  -- {move.reason}\n")
        else:
            sys.stdout.write(f"    {type(move.fact).__name__} {asdict(move.fact)}\n")
    return any(isinstance(move, Finish) for move in moves)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
