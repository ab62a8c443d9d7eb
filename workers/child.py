"""`python -m workers.child NODE CONCURRENCY PARENT`: the Celery worker that the supervisor watches."""

from __future__ import annotations

import os
import sys
import warnings

from celery.platforms import SecurityWarning, set_pdeathsig

from workers.app import serve_queue


def main(node: str, concurrency: str, parent: str) -> None:
    set_pdeathsig("SIGKILL")  # Linux only: a worker whose supervisor is gone would never be missed
    if os.getppid() != int(parent):
        return
    warnings.simplefilter("ignore", SecurityWarning)  # root in a container is the operator's choice
    serve_queue(node, int(concurrency))


if __name__ == "__main__":
    main(*sys.argv[1:4])
