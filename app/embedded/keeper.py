"""Runs one server and stops it when nobody uses it any more. A program of its own: `python -I -S keeper.py JSON`.

Users of the server share a lock on the file `lifeline`; the kernel takes it from them however they end. The keeper
waits for the exclusive lock: once it has it, everybody is gone, and it stops the server in good order. The keeper may
be killed, too: on Linux the server then gets its stop signal from the kernel.

Standard library only, and little of it: this is on the path of every start.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
KILL_AFTER_S = 10.0


def main() -> int:
    plan = json.loads(sys.argv[1])
    stop_signal = int(plan["stop_signal"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # The right to run this server ends with the keeper, not with what it started.
    os.set_inheritable(int(plan["owner"]), False)
    lifeline = os.open(plan["lifeline"], os.O_RDWR | os.O_CREAT, 0o600)
    server = start(plan, stop_signal)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(server, stop_signal))
    threading.Thread(target=watch, args=(lifeline, server, stop_signal), daemon=True).start()
    _, status = os.waitpid(server, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


def start(plan: dict[str, object], stop_signal: int) -> int:
    """Forks the server and returns its pid."""
    argv = [str(argument) for argument in plan["argv"]]  # type: ignore[attr-defined]
    keeper = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        if plan["uid"] is not None:
            os.setgroups([])
            os.setgid(int(plan["gid"]))  # type: ignore[call-overload]
            os.setuid(int(plan["uid"]))  # type: ignore[call-overload]
        os.chdir(str(plan["folder"]))
        # After the change of user, which would clear it.
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != keeper:
            os._exit(1)
        os.execv(argv[0], argv)  # noqa: S606 - a program of ours with arguments of ours
    except OSError as error:
        os.write(2, f"could not run {argv[0]}: {error}\n".encode())
    os._exit(127)


def watch(lifeline: int, server: int, stop_signal: int) -> None:
    """Waits until nobody holds the lifeline, then stops the server; a server that will not stop is killed."""
    fcntl.flock(lifeline, fcntl.LOCK_EX)
    fcntl.flock(lifeline, fcntl.LOCK_UN)  # a new start asks this lock whether anybody is alive
    os.kill(server, stop_signal)
    time.sleep(KILL_AFTER_S)
    os.kill(server, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
