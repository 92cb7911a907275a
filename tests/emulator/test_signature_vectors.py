"""Signatures against the official validator, both ways, and against the product's own check.

What the emulator signs is what Twilio's library computes over the text that Twilio's documentation names, the
library's validator accepts it, `calls.signature` accepts it, and neither takes it with one character changed.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from calls.signature import handshake_valid, webhook_valid
from emulator.webhooks.sign import signature, signed_form

TOKEN = "12345"
OFFICIAL = RequestValidator(TOKEN)
Fields = Mapping[str, str | Sequence[str]]

KEYS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675310",
    "Digits": "1234",
    "From": "+14158675310",
    "To": "+18005551212",
}
JSON_BODY = '{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}'
JSON_HASH = "5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9"

# As configured → the text that Twilio signs. One rule of the documentation each.
ADDRESSES = {
    "query": ("https://example.com/myapp.php?foo=1&bar=2", "https://example.com/myapp.php?foo=1&bar=2"),
    "query without value": ("https://example.com/a?b&c=", "https://example.com/a?b&c="),
    "repeated query": ("https://example.com/a?b=2&b=1&b=2", "https://example.com/a?b=2&b=1&b=2"),
    "trailing slash": ("https://example.com/hooks/", "https://example.com/hooks/"),
    "no trailing slash": ("https://example.com/hooks", "https://example.com/hooks"),
    "https drops the port": ("https://example.com:8443/hooks/", "https://example.com/hooks/"),
    "https drops 443": ("https://example.com:443/hooks/?a=1", "https://example.com/hooks/?a=1"),
    "http keeps the port": ("http://example.com:8000/hooks/", "http://example.com:8000/hooks/"),
    "http keeps 80": ("http://example.com:80/hooks/", "http://example.com:80/hooks/"),
    "http without port": ("http://example.com/hooks/", "http://example.com/hooks/"),
    "user over https": ("https://amy:s3cret@example.com:8443/hooks/", "https://example.com/hooks/"),
    "user over http": ("http://amy:s3cret@example.com:8000/hooks/", "http://example.com:8000/hooks/"),
    "at sign in the path": ("https://example.com/@amy:8443/", "https://example.com/@amy:8443/"),
    "at sign in the query": ("https://example.com/?to=amy@x:1", "https://example.com/?to=amy@x:1"),
    "fragment": ("https://example.com/hooks/#rc=2&rp=5xx", "https://example.com/hooks/"),
    "fragment after query": ("https://example.com/hooks/?a=1#rc=2", "https://example.com/hooks/?a=1"),
    "escapes stay": ("https://example.com/%C3%A9%2f%c3%a9?q=%20+%2B", "https://example.com/%C3%A9%2f%c3%a9?q=%20+%2B"),
    "unicode stays": ("https://example.com/étage/?who=Åse", "https://example.com/étage/?who=Åse"),
    "IPv6": ("http://[::1]:8000/hooks/", "http://[::1]:8000/hooks/"),
}  # fmt: skip

SOCKETS = {
    "wss": ("wss://cc.example.com/media", "wss://cc.example.com/media"),
    "wss with slash": ("wss://cc.example.com/media/", "wss://cc.example.com/media/"),
    "wss keeps the port": ("wss://cc.example.com:8443/media/", "wss://cc.example.com:8443/media/"),
    "wss drops the user": ("wss://amy:s3cret@cc.example.com/media/", "wss://cc.example.com/media/"),
    "wss with escapes": ("wss://cc.example.com/media/%C3%A9/", "wss://cc.example.com/media/%C3%A9/"),
    "ws on this machine": ("ws://127.0.0.1:8000/media/", "ws://127.0.0.1:8000/media/"),
}

# Fields → what follows the address: sorted by name in byte order, each value behind its name.
FORMS: dict[str, tuple[Fields, str]] = {
    "Twilio's example": (
        KEYS,
        "CallSidCA1234567890ABCDECaller+14158675310Digits1234From+14158675310To+18005551212",
    ),
    "no field": ({}, ""),
    "empty values": ({"FromCity": "", "From": "+1", "FromZip": ""}, "From+1FromCityFromZip"),
    "case counts": ({"b": "1", "B": "2", "a": "3", "_": "4"}, "B2_4a3b1"),
    "unicode": ({"CallerName": "Åse & Søn 🦀", "é": "ü", "z": "1"}, "CallerNameÅse & Søn 🦀z1éü"),
    "white space stays": ({"Speech": " two  words\r\n", "Tab": "\t"}, "Speech two  words\r\nTab\t"),
    "repeated": ({"Event": ["ringing", "answered", "ringing"], "A": "1"}, "A1EventansweredEventringing"),
    "repeated and empty": ({"Event": ["", "b"], "None": []}, "EventEventb"),
    "escapes": ({"Body": "a+b%20c&d=e"}, "Bodya+b%20c&d=e"),
}  # fmt: skip

PUBLISHED = {
    "form": ("https://example.com/myapp.php?foo=1&bar=2", KEYS, "L/OH5YylLD5NRKLltdqwSvS0BnU="),
    "JSON": (f"https://example.com/myapp?bodySHA256={JSON_HASH}", {}, "hPXmLwIy3Fgqv1i9KPmH/HhQ6zo="),
    "socket": ("wss://cc.example.com/media", {}, "D3c9fmzBM/gUfaqPCQJHY543L5Q="),
    "socket with slash": ("wss://cc.example.com/media/", {}, "svFtpcBb9t05yYma28XAwvYalCE="),
}


def named(rows: Mapping[str, Any]) -> Any:
    """One test per row, called by its name."""
    return [pytest.param(*row, id=name) for name, row in rows.items()]


def by_hand(text: str) -> str:
    """base64(HMAC-SHA1(token, text)), with nothing of Twilio's or ours."""
    return base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()


