"""A call as it happens, in two columns: the caller on the left, what the agent says on the right."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    AppointmentRequested,
    CallBegan,
    CallEnded,
    CallerKeyed,
    CallerSaid,
    CallerSilent,
    ConsentGiven,
    DisclosureHeard,
    Entry,
    Estimated,
    FactLearned,
    FollowUpPromised,
    HumanRequested,
    Interrupted,
    OptedOut,
    ProviderFailed,
    RecordingRefused,
    TurnTimed,
    Underrun,
)

CLOCK_WIDTH = 7
DISCLOSED = {"ai": "this is an automated assistant", "opt_out": "how to stop all calls", "recording": "it is recorded"}


class Screen:
    """Prints entries in the order they come; safe for a terminal, a pipe and a log file."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: dict[int, str] = {}

    def heading(self, text: str) -> None:
        self._console.print()
        self._console.rule(Text(text, style="bold"), style="dim")

    def show(self, entry: Entry) -> None:
        match entry.fact:
            case CallBegan(caller=caller, called=called):
                self._both(entry, Text(caller, style="bold"), Text(f"{called}  Strowger", style="bold"))
            case CallerSaid(text=text):
                self._both(entry, Text(text or "(not understood)", style="cyan"), Text())
            case CallerKeyed(digits=digits):
                self._both(entry, Text(f"[keys {digits}]", style="cyan"), Text())
            case CallerSilent():
                self._both(entry, Text("(silence)", style="dim"), Text())
            case AgentSaid(utterance=number, text=text):
                self._said[number] = text
                self._both(entry, Text(), Text(text, style="green"))
            case AgentHeard(complete=False) as heard:
                self._cut(entry, heard)
            case _:
                if note := _note(entry):
                    self._both(entry, Text(), Text(note, style="dim"))

    def _cut(self, entry: Entry, heard: AgentHeard) -> None:
        said = self._said.get(heard.utterance, "")
        if heard.heard_ms <= 0 or not said:
            return
        self._both(entry, Text(), Text(f'  heard only: "{heard.heard_text} ..."', style="yellow"))

    def _both(self, entry: Entry, caller: Text, agent: Text) -> None:
        row = Table.grid(padding=(0, 2), expand=True)
        row.add_column(width=CLOCK_WIDTH, style="dim", justify="right")
        row.add_column(ratio=2)
        row.add_column(ratio=3)
        row.add_row(f"{entry.at_ms / 1000:.1f} s", caller, agent)
        self._console.print(row)


def _note(entry: Entry) -> str | None:
    match entry.fact:
        case TurnTimed() as turn if turn.turn > 0 and turn.first_played_ms is not None:
            return f"  answered {turn.first_played_ms - turn.caller_stopped_ms} ms after the caller stopped"
        case Interrupted() as cut:
            return f"  interrupted: silent {cut.cleared_ms - cut.voice_ms} ms after the caller's first sound"
        case FactLearned(name=name, value=value):
            return f"  noted: {name.replace('_', ' ')} = {value}"
        case AppointmentRequested(slot=slot):
            return f"  appointment: {slot}"
        case HumanRequested(when=when):
            return f"  a person will call back{': ' + when if when else ''}"
        case ConsentGiven(kind=kind):
            return f"  consent given: {kind}"
        case FollowUpPromised(template=template):
            return f"  follow-up promised: {template}"
        case OptedOut():
            return "  suppressed: this number is never called again"
        case RecordingRefused():
            return "  recording refused"
        case DisclosureHeard(kind=kind) if kind in DISCLOSED:
            return f"  heard to its end: {DISCLOSED[kind]}"
        case ProviderFailed() as failed:
            return f"  {failed.stage} ({failed.provider}) failed: {failed.reason}"
        case Underrun(gap_ms=gap):
            return f"  gap in our audio: {gap} ms"
        case Estimated() as now:
            why = f" ({now.because})" if now.because else ""
            return f"  chance of a sale {now.probability:.0%}, next: {now.next_action.replace('_', ' ')}{why}"
        case CallEnded(reason=reason):
            return f"  call ended: {reason.replace('_', ' ')}"
    return None
