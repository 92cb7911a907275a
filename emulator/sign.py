"""X-Twilio-Signature, made by Twilio's own library so that ours is never checked against itself."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urldefrag, urlsplit, urlunsplit

from twilio.request_validator import RequestValidator


def signed_form(url: str) -> str:
    """The text of `url` that Twilio signs.

    Without fragment and user; over https without the port, over http with it (security page of Twilio's
    documentation). Stream addresses are signed as they were given.
    """
    url = urldefrag(url).url
    parts = urlsplit(url)
    if parts.scheme in {"ws", "wss"}:
        return url
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "https" and parts.port is not None:
        host = host.rpartition(":")[0]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def signature(token: str, url: str, form: Mapping[str, str] | None = None) -> str:
    """The header's value for a request to `url` with the posted `form` (none for GET and sockets)."""
    return str(RequestValidator(token).compute_signature(signed_form(url), dict(form or {})))
