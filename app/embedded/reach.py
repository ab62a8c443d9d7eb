"""Running as root: Postgres refuses to, so it runs as nobody, and nobody must be able to reach its files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.embedded.launch import User
from app.errors import ServiceNotStarted

NOBODY = User(uid=65534, gid=65534)


def server_user(cluster: Path) -> User | None:
    """Whom Postgres runs as: None is ourselves. A cluster that a plain user made stays that user's, even under root."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(FileNotFoundError):
        info = cluster.stat()
        if info.st_uid != 0:
            return User(info.st_uid, info.st_gid)
    return NOBODY


@contextlib.contextmanager
def usable(folder: Path) -> Iterator[None]:
    """What the file system refuses inside, as ServiceNotStarted with what to do about it."""
    try:
        yield
    except OSError as error:
        what = f"cannot use {error.filename or folder} ({error.strerror})"
        raise ServiceNotStarted(f"{what}: set STROWGER_DATA_DIR to a folder of your own") from error


def require_name(user: User | None) -> None:
    """Postgres makes no cluster for a user without a name, as in a container that runs under a number. Raises
    ServiceNotStarted."""
    uid = user.uid if user else os.geteuid()
    try:
        pwd.getpwuid(uid)
    except KeyError:
        reason = f"user {uid} has no name on this machine, and Postgres makes no database without one"
        raise ServiceNotStarted(f"{reason}: add the user to /etc/passwd, or set DATABASE_URL") from None


def make_folder(folder: Path) -> None:
    """With the folders above it. As root, what we make may be entered by the server's user, whatever the umask is."""
    missing = [folder, *folder.parents]
    missing = missing[: next(i for i, path in enumerate(missing) if path.exists())]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            path.chmod(0o755)


def reachable(path: Path, user: User | None) -> bool:
    """May `user` walk to `path`? Looks at the folders above it; what does not exist yet will be made by us."""
    return user is None or all(_may_enter(folder, user) for folder in path.absolute().parents if folder.exists())


def place_for(wanted: Path, user: User | None) -> tuple[Path, str | None]:
    """`wanted`, or a stand-in that the server's user can reach, with one sentence about it. Never loosens a folder that
    is already there: that is not ours to do. Raises ServiceNotStarted when there is no such place."""
    if reachable(wanted, user):
        return wanted, None
    name = "strowger-" + hashlib.sha256(os.fsencode(wanted.absolute())).hexdigest()[:12]
    for shelf in (Path("/var/lib"), Path(tempfile.gettempdir())):
        place = shelf / name
        if reachable(place, user) and _make_own(place):
            return place, (
                f"Postgres may not run as root and its user cannot reach {wanted}, so its data is in {place}; "
                "to choose the place, set STROWGER_DATA_DIR to a folder everybody may enter."
            )
    raise ServiceNotStarted(f"Postgres may not run as root and its user cannot reach {wanted}: set STROWGER_DATA_DIR")


def reachable_copy(tree: Path, parts: tuple[str, ...], shelf: Path, user: User | None) -> Path:
    """`tree`, or a copy of its `parts` on `shelf` when the user cannot reach it (a checkout under /root)."""
    if reachable(tree / parts[0], user):
        return tree
    made = f"{tree} {(tree / parts[0]).stat().st_mtime_ns}"  # a newer wheel gets a new copy
    copy = shelf / f"programs-{hashlib.sha256(made.encode()).hexdigest()[:12]}"
    if not copy.exists():
        for old in shelf.glob("programs-*"):
            shutil.rmtree(old)
        making = Path(tempfile.mkdtemp(prefix="programs-", dir=shelf))
        making.chmod(0o755)
        for part in parts:
            shutil.copytree(tree / part, making / part, symlinks=True)
            for folder in (making / part).relative_to(making).parents:
                (making / folder).chmod(0o755)
        making.rename(copy)  # in one step: a start that was killed leaves no half copy under this name
    return copy


def _may_enter(folder: Path, user: User) -> bool:
    info = folder.stat()
    if info.st_uid == user.uid:
        return bool(info.st_mode & stat.S_IXUSR)
    if info.st_gid == user.gid:
        return bool(info.st_mode & stat.S_IXGRP)
    return bool(info.st_mode & stat.S_IXOTH)


def _make_own(place: Path) -> bool:
    """In a folder where others may write, somebody may have made it first: then it is not ours, and not used."""
    try:
        place.mkdir(mode=0o755, exist_ok=True)
    except OSError:
        return False
    info = place.lstat()
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & 0o022
