"""Header lists: every name as it was spelled and in order, and the values that tell of nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence

from emulator.capture.lines import Header
from emulator.capture.shapes import Shapes
from emulator.capture.vocabulary import HEADER_NAME

PRODUCT = re.compile(r"[A-Za-z.-]{1,30}/[0-9]{1,3}(?:\.[0-9]{1,4}){0,3}")
MEDIA = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,40}(?:; ?charset=[A-Za-z0-9-]{1,20})?")
SHORT = re.compile(r"[A-Za-z][A-Za-z, -]{0,39}")
EXTENSIONS = re.compile(r"[a-z-]{1,40}(?:; ?[a-z_]{1,40}(?:=[0-9]{1,2})?){0,4}")
NUMBER = re.compile(r"[0-9]{1,3}")
ALGORITHM = re.compile(r"algorithm=[A-Z0-9_]{1,30}")

VALUES: dict[str, re.Pattern[str]] = {
    "accept": re.compile(r"[a-z*]{1,20}/[a-z0-9.+*-]{1,40}(?:, ?[a-z*]{1,20}/[a-z0-9.+*-]{1,40}){0,5}"),
    "accept-charset": re.compile(r"[a-z0-9-]{1,20}"),
    "accept-encoding": re.compile(r"[a-z]{1,10}(?:, ?[a-z]{1,10}){0,5}"),
    "cache-control": re.compile(r"[a-z-]{1,20}(?:=[0-9]{1,9})?"),
    "connection": SHORT,
    "content-type": MEDIA,
    "content-encoding": re.compile(r"gzip|deflate|br|identity"),
    "expect": re.compile(r"100-continue"),
    "sec-websocket-extensions": EXTENSIONS,
    "sec-websocket-version": NUMBER,
    "transfer-encoding": re.compile(r"chunked"),
    "upgrade": SHORT,
    "user-agent": PRODUCT,
}
"""Header → the pattern of values that may stay."""

TUNNEL = re.compile(
    r"x-forwarded-.*|x-real-ip|x-original-.*|forwarded|via|cf-.*|cdn-loop|true-client-ip|x-envoy-.*|x-request-id"
    r"|x-amzn-.*|ngrok-.*|x-azure-.*|traceparent|tracestate|x-cloud-trace-context|x-client-ip|x-forwarded"
)
"""Headers (in lower case) that a tunnel or TLS front adds, not Twilio."""


def cleaned(headers: Sequence[tuple[str, str]], shapes: Shapes, *, ours: bool = False) -> list[Header]:
    """The list as it may stand in the file. `ours`: an application sent it, so its user agent is withheld."""
    return [(_name(name, shapes), _value(name.lower(), value, shapes, ours)) for name, value in headers[:100]]


def _name(name: str, shapes: Shapes) -> str:
    return name if HEADER_NAME.fullmatch(name) else f"other-{shapes.places.name(name)}"


def _value(name: str, value: str, shapes: Shapes, ours: bool) -> str | None:
    if name == "host":
        return _host(value, shapes)
    if name == "i-twilio-idempotency-token":
        return shapes.places.token(value)
    if name == "x-twilio-webhooks-signature-settings":
        found = ALGORITHM.search(value)
        return found.group(0) if found else None
    if ours and name == "user-agent":
        return None
    pattern = VALUES.get(name)
    return value if pattern is not None and pattern.fullmatch(value) else None


def _host(value: str, shapes: Shapes) -> str:
    host, colon, port = value.rpartition(":")
    return f"{shapes.host(host)}:{port}" if colon and port.isdigit() else shapes.host(value)


def first(headers: Sequence[tuple[str, str]], name: str) -> str:
    """The first value of this header (in lower case), "" without one."""
    return next((value for key, value in headers if key.lower() == name), "")
