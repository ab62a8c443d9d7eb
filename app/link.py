"""`strowger link`: a one-time address that signs the owner in at the dashboard."""

from __future__ import annotations

from uuid import UUID

from app.api.issuer import LINK_LASTS, link, random_token
from app.embedded import start_services
from app.local import furnish, opened, owner_of
from app.settings import Settings, load
from app.store.accounts import owner_link


def one_time_link(database_url: str, workspace_id: UUID, service_url: str) -> str:
    """`database_url` is the migrating user's. Works once, within 12 hours."""
    token = random_token()
    owner_link(database_url, workspace_id, token, LINK_LASTS)
    return link(service_url, token)


def run(service_url: str | None) -> str:
    """For the workspace that has TWILIO_NUMBER. Raises BadInput or StoreError."""
    settings = load()
    address = service_url or settings.public_url or "http://localhost:8000"
    with start_services(settings, share=True) as services:
        workspace = _workspace(settings, services.database_url)
        return one_time_link(services.database_url, workspace, address)


def _workspace(settings: Settings, database_url: str) -> UUID:
    if settings.database_url is None:
        return furnish(settings, database_url)
    with opened(settings) as database:
        return owner_of(database, settings)
