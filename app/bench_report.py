"""What a bench found: figures at the caller's ear beside their targets, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.bench_log import Kept
from app.dialog.transcript import percentile
from app.exchange.bench_ear import Ear, Spoke
from app.exchange.bench_providers import STATED, SUM_MS

# What is to be shown, by row.
TARGETS: dict[str, float] = {
    "voice to voice, p50 ms": 600,
    "voice to voice, p95 ms": 680,
    "barge-in until 12 dB down, p50 ms": 150,
    "barge-in until 12 dB down, p95 ms": 220,
    "cut into a 0.7 s pause": 0,
    'silenced by "mm-hm"': 0,
    "first sound of a slow model, p50 ms": 400,
    "underruns": 0,
    "missed replies": 0,
    "callers never seated": 0,
    "stood in for a provider": 0,
    "sounds of another call": 0,
    "CPU s per call-minute": 0.9,
    "memory per call, MB": 3,
}
TIMES_BARE = 1.23  # 0.9 where a bare loop took 0.73
_MUCH = 0.1  # of a core
_MANY = 10  # calls, from which on memory divided by calls is a call's
_ONE_CALL = ("CPU s per call-minute",)  # the target is for one call


@dataclass(frozen=True, slots=True)
class Load:
    """What it took. Shares are of a core; `others` is what programs that have nothing to do with this took of the
    service's, and the phones' are of the busiest stretch. How late the phones ran is how exact the figures are."""

    cpu_s: float
    lasted_s: float
    bytes_per_call: float
    phones_late_ms: float
    phones_share: float
    others_share: float = 0.0

    @property
    def service_share(self) -> float:
        """On average, from the first ring to the last call's end."""
        return self.cpu_s / self.lasted_s if self.lasted_s else 0.0


@dataclass(frozen=True, slots=True)
class Strangers:
    """Other calls' sounds: frames sent to a recogniser, lines heard by a caller, and how many were looked at."""

    frames: int = 0
    frames_checked: int = 0
    lines: int = 0
    lines_checked: int = 0

    @property
    def sounds(self) -> int:
        return self.frames + self.lines


@dataclass(slots=True)
class Findings:
    """One configuration. `talk` are the calls of the load, `manners` those with pauses, "mm-hm" and a slow model.
    `judged` is False for what is there to compare with."""

    calls: int
    talk: list[Ear]
    load: Load
    strangers: Strangers = Strangers()
    kept: Kept = field(default_factory=Kept)
    name: str = ""
    judged: bool = True
    manners: list[Ear] = field(default_factory=list)

    def _spoken(self, *kinds: str) -> list[Spoke]:
        return [spoke for ear in (*self.talk, *self.manners) for spoke in ear.spoke if spoke.kind in kinds]

    @property
    def replies_ms(self) -> list[int]:
        return _known(spoke.reply_ms for spoke in self._spoken("ask", "break in"))

    @property
    def missed(self) -> int:
        return sum(ear.unanswered for ear in (*self.talk, *self.manners))

    @property
    def refused(self) -> int:
        """Callers there was no seat for."""
        return sum(ear.refused for ear in (*self.talk, *self.manners))

    @property
    def turned_away(self) -> int:
        """How often a caller was told to wait, and dialled again."""
        return sum(ear.turned_away for ear in (*self.talk, *self.manners))

    @property
    def underruns(self) -> int:
        return sum(ear.underruns for ear in (*self.talk, *self.manners))

    @property
    def minutes(self) -> float:
        return sum(ear.seconds for ear in self.talk) / 60

    @property
    def good(self) -> bool:
        """Every call whole. Says nothing about delays: those depend on what else the machine does."""
        whole = self.underruns == self.missed == self.refused == 0 and bool(self.replies_ms)
        return whole and not self.strangers.sounds and not self.alerts

    @property
    def alerts(self) -> list[str]:
        """What the exchange found wrong with our side."""
        return sorted({alert for ear in (*self.talk, *self.manners) for alert in ear.alerts})

    def figures(self) -> dict[str, float | None]:
        replies, breaks = self.replies_ms, self._spoken("break in")
        ducked, cleared = _known(one.ducked_ms for one in breaks), _known(one.cleared_ms for one in breaks)
        pauses, hums = self._spoken("pause"), self._spoken("mm-hm")
        slow = _known(spoke.reply_ms for spoke in self._spoken("slow"))
        middle = percentile(replies, 0.5)
        return {
            "voice to voice, p50 ms": middle,
            "voice to voice, p95 ms": percentile(replies, 0.95),
            "voice to voice, p99 ms": percentile(replies, 0.99),
            f"added by us to {SUM_MS} ms of providers, p50 ms": None if middle is None else middle - SUM_MS,
            "barge-in until 12 dB down, p50 ms": percentile(ducked, 0.5),
            "barge-in until 12 dB down, p95 ms": percentile(ducked, 0.95),
            "barge-in until silent, p50 ms": percentile(cleared, 0.5),
            "barge-in until silent, p95 ms": percentile(cleared, 0.95),
            "cut into a 0.7 s pause": sum(one.cut for one in pauses) if pauses else None,
            'silenced by "mm-hm"': sum(one.silenced for one in hums) if hums else None,
            "first sound of a slow model, p50 ms": percentile(slow, 0.5),
            "underruns": self.underruns,
            "missed replies": self.missed,
            "callers never seated": self.refused,
            "stood in for a provider": sum(self.kept.stood_in.values()) if self.judged else None,
            "sounds of another call": self.strangers.sounds,
            "CPU s per call-minute": round(self.load.cpu_s / self.minutes, 2) if self.minutes else None,
            "memory per call, MB": round(self.load.bytes_per_call / 1e6, 2) if self.calls >= _MANY else None,
        }

    def counts(self) -> dict[str, int]:
        """Of what the figures were made."""
        kinds = ("ask", "break in", "pause", "mm-hm", "slow")
        return {kind: len(self._spoken(kind)) for kind in kinds}

    def as_dict(self) -> dict[str, Any]:
        return {
            "configuration": self.name,
            "calls": self.calls,
            "counts": self.counts(),
            "figures": self.figures(),
            "missed_targets": self.missed_targets(),
            "replies_ms": sorted(self.replies_ms),
            "phones_late_ms": round(self.load.phones_late_ms, 1),
            "phones_share_of_core": round(self.load.phones_share, 2),
            "others_share_of_core": round(self.load.others_share, 2),
            "turned_away": self.turned_away,
            "stood_in": dict(self.kept.stood_in),
            "tokens": self.kept.tokens,
            "tokens_cancelled": self.kept.cancelled,
            "checked_frames": self.strangers.frames_checked,
            "checked_lines": self.strangers.lines_checked,
            "alerts": self.alerts,
            "good": self.good,
        }

    def missed_targets(self) -> list[str]:
        """Rows whose figure is worse than its target. The target for CPU is that of one call at a time."""
        judged = {row: limit for row, limit in TARGETS.items() if self.calls == 1 or row not in _ONE_CALL}
        figures = {row: value for row, value in self.figures().items() if value is not None}
        return [row for row, limit in judged.items() if figures.get(row, 0) > limit] if self.judged else []


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]


