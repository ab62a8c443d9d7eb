"""The faults F01 to F30, and what a part of `make chaos` found out about one of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from app.chaos.figures import Figure

FAULTS: Mapping[str, str] = {
    "F01": "pool children killed while calls are scored",
    "F02": "the whole worker killed in the middle of a task",
    "F03": "Redis killed with queued tasks, started again empty",
    "F04": "Redis frozen",
    "F05": "Postgres away while calls end",
    "F06": "Postgres killed under load",
    "F07": "speech to text: socket reset in mid-utterance",
    "F08": "speech to text: takes audio, returns nothing",
    "F09": "language model: 429, 500 or 503",
    "F10": "language model: first token after 8 s",
    "F11": "language model: stream stops after 5 tokens",
    "F12": "text to speech: stalls in mid-sentence",
    "F13": "speech to text, model and text to speech all down",
    "F14": "status callbacks three times, in any order",
    "F15": "a voice webhook answered late and sent again",
    "F16": "media socket half open",
    "F17": "the carrier reads at a quarter of real time",
    "F18": "malformed frames",
    "F19": "media socket lost while the call is up",
    "F20": "SIGTERM with live calls",
    "F21": "a serving process killed with live calls",
    "F22": "ten times as many calls as there is room for",
    "F23": "a handler blocks the event loop",
    "F24": "disk full",
    "F25": "wall clock moved, monotonic clock not",
    "F26": "256 descriptors, 100 calls",
    "F27": "two hours of 20 calls at once",
    "F28": "a transcript that crashes scoring",
    "F29": "WhatsApp: errors after accepting, timeouts, 429",
    "F30": "a damaged model file",
}
NOT_RUN: Mapping[str, str] = {
    "F27": "takes two hours; `make soak` is 500 short calls",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The worst over `seeds` of each criterion of one fault, each with its seed. `how` it was struck: calls, load, jobs
    or tests."""

    fault: str
    how: str
    seeds: int
    figures: tuple[tuple[int, Figure], ...] = field(default=())

    @property
    def met(self) -> bool:
        return bool(self.figures) and all(figure.holds for _, figure in self.figures)

    @property
    def shown(self) -> tuple[int, Figure]:
        """What stands in the row: the first that does not hold, else the first."""
        return next((each for each in self.figures if not each[1].holds), self.figures[0])


def written(findings: Iterable[Finding]) -> str:
    """For the command that runs all parts."""
    return json.dumps([asdict(finding) for finding in findings]) + "\n"


def read(text: str) -> list[Finding]:
    """Raises ValueError for what no part of ours wrote."""
    found = []
    for one in json.loads(text):
        figures = tuple((seed, Figure(**figure)) for seed, figure in one["figures"])
        found.append(Finding(one["fault"], one["how"], one["seeds"], figures))
    return found
