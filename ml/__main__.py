"""`python -m ml train|evaluate|score`."""

from ml.commands import app

app(prog_name="python -m ml")
