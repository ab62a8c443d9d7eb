"""Our signature check against the SDK's and against vectors computed with it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import MultiDict
from twilio.request_validator import RequestValidator

from app.telephony.signature import is_authentic, media_url, sign

TOKEN = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
URL = "https://ivr.example.test/voice/inbound?tenant=acme"
ZEROS = "0" * 32
FORM = [
    ("CallSid", "CA" + ZEROS),
    ("AccountSid", "AC" + ZEROS),
    ("From", "+15005550006"),
    ("To", "+15005550009"),
    ("Digits", "1"),
]
FORM_SIGNATURE = "FXvjP9uODpfZ2d7iw8uWlYqU5Tc="
BODY = b'{"event":"ping","n":1}'
JSON_URL = f"https://ivr.example.test/hook?bodySHA256={hashlib.sha256(BODY).hexdigest()}"
JSON_SIGNATURE = "XAlegn6bizuPKGjNJpJyj8lCwNc="
MEDIA_SIGNATURE = "+urv0sIiuJyvl11TJKGy5lr2zhg="


def test_T01_published_vectors() -> None:
    assert sign(TOKEN, URL, FORM) == FORM_SIGNATURE
    assert sign(TOKEN, URL, [("A", "2"), ("A", "1"), ("A", "1"), ("B", "x")]) == "tqSxL4luf7cWRaTsh1zAK3n6Za8="
    assert sign(TOKEN, JSON_URL) == JSON_SIGNATURE
    assert sign(TOKEN, "wss://ivr.example.test/media/s3cret") == MEDIA_SIGNATURE


def test_T01_good_requests_pass() -> None:
    assert is_authentic([TOKEN], URL, FORM_SIGNATURE, form=FORM)
    assert is_authentic([TOKEN], URL, FORM_SIGNATURE, form=reversed(FORM))
    assert is_authentic([TOKEN], JSON_URL, JSON_SIGNATURE, body=BODY)
    assert is_authentic([TOKEN], media_url("https://ivr.example.test") + "/media/s3cret", MEDIA_SIGNATURE)


def test_T01_either_token_holds_while_the_account_rotates_them() -> None:
    assert is_authentic([OTHER, TOKEN], URL, FORM_SIGNATURE, form=FORM)
    assert is_authentic([TOKEN, OTHER], URL, FORM_SIGNATURE, form=FORM)
    assert not is_authentic([OTHER], URL, FORM_SIGNATURE, form=FORM)
    assert not is_authentic([], URL, FORM_SIGNATURE, form=FORM)


@pytest.mark.parametrize("signature", [None, "", "FXvjP9uODpfZ2d7iw8uWlYqU5Tg=", FORM_SIGNATURE + "=", "não"])
def test_T01_missing_or_altered_signature_is_refused(signature: str | None) -> None:
    assert not is_authentic([TOKEN], URL, signature, form=FORM)


def test_T01_an_extra_or_missing_field_is_refused() -> None:
    assert not is_authentic([TOKEN], URL, FORM_SIGNATURE, form=[*FORM, ("Extra", "1")])
    assert not is_authentic([TOKEN], URL, FORM_SIGNATURE, form=FORM[:-1])


def test_T01_a_json_body_must_match_the_hash_in_the_url() -> None:
    assert not is_authentic([TOKEN], JSON_URL, JSON_SIGNATURE, body=BODY + b" ")
    bare = "https://ivr.example.test/hook"
    assert not is_authentic([TOKEN], bare, sign(TOKEN, bare), body=BODY)


def test_T01_the_https_spelling_of_a_media_url_does_not_hold() -> None:
    assert not is_authentic([TOKEN], "https://ivr.example.test/media/s3cret", MEDIA_SIGNATURE)


names = st.sampled_from(["CallSid", "From", "Body", "A", "a", "Z_1"])
pairs = st.lists(st.tuples(names, st.text(max_size=8)), max_size=6)
urls = st.sampled_from(
    [
        "https://calls.example.com/twilio/voice",
        "https://calls.example.com:443/twilio/voice",
        "https://calls.example.com:8443/twilio/voice?a=b&c=",
        "http://127.0.0.1:9101/twilio/status",
        "wss://calls.example.com/twilio/media/abc",
    ]
)


@given(urls, pairs, st.sampled_from([TOKEN, OTHER]))
def test_T01_same_answer_as_the_sdk(url: str, form: list[tuple[str, str]], signer: str) -> None:
    theirs = RequestValidator(signer).compute_signature(url, MultiDict(form))
    assert sign(signer, url, form) == theirs
    agrees = RequestValidator(TOKEN).validate(url, MultiDict(form), theirs)
    assert is_authentic([TOKEN], url, theirs, form=form) == agrees
