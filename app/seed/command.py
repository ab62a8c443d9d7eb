"""`strowger seed`: two weeks of made-up calls in the database that Strowger starts itself, and out again."""

from __future__ import annotations

import typer

from app.errors import BadInput
from app.settings import load


def run(*, remove: bool) -> int:
    """Raises BadInput for a database of one's own: nothing made up belongs there."""
    from app.embedded import start_services
    from app.local import furnish
    from app.seed.remove import remove as take_out
    from app.seed.write import seed

    settings = load()
    if settings.database_url is not None:
        raise BadInput("DATABASE_URL is set: made-up calls are only for the database that Strowger starts itself.")
    with start_services(settings, share=True) as services:
        workspace = furnish(settings, services.database_url)
        if remove:
            gone = take_out(services.database_url, workspace, settings.data_dir / "recordings")
            typer.echo(f"Removed {gone.calls} made-up calls and {gone.leads} made-up people. What is real stays.")
            return 0
        written = seed(settings, services.database_url, workspace)
    typer.echo(
        f"{written} made-up calls of the last two weeks." if written else "There are calls already: nothing done."
    )
    return 0
