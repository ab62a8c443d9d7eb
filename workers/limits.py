"""How long a task may take: what waits, leases and looks things up counts from here."""

TASK_LIMIT_S = 30  # then the child is killed; nothing that was claimed this long ago is still being sent
