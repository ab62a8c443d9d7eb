"""`make chaos`: faults strike while people are on the phone and while calls end; what is heard, kept and lost of it.

Each part is a command of its own (`app.chaos.providers`, `app.chaos.load`, `app.chaos.tested`, `workers.chaos`);
`app.chaos` runs all of them and prints one row for every fault of the fault table.
"""