def render(found: Sequence[Findings], cores: str, console: Console | None = None) -> None:
    """All configurations side by side."""
    console = console or Console()
    many = found[0].calls
    table = Table(title=f"{many} {'call' if many == 1 else 'calls'} at once, at the caller's ear")
    table.add_column("")
    for one in found:
        table.add_column(one.name, justify="right", overflow="fold")
    table.add_column("target", justify="right")
    for row in found[0].figures():
        target = f"<= {TARGETS[row]:g}" if row in TARGETS else ""
        table.add_row(row, *(_cell(one, row) for one in found), target)
    if times := _times_bare(found):
        table.add_row("CPU, times the bare loop's", *times, f"<= {TIMES_BARE:g}")
    console.print(table)
    for one in found:
        _notes(one, console)
    console.print(f"Emulated: {STATED}. {cores[:1].upper()}{cores[1:]}.", style="dim")


def _times_bare(found: Sequence[Findings]) -> list[Text]:
    """A comparison that holds on any machine, slow as it may be. Empty where no bare loop ran."""
    used = [one.figures()["CPU s per call-minute"] for one in found]
    bare = next((cpu for one, cpu in zip(found, used, strict=True) if not one.judged), None)
    if not bare or len(found) < 2:
        return []
    times = [None if cpu is None else cpu / bare for cpu in used]
    return [
        Text("-") if each is None else Text(f"{each:.2f}", style="bold red" if each > TIMES_BARE else "")
        for each in times
    ]


def _notes(one: Findings, console: Console) -> None:
    """What the table does not say of a configuration: of how much it was made, and what went wrong."""
    counts, load, looked = one.counts(), one.load, one.strangers
    console.print(
        f"{one.name}: {counts['ask'] + counts['break in']} turns, {counts['break in']} of them broke in; looked for "
        f"other calls' marks in {looked.frames_checked} frames of callers and {looked.lines_checked} answers of ours; "
        f"{one.turned_away} times no seat at once; phones late at most {load.phones_late_ms:.0f} ms, busy "
        f"{100 * load.phones_share:.0f} % of a core"
    )
    if one.kept.tokens:
        console.print(f"{one.name}: {one.kept.cancelled} of {one.kept.tokens} tokens were for answers broken off")
    faults = [f"{count} times somebody stood in for {who}" for who, count in one.kept.stood_in.items()]
    faults += [f"the exchange reports {alert}" for alert in one.alerts]
    if load.others_share > _MUCH:
        taken = f"{100 * load.others_share:.0f} %"
        faults.append(f"other programs took {taken} of the service's core: on a machine of one's own it is faster")
    for fault in faults:
        console.print(f"{one.name}: {fault}", style="red")
    if one.judged and not one.good:
        console.print(f"{one.name}: not good: an underrun, a missed reply or another's sound", style="bold red")


def _cell(found: Findings, row: str) -> Text:
    value = found.figures()[row]
    shown = "-" if value is None else f"{value:g}"
    counts = found.counts()
    for begin, kind in (("cut", "pause"), ("silenced", "mm-hm")):
        if row.startswith(begin) and value is not None:
            shown += f" of {counts[kind]}"
    return Text(shown, style="bold red" if row in found.missed_targets() else "")
