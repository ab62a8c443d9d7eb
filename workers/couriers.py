"""Who carries what a workspace is told: mail, push and chat, as the settings have it."""

from __future__ import annotations

from dataclasses import dataclass

from app.providers.mail import Folder, Mail, Smtp
from app.providers.outgoing import Outgoing
from app.providers.slack import Slack
from app.providers.web_push import WebPush
from app.secret_key import SecretKey
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Couriers:
    """`link` is where the dashboard is."""

    mail: Mail
    push: WebPush
    slack: Slack
    link: str


def couriers_of(settings: Settings, key: SecretKey) -> Couriers:
    """Without a mail server letters are files in the data directory, to be looked at."""
    outgoing, link = Outgoing(), settings.public_url or "http://localhost:8000"
    contact = link if link.startswith("https://") else f"mailto:{settings.mail_from}"
    mail: Mail = Folder(settings.data_dir / "mail", settings.mail_from)
    if settings.smtp_url is not None:
        mail = Smtp(settings.smtp_url.get_secret_value(), settings.mail_from)
    return Couriers(mail, WebPush(key, outgoing, contact), Slack(key, outgoing), link)
