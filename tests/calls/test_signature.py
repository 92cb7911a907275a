"""Twilio's signature: what it covers, which forms of an address count, and that nothing raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.signature import handshake_valid, webhook_valid
from tests import twilio

SITE = "https://cc.example.com"
TOKENS = ["12345"]
VECTOR = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675310",
    "Digits": "1234",
    "From": "+14158675310",
    "To": "+18005551212",
}
VECTOR_SIGNATURE = "L/OH5YylLD5NRKLltdqwSvS0BnU="


def _vector(**changes):
    asked = {
        "public_url": "https://example.com",
        "path": "/myapp.php?foo=1&bar=2",
        "fields": VECTOR,
        "signature": VECTOR_SIGNATURE,
        "tokens": TOKENS,
    }
    return webhook_valid(**{**asked, **changes})


def test_twilios_own_example_is_valid():
    assert _vector()


def test_a_changed_byte_anywhere_is_not():
    assert not _vector(path="/myapp.php?foo=1&bar=3")
    assert not _vector(fields={**VECTOR, "Digits": "1235"})
    assert not _vector(public_url="https://example.org")
    assert not _vector(signature=VECTOR_SIGNATURE.replace("L", "l", 1))
    assert not _vector(signature=VECTOR_SIGNATURE[:-1])


def test_any_token_of_the_list_counts_but_an_empty_one_never():
    assert _vector(tokens=["other", "12345"])
    assert not _vector(tokens=["other"])
    assert not _vector(tokens=[])
    empty = twilio.signature("https://example.com/myapp.php?foo=1&bar=2", VECTOR, token="")
    assert not _vector(tokens=["", "12345"], signature=empty)


@pytest.mark.parametrize(
    "signed",
    ["https://cc.example.com:8443/a/", "https://cc.example.com/a/"],
)
def test_over_https_twilio_drops_the_port(signed):
    valid = webhook_valid(
        public_url="https://cc.example.com:8443",
        path="/a/",
        fields={},
        signature=twilio.signature(signed, token="12345"),
        tokens=TOKENS,
    )
    assert valid


def test_over_http_twilio_keeps_the_port():
    def valid(signed):
        signature = twilio.signature(signed, token="12345")
        return webhook_valid(
            public_url="http://127.0.0.1:8000", path="/a/", fields={}, signature=signature, tokens=TOKENS
        )

    assert valid("http://127.0.0.1:8000/a/")
    assert not valid("http://127.0.0.1/a/")


def test_a_webhooks_path_has_one_form():
    signature = twilio.signature(SITE + "/twilio/voice", token="12345")
    path = "/twilio/voice/"
    assert not webhook_valid(public_url=SITE, path=path, fields={}, signature=signature, tokens=TOKENS)


@pytest.mark.parametrize(
    ("path", "signature"),
    [
        ("/media", "D3c9fmzBM/gUfaqPCQJHY543L5Q="),
        ("/media/", "svFtpcBb9t05yYma28XAwvYalCE="),
        ("/media/", "D3c9fmzBM/gUfaqPCQJHY543L5Q="),
        ("/media", "svFtpcBb9t05yYma28XAwvYalCE="),
    ],
)
def test_known_handshakes_are_valid_with_and_without_slash(path, signature):
    assert handshake_valid(public_url=SITE, raw_path=path, signature=signature, tokens=TOKENS)


@pytest.mark.parametrize(
    "signed",
    ["wss://cc.example.com:443/media/n/", "wss://cc.example.com/media/n", "wss://cc.example.com/media/n/"],
)
def test_a_handshake_may_be_signed_with_the_default_port(signed):
    signature = twilio.signature(signed, token="12345")
    assert handshake_valid(public_url=SITE, raw_path="/media/n/", signature=signature, tokens=TOKENS)


@pytest.mark.parametrize("signed", ["https://cc.example.com/media/n/", "ws://cc.example.com/media/n/"])
def test_a_handshake_is_signed_over_wss(signed):
    signature = twilio.signature(signed, token="12345")
    assert not handshake_valid(public_url=SITE, raw_path="/media/n/", signature=signature, tokens=TOKENS)


def test_a_loopback_site_is_signed_over_ws_as_it_was_given():
    signature = twilio.signature("ws://127.0.0.1:8000/media/n/", token="12345")
    assert handshake_valid(
        public_url="http://127.0.0.1:8000", raw_path="/media/n/", signature=signature, tokens=TOKENS
    )


@pytest.mark.parametrize(
    "signature",
    [None, "", "é" * 28, "\udcff" * 28, "A" * 10_000, b"bytes", 7, "\x00", "=" * 28],
)
@pytest.mark.parametrize(
    "public_url", [SITE, "", "not a url", "https://[::1", "ftp://x", None, "https://h:99999999"]
)
def test_what_cannot_be_checked_is_not_valid_and_raises_nothing(signature, public_url):
    assert not webhook_valid(
        public_url=public_url, path="/a/", fields={"a": "\ud800"}, signature=signature, tokens=TOKENS
    )
    assert not handshake_valid(
        public_url=public_url, raw_path="/a\udcff/", signature=signature, tokens=TOKENS
    )


@given(st.text(), st.text(), st.dictionaries(st.text(), st.one_of(st.text(), st.lists(st.text()))))
def test_no_made_up_request_is_valid(path, signature, fields):
    assert not webhook_valid(public_url=SITE, path=path, fields=fields, signature=signature, tokens=TOKENS)
    assert not handshake_valid(public_url=SITE, raw_path=path, signature=signature, tokens=TOKENS)
