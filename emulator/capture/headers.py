"""Header lists: every name as it was spelled and in order, and the values that tell of nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence

from emulator.capture.entries import Header
from emulator.capture.shapes import Shapes
from emulator.capture.vocabulary import HEADERS

_MEDIA = (
    "application/json application/xml application/x-www-form-urlencoded application/problem+json text/xml"
)
_CODINGS = "gzip deflate br zstd identity"
WORDS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "accept": f"{_MEDIA} text/html text/plain text/* application/* audio/* */* q 0.8 0.9",
        "accept-charset": "utf-8",
        "accept-encoding": f"{_CODINGS} *",
        "cache-control": "no-cache no-store no-transform must-revalidate private public max-age 0 259200",
        "connection": "upgrade keep-alive close te",
        "content-type": f"{_MEDIA} text/html text/plain audio/mpeg audio/wav audio/x-wav charset"
        " utf-8 us-ascii iso-8859-1",
        "content-encoding": _CODINGS,
        "expect": "100-continue",
        "sec-websocket-extensions": "permessage-deflate x-webkit-deflate-frame client_max_window_bits"
        " server_max_window_bits client_no_context_takeover server_no_context_takeover"
        " 8 9 10 11 12 13 14 15",
        "sec-websocket-version": "8 13",
        "transfer-encoding": "chunked",
        "upgrade": "websocket h2c",
    }.items()
}
"""Header → the words that its value may be made of, in lower case; another value is withheld."""
PRODUCT = re.compile(r"(?:Twilio\.TmeWs|TwilioProxy)/[0-9]{1,2}(?:\.[0-9]{1,2}){1,2}")
ALGORITHM = re.compile(r"algorithm=HMAC_SHA(?:1|256|384|512)")
PORT = re.compile(r"[0-9]{1,5}")
BETWEEN = re.compile(r"[\s,;=]+")
LONGEST = 200

TUNNEL = re.compile(
    r"x-forwarded-.*|x-real-ip|x-original-.*|forwarded|via|cf-.*|cdn-loop|true-client-ip|x-envoy-.*|x-request-id"
    r"|x-amzn-.*|ngrok-.*|x-azure-.*|traceparent|tracestate|x-cloud-trace-context|x-client-ip|x-forwarded"
)
"""Headers (in lower case) that a tunnel or TLS front adds, not Twilio."""

FAMILIES = ("x-twilio-", "x-forwarded-", "x-original-", "cf-", "x-envoy-", "x-amzn-", "ngrok-", "x-azure-")
"""How the names of Twilio's and of tunnels' headers begin; of one that is not listed this stays."""


def cleaned(headers: Sequence[tuple[str, str]], shapes: Shapes, *, ours: bool = False) -> list[Header]:
    """The list as it may stand in the file. `ours`: an application sent it, so its user agent is withheld."""
    return [(_name(name, shapes), _value(name.lower(), value, shapes, ours)) for name, value in headers[:100]]


def _name(name: str, shapes: Shapes) -> str:
    if name.lower() in HEADERS:
        return name
    kept = next((name[: len(start)] for start in FAMILIES if name.lower().startswith(start)), "")
    return kept + shapes.places.unlisted("header", name.lower())


def _value(name: str, value: str, shapes: Shapes, ours: bool) -> str | None:
    if name == "host":
        return _host(value, shapes)
    if name == "i-twilio-idempotency-token":
        return shapes.places.token(value)
    if name == "x-twilio-webhooks-signature-settings":
        found = ALGORITHM.search(value)
        return found.group(0) if found else None
    if name == "user-agent":
        return value if not ours and PRODUCT.fullmatch(value) else None
    return value if _listed(name, value) else None


def _listed(name: str, value: str) -> bool:
    """Whether nothing but Twilio's and HTTP's own words is in it."""
    words = BETWEEN.split(value.lower())
    return name in WORDS and len(value) <= LONGEST and WORDS[name].issuperset(filter(None, words))


def _host(value: str, shapes: Shapes) -> str:
    host, colon, port = value.rpartition(":")
    return f"{shapes.host(host)}:{port}" if colon and PORT.fullmatch(port) else shapes.host(value)


def first(headers: Sequence[tuple[str, str]], name: str) -> str:
    """The first value of this header (in lower case), "" without one."""
    return next((value for key, value in headers if key.lower() == name), "")
