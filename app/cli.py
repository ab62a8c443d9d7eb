"""The `strowger` command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.errors import BadInput, StrowgerError

cli = typer.Typer(
    name="strowger",
    help="Sales calls on the phone: answered, held, scored and followed up.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for a program to read.")]
Target = Annotated[str, typer.Option(help="What the model foretells: converted, churned, ...")]


@cli.command()
def demo(
    calls: Annotated[int, typer.Option(help="How many simulated callers phone in.", min=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """Simulated callers phone in over real Media Streams; then see what was kept."""
    from app.demo.run import run

    raise typer.Exit(run(calls=calls, as_json=as_json))


@cli.command()
def up(
    port: Annotated[int, typer.Option(help="Where the service listens on this machine.")] = 8000,
    seed: Annotated[bool, typer.Option(help="Begin with two weeks of made-up calls.")] = True,
) -> None:
    """Embedded Postgres and Valkey, service, worker, beat and a local telephone exchange; stays up."""
    from app.up import run

    raise typer.Exit(run(port=port, seeded=seed))


@cli.command()
def calls(
    address: Annotated[str, typer.Option(help="Where Strowger runs.")] = "http://localhost:8000",
    key: Annotated[str, typer.Option(envvar="STROWGER_API_KEY", help="An API key that may read calls.")] = "",
    state: Annotated[str | None, typer.Option(help="live or ended; both if not given.")] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=200)] = 20,
    as_json: AsJson = False,
) -> None:
    """Calls of a running Strowger, over its API."""
    from app.calls_list import run

    raise typer.Exit(run(address, key, state, limit, as_json=as_json))


@cli.command()
def link(
    address: Annotated[str | None, typer.Option(help="Of the dashboard; else STROWGER_PUBLIC_URL.")] = None,
) -> None:
    """Prints a one-time address that signs the owner in at the dashboard."""
    from app.link import run

    typer.echo(run(address))


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    processes: Annotated[int, typer.Option(help="Behind the port; each uses a core of its own.", min=1)] = 1,
) -> None:
    """Webhooks, media sockets and API. On SIGTERM it takes no new call and leaves when the last one has ended."""
    from app.embedded import start_services
    from app.local import furnish
    from app.server import serve as run
    from app.settings import load

    settings = load()
    with start_services(settings) as services:
        if settings.database_url is None:
            furnish(settings, services.database_url)
        run(services.settings(settings), host=host, port=port, processes=processes)


@cli.command()
def worker(
    concurrency: Annotated[int, typer.Option(help="Processes that work on jobs.", min=1)] = 2,
) -> None:
    """Scores leads, sends follow-ups, records outcomes: what happens after a call."""
    from app.settings import load
    from workers.app import run_worker

    run_worker(load(), concurrency=concurrency)


@cli.command()
def beat() -> None:
    """Hands jobs from Postgres to the workers and finds what a crash left behind."""
    from app.settings import load
    from workers.app import run_beat

    run_beat(load())


@cli.command()
def migrate() -> None:
    """Apply supabase/migrations to DATABASE_URL and record them where the Supabase CLI does.

    With TWILIO_NUMBER set, that number then answers with the playbook STROWGER_PLAYBOOK names.
    """
    from app.embedded import start_services
    from app.local import furnish
    from app.settings import load
    from app.store.migrate import migrate as apply

    settings = load()
    with start_services(settings, share=True) as services:
        applied = apply(services.database_url)
        if settings.twilio_number:
            furnish(settings, services.database_url)
    typer.echo("\n".join(f"applied {name}" for name in applied) or "Nothing to apply: the database is up to date.")
    if settings.twilio_number:
        typer.echo(f"{settings.twilio_number} answers with the playbook {settings.playbook}.")


@cli.command()
def doctor(as_json: AsJson = False) -> None:
    """Check every key, URL, webhook and clock, and say exactly what to fix."""
    from app.doctor import report

    raise typer.Exit(report(as_json=as_json))


@cli.command()
def call(
    number: Annotated[str, typer.Argument(help="The number to call, with country code: +12025550111")],
    playbook: Annotated[str | None, typer.Option(help="Which playbook to speak from.")] = None,
    as_json: AsJson = False,
) -> None:
    """Place one call, if the rules allow it; if they do not, say why."""
    from app.calling import call_number

    raise typer.Exit(call_number(number, playbook=playbook, as_json=as_json))


@cli.command()
def consent(
    number: Annotated[str, typer.Argument(help="The person's number, with country code: +12025550111")],
    wording: Annotated[str, typer.Option(help="The exact text the person agreed to.")],
    evidence: Annotated[str, typer.Option(help="Where the proof lies: a signature, a form, a recording.")],
    given_at: Annotated[datetime | None, typer.Option("--at", help="When; now if left out.")] = None,
) -> None:
    """Write down a person's written consent to marketing calls, without which `call` refuses."""
    from app.consenting import record

    raise typer.Exit(record(number, wording=wording, evidence=evidence, given_at=given_at))


