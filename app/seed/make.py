"""Makes calls.jsonl.gz, the logs of simulated calls: python -m app.seed.make, after a change of what calls log."""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path

from app import playbooks
from app.dialog.events import Signalled, TurnsBegan, to_record
from app.dialog.playbook import parse
from app.providers.offline.intents import Intents
from app.providers.offline.tts import OfflineTextToSpeech
from app.settings import load
from app.simulator.hold import Business, hold
from app.simulator.people import somebody
from app.simulator.run import TODAY

FILE = Path(__file__).parent / "calls.jsonl.gz"
PLAYBOOK = "northlight_solar"
CALLS, SEED = 72, 7
_LEFT_OUT = (Signalled, TurnsBegan)  # what replays need; nobody looks at it


def main() -> None:
    book = parse(playbooks.text_of(PLAYBOOK), PLAYBOOK)
    business = Business(book, Intents.load(book, load().data_dir), OfflineTextToSpeech(), TODAY)
    with FILE.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as out:
        for number in range(CALLS):
            log = hold(business, somebody(book, random.Random(f"{SEED} {number}")).phone)
            kept = [entry for entry in log if not isinstance(entry.fact, _LEFT_OUT)]
            rows = [[entry.at_ms, *to_record(entry.fact)] for entry in kept]
            out.write(json.dumps(rows, separators=(",", ":")).encode() + b"\n")
    sys.stdout.write(f"{CALLS} calls, {FILE.stat().st_size:,} bytes -> {FILE.name}\n")


if __name__ == "__main__":
    main()
