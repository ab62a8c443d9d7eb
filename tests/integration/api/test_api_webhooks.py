"""Telling other systems: from the event to the signed request, through the outbox and a worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.compliance import rules
from app.errors import ProviderDown, ProviderRefused
from app.providers.outgoing import SEALED_FOR, SignedPost
from app.secret_key import SecretKey
from app.store import webhooks
from workers import jobs
from workers.jobs import Ref
from workers.resources import Resources
from workers.webhooks import PAUSES_S, deliver

from .conftest import Api, id_of, problem

pytestmark = pytest.mark.integration

URL = "https://hooks.example.com/in"
KEY = SecretKey(b"k" * 40)


class Post(SignedPost):
    """Keeps what it was asked to send; answers what the test says."""

    def __init__(self, *answers: int | Exception) -> None:
        super().__init__(KEY)
        self.answers, self.sent = list(answers), []

    def post(self, url: str, sealed: Sequence[str], message: tuple[str, bytes], at: datetime) -> int:
        self.sent.append((url, [KEY.decrypt(one, SEALED_FOR) for one in sealed], message))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def api(serve_api: Any) -> Iterator[Api]:
    with serve_api(secret_key="k" * 40) as one:
        yield one


def a_webhook(api: Api, *events: str) -> dict[str, Any]:
    made = api.as_("admin").post("/webhooks", json={"url": URL, "events": list(events) or ["call.ended"]})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def tell(api: Api, key: str = "CA9") -> None:
    with api.web.records.database.worker(id_of("a", "workspace")) as db:
        webhooks.tell(db, "call.ended", key, {"call_sid": key})


def work(api: Api, post: SignedPost, webhook: dict[str, Any]) -> list[str]:
    """Every waiting job of this webhook, once."""
    resources = Resources(
        api.web.records.database, None, lambda *_: None, rules.load(), lambda: datetime.now(UTC), hooks=post
    )
    query = (
        "select o.id, o.key from outbox o join webhook_deliveries d on d.id::text = o.key "
        "where o.kind = 'webhook' and o.done_at is null and d.webhook_id = %s"
    )
    found = api.sql(query, UUID(webhook["id"]))
    return [jobs.run(deliver, resources, Ref(job, id_of("a", "workspace"), key)) for job, key in found]


def deliveries(api: Api, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.as_("admin").get(f"/webhooks/{webhook['id']}/deliveries").json()["items"]
    return items


def test_an_event_is_told_once_signed(api: Api) -> None:
    webhook, post = a_webhook(api), Post(200)
    tell(api)
    tell(api)  # the same event again
    assert work(api, post, webhook) == ["delivered"]
    ((url, secrets, (name, body)),) = post.sent
    (delivery,) = deliveries(api, webhook)
    assert (url, secrets, name) == (URL, [webhook["secret"]], delivery["id"])
    assert b'"type":"call.ended"' in body
    assert (delivery["status"], delivery["answered"], delivery["attempts"]) == ("delivered", 200, 1)
    assert work(api, post, webhook) == []


def test_it_is_tried_again_until_it_is_taken(api: Api) -> None:
    webhook, post = a_webhook(api), Post(500, ProviderDown("no answer"), 204)
    tell(api)
    assert [work(api, post, webhook)[0].partition(":")[0] for _ in range(3)] == ["later", "later", "delivered"]
    assert [one["attempts"] for one in deliveries(api, webhook)] == [3]


def test_and_given_up_at_last(api: Api) -> None:
    webhook, post = a_webhook(api), Post(*[500] * (len(PAUSES_S) + 1))
    tell(api)
    said = [work(api, post, webhook)[0] for _ in range(len(PAUSES_S) + 1)]
    assert said[-1] == "failed"
    assert work(api, post, webhook) == []
    assert deliveries(api, webhook)[0]["error"] == "answered 500"


def test_T05_an_address_inside_is_not_tried_again(api: Api) -> None:
    webhook, post = a_webhook(api), Post(ProviderRefused("this address is not a public one"))
    tell(api)
    assert work(api, post, webhook) == ["failed"]
    assert deliveries(api, webhook)[0]["error"] == "this address is not a public one"


def test_who_is_gone_is_told_nothing_more(api: Api) -> None:
    webhook, post = a_webhook(api), Post(410)
    tell(api)
    assert work(api, post, webhook) == ["failed"]
    shown = next(one for one in api.as_("admin").get("/webhooks").json()["items"] if one["id"] == webhook["id"])
    assert "410" in shown["disabled_why"]
    tell(api, "CA10")
    assert len(deliveries(api, webhook)) == 1


def test_only_who_wants_an_event_gets_it(api: Api) -> None:
    webhook = a_webhook(api, "lead.scored")
    tell(api)
    assert deliveries(api, webhook) == []
    assert api.as_("admin").post(f"/webhooks/{webhook['id']}/test").status_code == 202
    assert [one["event"] for one in deliveries(api, webhook)] == ["webhook.test"]


def test_T29_a_secret_is_changed_without_a_gap(api: Api) -> None:
    webhook, post = a_webhook(api), Post(200)
    new = api.as_("admin").post(f"/webhooks/{webhook['id']}/rotate").json()["secret"]
    tell(api)
    work(api, post, webhook)
    assert post.sent[0][1] == [new, webhook["secret"]]


def test_T29_secrets_are_encrypted_where_they_are_kept(api: Api) -> None:
    webhook = a_webhook(api)
    rows = str(api.sql("select * from webhooks"))
    assert webhook["secret"] not in rows
    assert webhook["secret"].removeprefix("whsec_") not in rows
    assert webhook["secret"] not in api.as_("admin").get("/webhooks").text


@pytest.mark.parametrize("url", ["http://a.example.com/", "https://u:p@a.example.com/", "https://a.example.com:22/"])
def test_T05_an_address_we_would_not_go_to_is_refused_at_once(api: Api, url: str) -> None:
    answer = api.as_("admin").post("/webhooks", json={"url": url, "events": ["call.ended"]})
    assert (answer.status_code, problem(answer)["errors"][0]["field"]) == (422, "body.url")


def test_a_deleted_webhook_is_gone_and_gets_nothing(api: Api) -> None:
    webhook, post = a_webhook(api), Post()
    tell(api)
    assert api.as_("admin").delete(f"/webhooks/{webhook['id']}").status_code == 204
    assert work(api, post, webhook) == ["nothing to deliver"]
    assert api.as_("admin").get(f"/webhooks/{webhook['id']}/deliveries").status_code == 404