@cli.command("next")
def next_(
    limit: Annotated[int, typer.Option(help="At most so many calls.", min=1, max=1000)] = 10,
    minutes: Annotated[float, typer.Option(help="Minutes of calling there are.")] = 60.0,
    explore: Annotated[float, typer.Option(help="Share of the calls spent on learning, 0 to 0.5.")] = 0.1,
    value: Annotated[float, typer.Option(help="What a sale is worth.")] = 100.0,
    cost: Annotated[float, typer.Option(help="What a call costs, in the same currency.")] = 5.0,
    seed: Annotated[
        int | None, typer.Option(help="Of the calls for learning; a day keeps its own if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Whom to call now: by expected profit per minute, with reasons, and whom not to call and why."""
    from app.next_calls import report
    from app.sales.ranking import Terms

    raise typer.Exit(report(limit, minutes, explore, seed, Terms(value, cost), as_json=as_json))


leads = typer.Typer(help="The list of leads: from a CSV, and to one.", no_args_is_help=True)
cli.add_typer(leads, name="leads")


@leads.command("import")
def leads_import(
    file: Annotated[Path, typer.Argument(help="A CSV with a header; a column for the phone is needed.")],
    country: Annotated[str, typer.Option(help="Of numbers without country code: US, ES, ...")] = "US",
    source: Annotated[str, typer.Option(help="Of leads whose row names none.")] = "import",
    as_json: AsJson = False,
) -> None:
    """Take in leads. Numbers are put in one form, duplicates become one lead, a consent is never taken from a file."""
    from app.lead_list import take_in

    raise typer.Exit(take_in(file, country=country, source=source, as_json=as_json))


@leads.command("export")
def leads_export(
    out: Annotated[Path, typer.Argument(help="Where to write the CSV.")],
) -> None:
    """Write all leads to a CSV that a spreadsheet may open: no cell of it is a formula."""
    from app.lead_list import give_out

    raise typer.Exit(give_out(out))


@leads.command("results")
def leads_results(
    file: Annotated[Path, typer.Argument(help="A CSV: the phone, won (yes/no), and the day if there is one.")],
    country: Annotated[str, typer.Option(help="Of numbers without country code: US, ES, ...")] = "US",
    target: Target = "converted",
    as_json: AsJson = False,
) -> None:
    """Note which leads were won and lost, from a CRM's export: what models are judged by and learn from."""
    from app.lead_results import take_in

    raise typer.Exit(take_in(file, country=country, target=target, as_json=as_json))


@leads.command("score")
def leads_score(
    here: Annotated[bool, typer.Option("--here", help="In this process, not by `strowger worker`.")] = False,
    as_json: AsJson = False,
) -> None:
    """Score every lead that was talked to again, by the model that serves now. Workers do it, in chunks."""
    from app.rescoring import run

    raise typer.Exit(run(here=here, as_json=as_json))


voice = typer.Typer(help="Copies of people's voices, each with the speaker's recorded consent.", no_args_is_help=True)
cli.add_typer(voice, name="voice")


@voice.command("clone")
def voice_clone(
    name: Annotated[str, typer.Option(help="What you call it: small letters, digits, - and _.")],
    speaker: Annotated[str, typer.Option(help="Whose voice it is.")],
    wording: Annotated[str, typer.Option(help="The exact text the speaker agreed to, with the speaker's name in it.")],
    sample: Annotated[list[Path], typer.Option(help="A WAV of the voice; may be given again. 30 s in all at least.")],
    consent: Annotated[Path | None, typer.Option(help="A WAV of the speaker reading the wording. Needed.")] = None,
    given_at: Annotated[datetime | None, typer.Option("--at", help="When; now if left out.")] = None,
) -> None:
    """Copy a voice at ElevenLabs. The consent is written down before any sample leaves this machine."""
    from app.voice_cloning import Wish, clone

    raise typer.Exit(clone(Wish(name, speaker, wording, given_at), samples=sample, consent=consent))


@voice.command("list")
def voice_list(as_json: AsJson = False) -> None:
    """The copied voices, whose they are, and since when they agreed."""
    from app.voice_cloning import show

    raise typer.Exit(show(as_json=as_json))


@voice.command("delete")
def voice_delete(
    name: Annotated[str, typer.Argument(help="As `strowger voice list` shows it.")],
    why: Annotated[str, typer.Option(help="For the record: the speaker took the consent back, ...")],
) -> None:
    """Delete a voice at ElevenLabs and here. The consent stays as evidence."""
    from app.voice_cloning import delete

    raise typer.Exit(delete(name, why=why))


models = typer.Typer(help="Trained models: which one's scores show, and how it came to that.", no_args_is_help=True)
cli.add_typer(models, name="models")
Why = Annotated[str, typer.Option(help="For the record.")]


@models.command("list")
def models_list(target: Target = "converted", as_json: AsJson = False) -> None:
    """All models, newest first, with their stage."""
    from app.model_registry import show_all

    raise typer.Exit(show_all(as_json=as_json, target=target))


@models.command("show")
def models_show(version: str, target: Target = "converted", as_json: AsJson = False) -> None:
    """One model: where it comes from, and its card."""
    from app.model_registry import show

    raise typer.Exit(show(version, as_json=as_json, target=target))


@models.command("add")
def models_add(
    file: Annotated[Path, typer.Argument(help="A model file, as `strowger train` writes it.")],
    target: Target = "converted",
    as_json: AsJson = False,
) -> None:
    """Put a model of your own into the registry, as a candidate."""
    from app.model_registry import add

    raise typer.Exit(add(file, target=target, as_json=as_json))


@models.command("promote")
def models_promote(version: str, why: Why = "asked for", target: Target = "converted", as_json: AsJson = False) -> None:
    """Make a model the champion. The one before it is remembered."""
    from app.model_registry import promote

    raise typer.Exit(promote(version, why=why, as_json=as_json, target=target))


@models.command("rollback")
def models_rollback(why: Why = "asked for", target: Target = "converted", as_json: AsJson = False) -> None:
    """Back to the champion before this one."""
    from app.model_registry import rollback

    raise typer.Exit(rollback(why=why, as_json=as_json, target=target))


@models.command("retire")
def models_retire(version: str, why: Why = "asked for", target: Target = "converted", as_json: AsJson = False) -> None:
    """Take a candidate or the shadow out of the running."""
    from app.model_registry import retire

    raise typer.Exit(retire(version, why=why, as_json=as_json, target=target))


@models.command("nights")
def models_nights(target: Target = "converted", as_json: AsJson = False) -> None:
    """What each night found and did, and the alerts that stand."""
    from app.model_registry import nights

    raise typer.Exit(nights(as_json=as_json, target=target))


@models.command("night")
def models_night(target: Target = "converted") -> None:
    """Tonight's work now: drift, the challenger's duel, training on new outcomes."""
    from app.model_registry import night_now

    raise typer.Exit(night_now(target=target))


@models.command("accept")
def models_accept(
    night: Annotated[str, typer.Argument(help="As `strowger models nights` shows it: 2026-11-21.")],
    why: Why = "looked at by a person",
    target: Target = "converted",
) -> None:
    """Let outcomes that were refused be learned from, once you have looked at them."""
    from app.model_registry import accept

    raise typer.Exit(accept(night, why=why, target=target))


@models.command("drill")
def models_drill(
    in_: Annotated[Path, typer.Option("--in", help="A CSV with known outcomes, in the order of time.")],
    label: Annotated[str, typer.Option(help="The column to foretell.")],
    time_column: Annotated[str | None, typer.Option(help="What orders the rows; found out if left out.")] = None,
) -> None:
    """A table's later rows come in as new outcomes: alarms, challengers, the duel, promotion and roll back."""
    from ml.dataset import Wishes
    from ml.drill import run

    run(in_, Wishes(label, time_column), typer.echo)


@cli.command()
def replay(
    call_sid: Annotated[str, typer.Argument(help="CA..., as shown by the demo or on the dashboard.")],
    as_json: AsJson = False,
    speed: Annotated[float, typer.Option(help="1 is real time, 0 prints at once.", min=0)] = 0.0,
    diff: Annotated[
        list[str] | None,
        typer.Option(help="NAME=MS, a setting of turn-taking such as pause_ms=900: what it would have changed."),
    ] = None,
) -> None:
    """A call again from its log: who said what when, what was heard, and how long each turn took."""
    from app.replay import run, run_diff

    if diff:
        raise typer.Exit(run_diff(call_sid, diff, as_json=as_json))
    raise typer.Exit(run(call_sid, as_json=as_json, speed=speed))


@cli.command()
def seed(
    remove: Annotated[bool, typer.Option("--remove", help="Take the made-up calls and people out again.")] = False,
) -> None:
    """Two weeks of made-up calls, for looking at; only in the embedded database."""
    from app.seed.command import run

    raise typer.Exit(run(remove=remove))


@cli.command()
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Deletes now what is past its days, as the workers do every night."""
    from app.retention import run

    raise typer.Exit(run(dry=dry_run, as_json=as_json))


@cli.command()
def simulate(
    calls: Annotated[int, typer.Option(help="How many people phone in.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 1,
    playbook: Annotated[str | None, typer.Option(help="A shipped playbook's name, or a file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Many made-up people call a playbook on a clock that does not wait; see what comes of it."""
    from app.simulator.run import run

    raise typer.Exit(run(calls=calls, seed=seed, playbook=playbook, as_json=as_json))


@cli.command()
def bench(
    calls: Annotated[int, typer.Option(help="Calls at the same time.", min=1)] = 1,
    seconds: Annotated[float, typer.Option(help="How long each caller talks.", min=5)] = 30.0,
    only: Annotated[
        list[str] | None, typer.Option(help="flux, nova or bare; may be given again. All if left out.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Of the service.", min=1)] = 1,
    together: Annotated[
        bool, typer.Option(help="All configurations at the same time: on a machine whose speed changes.")
    ] = False,
    find_capacity: Annotated[bool, typer.Option(help="How many calls at once are held.")] = False,
    soak: Annotated[int, typer.Option(help="So many short calls: does memory stay where it is?", min=0)] = 0,
    most: Annotated[int, typer.Option(help="With --find-capacity: try no more than these.", min=1)] = 512,
    as_json: AsJson = False,
) -> None:
    """Calls over the real service against emulated providers: delays at the caller's ear, manners, CPU, memory."""
    from app.bench import report

    if find_capacity:
        if processes > 1:
            from app.bench_processes import report as capacity
        else:
            from app.bench_capacity import report as capacity

        raise typer.Exit(capacity(only or (), max(32, calls), most, processes, as_json=as_json))
    if soak:
        from app.bench_soak import report as soaked

        raise typer.Exit(soaked(only or (), soak, processes, as_json=as_json))

    raise typer.Exit(
        report(calls=calls, seconds=seconds, only=only or (), processes=processes, together=together, as_json=as_json)
    )


def main() -> None:
    """Entry point: errors of ours become one sentence and exit code 2 (bad input) or 1."""
    try:
        _mount_models()
        cli()
    except* KeyboardInterrupt:
        sys.exit(130)
    except* StrowgerError as errors:
        first = next(_leaves(errors))
        sys.stderr.write(f"{first}\n")
        sys.exit(2 if isinstance(first, BadInput) else 1)


def _leaves(group: BaseExceptionGroup[StrowgerError]) -> Iterator[StrowgerError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _mount_models() -> None:
    # The model commands come from ml/, which stands on its own; only they pay for its imports. `evaluate` measures a
    # model, and with a name behind it the senses of a call.
    if len(sys.argv) > 1 and sys.argv[1] in {"serve", "worker", "beat"}:
        return
    from app.evaluation.commands import mount
    from ml.commands import app as models
    from ml.commands import evaluation

    mount(evaluation)
    cli.registered_commands += models.registered_commands
    cli.registered_groups += models.registered_groups


if __name__ == "__main__":
    main()
