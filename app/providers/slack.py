"""One message into a chat through its incoming webhook, as Slack and those who follow it take it."""

from __future__ import annotations

import json

from app.errors import BadInput
from app.providers.outgoing import PORTS, taken_apart
from app.providers.web_push import Post
from app.secret_key import SecretKey

SEALED_FOR = "notification addresses"
MOST_URL = 1000


class Slack:
    """The address of such a webhook is a secret of its own: whoever has it may post there."""

    def __init__(self, key: SecretKey, post: Post) -> None:
        self._key, self._post = key, post

    def seal(self, url: str) -> tuple[str, str]:
        """As it is kept, and its host, which may be shown. Raises BadInput for an address we do not go to (T05)."""
        if len(url) > MOST_URL:
            raise BadInput("This address is too long.")
        host, _, _ = taken_apart(url, PORTS)
        return self._key.encrypt(url, SEALED_FOR), host

    def send(self, sealed: str, text: str) -> int:
        """The status of the answer. Raises ProviderRefused or ProviderDown."""
        body = json.dumps({"text": text, "unfurl_links": False}, ensure_ascii=False).encode()
        return self._post.post(self._key.decrypt(sealed, SEALED_FOR), body, {"content-type": "application/json"})