def with_body_hash(url: str, body: str) -> str:
    """The address to which Twilio posts a JSON body: its SHA-256 is the last parameter of the query."""
    address, mark, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}bodySHA256={hashlib.sha256(body.encode()).hexdigest()}{mark}{fragment}"


def as_seen(url: str) -> str:
    """What an application knows of its own address: host, port, path and query, no user and no fragment."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?' + parts.query if parts.query else ''}"


def product_accepts(url: str, fields: Fields, sent: str) -> bool:
    """Whether the product takes this webhook, its public address and raw path being as in `url`."""
    scheme, _, rest = as_seen(url).partition("://")
    host, slash, path = rest.partition("/")
    origin = f"{scheme}://{host}"
    return webhook_valid(
        public_url=origin, path=slash + path, fields=fields, signature=sent, tokens=["next", TOKEN]
    )


def product_opens(url: str, sent: str) -> bool:
    """Whether the product takes this handshake."""
    scheme, _, rest = as_seen(url).partition("://")
    host, slash, path = rest.partition("/")
    origin = f"{scheme.replace('ws', 'http')}://{host}"
    return handshake_valid(public_url=origin, raw_path=slash + path, signature=sent, tokens=["next", TOKEN])


def one_off(text: str) -> Iterator[str]:
    """The text with one character changed, at each place in turn."""
    for place, character in enumerate(text):
        yield text[:place] + ("0" if character != "0" else "1") + text[place + 1 :]


def changed_fields(fields: Fields) -> Iterator[Fields]:
    """The fields with one character of one value changed, with a field more and with a field less."""
    for name, value in fields.items():
        values = [value] if isinstance(value, str) else list(value)
        for place, text in enumerate(values):
            for other in one_off(text):
                yield {**fields, name: [*values[:place], other, *values[place + 1 :]]}
        if values:
            yield {kept: fields[kept] for kept in fields if kept != name}
    yield {**fields, "Extra": ""}


@pytest.mark.parametrize(("url", "fields", "published"), named(PUBLISHED))
def test_the_published_signatures_come_out(url: str, fields: Fields, published: str) -> None:
    assert signature(TOKEN, url, fields) == published
    assert OFFICIAL.validate(url, fields, published)


@pytest.mark.parametrize(("url", "signed"), named(ADDRESSES | SOCKETS))
def test_the_signed_text_of_an_address_is_what_twilio_signs(url: str, signed: str) -> None:
    assert signed_form(url) == signed
    assert signature(TOKEN, url) == OFFICIAL.compute_signature(signed, {}) == by_hand(signed)


@pytest.mark.parametrize(("url", "signed"), named(ADDRESSES))
@pytest.mark.parametrize(("fields", "text"), named(FORMS))
def test_a_signed_webhook_is_accepted_by_the_official_validator_and_by_the_product(
    url: str, signed: str, fields: Fields, text: str
) -> None:
    sent = signature(TOKEN, url, fields)
    assert sent == by_hand(signed + text)
    assert OFFICIAL.validate(as_seen(url), Posted(fields), sent)
    assert product_accepts(url, fields, sent)


class Posted(dict[str, Any]):
    """Posted fields as a web framework gives them to the validator: every value of a name by `getlist`."""

    def getlist(self, name: str) -> list[str]:
        value = self[name]
        return [value] if isinstance(value, str) else list(value)


@pytest.mark.parametrize(("fields", "text"), named(FORMS))
def test_a_webhook_with_one_character_changed_is_refused(fields: Fields, text: str) -> None:
    url = "https://example.com/hooks/?a=%20b"
    sent = signature(TOKEN, url, fields)
    for other in one_off(sent):
        assert not product_accepts(url, fields, other)
    for changed in changed_fields(fields):
        assert not product_accepts(url, changed, sent)
        assert not OFFICIAL.validate(url, Posted(changed), sent)
    origin = "https://example.com"
    for path in one_off(url.removeprefix(origin)):
        assert not webhook_valid(
            public_url=origin, path=path, fields=fields, signature=sent, tokens=["next", TOKEN]
        )


@pytest.mark.parametrize(("url", "signed"), named(SOCKETS))
def test_a_signed_handshake_is_accepted_and_with_one_character_changed_refused(url: str, signed: str) -> None:
    sent = signature(TOKEN, url)
    assert OFFICIAL.validate(as_seen(url), {}, sent)
    assert product_opens(url, sent)
    assert not any(product_opens(url, other) for other in one_off(sent))
    before, path = signed[: signed.index("/", 6)], signed[signed.index("/", 6) :]
    for other in one_off(path[1:]):
        assert not product_opens(f"{before}/{other}", sent)
        assert not OFFICIAL.validate(f"{before}/{other}", {}, sent)


@pytest.mark.parametrize("url", [row[0] for row in ADDRESSES.values()], ids=list(ADDRESSES))
@pytest.mark.parametrize(
    "body",
    [JSON_BODY, "", "{}", '{"name": "Åse 🦀"}', " [1,\n2] "],
    ids=["keys", "empty", "{}", "é", "space"],
)
def test_a_json_body_is_signed_by_its_hash_in_the_query(url: str, body: str) -> None:
    posted = with_body_hash(url, body)
    seen, digest = as_seen(posted), hashlib.sha256(body.encode()).hexdigest()
    assert seen.endswith(("?" if "?" not in as_seen(url) else "&") + f"bodySHA256={digest}")
    sent = signature(TOKEN, posted)
    assert OFFICIAL.validate(seen, body, sent)
    assert product_accepts(posted, {}, sent)
    assert not OFFICIAL.validate(seen, body + " ", sent)
    assert not OFFICIAL.validate(as_seen(with_body_hash(url, body + " ")), body + " ", sent)


def test_the_published_json_body_has_the_published_hash_and_keeps_a_fragment() -> None:
    assert with_body_hash("https://example.com/myapp", JSON_BODY) == PUBLISHED["JSON"][0]
    assert with_body_hash("https://example.com/a?b=1#rc=2", "") == (
        f"https://example.com/a?b=1&bodySHA256={hashlib.sha256(b'').hexdigest()}#rc=2"
    )


def test_a_text_that_is_no_address_is_signed_as_it_stands() -> None:
    for text in ("", "nonsense", "/path?a=1", "mailto:amy@example.com", "://x", "https//example.com:1/"):
        assert signature(TOKEN, text) == by_hand(text)


# Any address and any form

hosts = st.sampled_from(["example.com", "cc.example.com", "127.0.0.1", "localhost", "xn--bcher-kva.example"])
ports = st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}"))
users = st.sampled_from(["", "amy@", "amy:s3cret@", "a%40b:c%3A@"])
letters = "abzAZ09-._~!$&'()*+,=:@éüß語"
pieces = st.one_of(
    st.text(letters, min_size=1, max_size=8), st.sampled_from(["%C3%A9", "%c3%a9", "%2F", "%20", "%25"])
)
paths = st.lists(st.lists(pieces, max_size=3).map("".join), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
queries = st.one_of(
    st.just(""), st.lists(pieces, min_size=1, max_size=5).map(lambda parts: "?" + "&".join(parts))
)
fragments = st.sampled_from(["", "#rc=2", "#ct=2000&rt=4000&rp=5xx,ct", "#"])
forms = st.dictionaries(
    st.text(min_size=1), st.one_of(st.text(), st.lists(st.text(), max_size=3, unique=True)), max_size=6
)


@st.composite
def addresses(draw: st.DrawFn, schemes: tuple[str, ...]) -> tuple[str, str]:
    """An address and the text that Twilio signs of it, put together from the same parts."""
    scheme, host, port, path = draw(st.sampled_from(schemes)), draw(hosts), draw(ports), draw(paths)
    query = draw(queries) if scheme in {"http", "https"} else ""
    user, fragment = draw(users), draw(fragments)
    signed = f"{scheme}://{host}{'' if scheme == 'https' else port}{path}{query}"
    return f"{scheme}://{user}{host}{port}{path}{query}{fragment}", signed


@settings(max_examples=300)
@given(addresses(("http", "https")), forms, st.data())
def test_any_webhook_is_accepted_and_with_one_character_changed_refused(
    address: tuple[str, str], fields: Fields, data: st.DataObject
) -> None:
    url, signed = address
    sent = signature(TOKEN, url, fields)
    assert sent == OFFICIAL.compute_signature(signed, Posted(fields))
    assert OFFICIAL.validate(as_seen(url), Posted(fields), sent)
    assert product_accepts(url, fields, sent)
    assert not product_accepts(url, fields, data.draw(st.sampled_from(list(one_off(sent)))))
    other = data.draw(st.sampled_from(list(changed_fields(fields))))
    assert not product_accepts(url, other, sent)
    assert not OFFICIAL.validate(as_seen(url), Posted(other), sent)


@settings(max_examples=200)
@given(addresses(("ws", "wss")), st.data())
def test_any_handshake_is_accepted_and_with_one_character_changed_refused(
    address: tuple[str, str], data: st.DataObject
) -> None:
    url, signed = address
    sent = signature(TOKEN, url)
    assert sent == OFFICIAL.compute_signature(signed, {})
    assert OFFICIAL.validate(as_seen(url), {}, sent)
    assert product_opens(url, sent)
    assert not product_opens(url, data.draw(st.sampled_from(list(one_off(sent)))))
