"""The installation's own secret: signs what the local issuer gives out, encrypts what is kept encrypted.

From STROWGER_SECRET_KEY; else made once and kept in the data directory, readable by nobody else.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.errors import BadSetting
from app.settings import Settings

_FILE = "secret_key"


class SecretKey:
    """Never shown. Each use has a key of its own, so that one that leaks tells nothing of the others."""

    def __init__(self, secret: bytes, older: tuple[bytes, ...] = ()) -> None:
        self._secret, self._older = secret, older

    def __repr__(self) -> str:
        return "SecretKey(***)"

    @classmethod
    def of(cls, settings: Settings) -> SecretKey:
        """Raises BadSetting where there is neither the variable nor a directory to keep one in."""
        if settings.secret_key is not None:
            # While it is being changed: the new one, a comma, the old one.
            first, *older = (part.strip().encode() for part in settings.secret_key.get_secret_value().split(","))
            return cls(first, tuple(older))
        return cls(_kept(settings.data_dir / _FILE))

    def signing(self, use: str) -> tuple[bytes, ...]:
        """32 bytes to sign with, then those that older signatures are still checked with."""
        return tuple(_derived(secret, use) for secret in (self._secret, *self._older))

    def encrypt(self, text: str, use: str) -> str:
        return self._box(use).encrypt(text.encode()).decode()

    def decrypt(self, sealed: str, use: str) -> str:
        """Raises BadSetting: the key is not the one it was encrypted with."""
        try:
            return self._box(use).decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise BadSetting("STROWGER_SECRET_KEY is not the key that secrets were kept with.") from error

    def _box(self, use: str) -> MultiFernet:
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in self.signing(use)])


def _derived(secret: bytes, use: str) -> bytes:
    return hmac.new(secret, b"strowger " + use.encode(), hashlib.sha256).digest()


def _kept(path: Path) -> bytes:
    """The file's secret, made now if there is none. Of several processes that make one, the first wins."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{_FILE}-")
            try:
                with os.fdopen(handle, "w") as made:
                    made.write(secrets.token_urlsafe(48))
                with contextlib.suppress(FileExistsError):
                    os.link(name, path)
            finally:
                Path(name).unlink()
        return path.read_bytes().strip()
    except OSError as error:
        raise BadSetting(
            f"STROWGER_SECRET_KEY is not set and {path} cannot be kept ({error.strerror}). "
            "Example: STROWGER_SECRET_KEY=48 random letters"
        ) from error
