"""What a bench found: figures at the caller's ear, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from app.dialog.transcript import percentile
from app.exchange.exchange import CallRecord

SILENT_WITHIN_MS = 300  # what we promise the caller who interrupts


@dataclass(frozen=True, slots=True)
class Heard:
    """One call: how long after each of the caller's sayings the agent was heard, how long after each interruption it
    still was, and how often it fell silent in the middle of an utterance. Milliseconds, in steps of 20."""

    replies_ms: tuple[int, ...]
    stops_ms: tuple[int, ...]
    underruns: int


def heard_by(record: CallRecord, interruptions: Iterable[int]) -> Heard:
    """`interruptions` are the places, among what the caller said, of what was said over the agent."""
    spoken, agent = record.handset.spoken, record.handset.heard
    replies = []
    for said in spoken:
        answer = next((stretch.from_ms for stretch in agent if stretch.from_ms >= said.to_ms), None)
        if answer is not None:
            replies.append(answer - said.to_ms)
    stops = []
    for place in interruptions:
        over = [stretch for stretch in agent if stretch.from_ms <= spoken[place].from_ms]
        if over:
            stops.append(max(0, over[-1].to_ms - spoken[place].from_ms))
    # A gap that follows the mark at the beginning of an utterance lies before it.
    gaps = [gap for stream in record.streams for gap in stream.gaps if not gap.before.endswith("-0")]
    return Heard(tuple(replies), tuple(stops), len(gaps))


@dataclass(frozen=True, slots=True)
class BenchReport:
    """`told` is the server's own view; `chosen_ms` what the caller waits on purpose and for the scripted providers.

    What is added holds the carrier's frames, the network, our own work, and how far voice activity misjudges the end of
    speech: it may place it up to 64 ms before the last sound of a word that fades, so single figures can be negative.
    """

    calls: int
    seconds: float
    heard: tuple[Heard, ...]
    told: Mapping[str, Any]
    chosen_ms: int
    cpu_per_call: float  # share of one core
    bytes_per_call: float
    phones_late_ms: float  # how late the measuring side itself ran at worst: figures are no better than that

    @property
    def replies_ms(self) -> list[int]:
        return [ms for call in self.heard for ms in call.replies_ms]

    @property
    def added_ms(self) -> list[int]:
        return [ms - self.chosen_ms for ms in self.replies_ms]

    @property
    def stops_ms(self) -> list[int]:
        return [ms for call in self.heard for ms in call.stops_ms]

    @property
    def underruns(self) -> int:
        return sum(call.underruns for call in self.heard)

    @property
    def good(self) -> bool:
        """No underrun and every call whole. Says nothing about delays: those depend on what else the machine does."""
        ended = self.told["reasons"].get("caller_hung_up", 0)
        return self.underruns == 0 and ended == self.calls == len(self.heard) and bool(self.replies_ms)

    def as_dict(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "seconds": self.seconds,
            "turns": len(self.replies_ms),
            "underruns": self.underruns,
            "heard_ms": _spread(self.replies_ms),
            "chosen_ms": self.chosen_ms,
            "added_ms": _spread(self.added_ms),
            "stop_ms": _spread(self.stops_ms),
            "cpu_percent_per_call": round(100 * self.cpu_per_call, 2),
            "kib_per_call": round(self.bytes_per_call / 1024),
            "phones_late_ms": round(self.phones_late_ms, 1),
            "server": {name: value for name, value in self.told.items() if name != "totals_ms"},
            "good": self.good,
        }


def _spread(values: list[int]) -> dict[str, int | None]:
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: percentile(values, share) for name, share in shares.items()}


def render(report: BenchReport, console: Console | None = None) -> None:
    console = console or Console()
    figures = report.as_dict()
    table = Table(title=f"{report.calls} calls at once, {report.seconds:g} s each, {figures['turns']} turns")
    table.add_column("milliseconds")
    for name in ("p50", "p95", "p99", "max"):
        table.add_column(name, justify="right")
    rows = {
        "caller stops speaking to agent heard": "heard_ms",
        f"of that added by us (beyond {report.chosen_ms} chosen)": "added_ms",
        "caller interrupts to agent silent": "stop_ms",
    }
    for title, key in rows.items():
        table.add_row(title, *(str(value) for value in figures[key].values()))
    console.print(table)
    server = figures["server"]
    console.print(
        f"underruns heard: {report.underruns}   "
        f"CPU per call: {figures['cpu_percent_per_call']} % of a core   "
        f"memory per call: {figures['kib_per_call']} KiB"
    )
    console.print(
        f"voice activity: {server['voice']}   pacer late at most {server['pacer_late_ms']} ms   "
        f"phones late at most {figures['phones_late_ms']} ms   ends: {server['reasons']}"
    )
    slowest = percentile(report.stops_ms, 0.99)
    if slowest is not None and slowest > SILENT_WITHIN_MS:
        console.print(f"interruptions: p99 is above the promised {SILENT_WITHIN_MS} ms", style="bold red")
    if not report.good:
        console.print("not good: an underrun was heard or a call did not go to its end", style="bold red")
