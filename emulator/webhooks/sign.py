"""X-Twilio-Signature, made by Twilio's own library so that ours is never checked against itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from twilio.request_validator import RequestValidator

Fields = Mapping[str, str | Sequence[str]]
"""Posted fields; a field that is posted several times has all its values."""

_ADDRESS = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<host>[^/?]*)(?P<rest>.*)", re.DOTALL)
_PORT = re.compile(r":[0-9]*$")


def signed_form(url: str) -> str:
    """The text of `url` that Twilio signs: nothing of it is decoded, encoded or put in order.

    Without fragment and user; over https without the port, over http with it (security page of Twilio's
    documentation). Stream addresses keep the port that they were given.
    """
    url = url.partition("#")[0]
    parts = _ADDRESS.match(url)
    if parts is None:
        return url
    scheme, host = parts["scheme"], parts["host"].rpartition("@")[2]
    if scheme.lower() == "https://":
        host = _PORT.sub("", host)
    return scheme + host + parts["rest"]


def signature(token: str, url: str, fields: Fields | None = None) -> str:
    """The header's value for a request to `url` with posted `fields` (none for GET, JSON and sockets)."""
    return str(RequestValidator(token).compute_signature(signed_form(url), _Values(fields or {})))


class _Values(dict[str, "str | Sequence[str]"]):
    """Fields as Twilio's library reads them: `getlist` gives all values of a name."""

    def getlist(self, name: str) -> list[str]:
        value = self[name]
        return [value] if isinstance(value, str) else list(value)
