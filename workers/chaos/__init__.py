"""Kill the parts while calls end, and count what survives: `python -m workers.chaos`."""
