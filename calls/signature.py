"""X-Twilio-Signature on webhooks and on media handshakes, over the configured public URL.

What is signed comes from our configuration and the raw path alone: no Host, no forwarded header, no header
that names an algorithm. Twilio drops the port of an https address and keeps that of an http one; for wss
its pages leave port and trailing slash open, so each form is tried (docs/webhooks.md). Nothing here raises:
whatever cannot be checked is not valid.
"""

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from twilio.request_validator import RequestValidator

__all__ = ["handshake_signers", "handshake_valid", "webhook_signers", "webhook_valid"]

Fields = Mapping[str, str | Sequence[str]]
Tokens = Mapping[str, Sequence[str]]  # Twilio's region → the tokens that sign there

_MAX_SIGNATURE = 128  # base64 of SHA-1 is 28 characters; a longer header is not worth a comparison
_DEFAULT_PORTS = {"https": "443", "wss": "443", "http": "80", "ws": "80"}
_SOCKET_SCHEMES = {"https": "wss", "http": "ws"}
_PORT = re.compile(r":([0-9]+)$")


def webhook_valid(
    *, public_url: str, path: str, fields: Fields, signature: str | None, tokens: Sequence[str]
) -> bool:
    """Whether Twilio signed this POST with one of our tokens.

    `path` is the raw path with its raw query; `fields` are all posted fields, a value or a list of values
    each. Never raises.
    """
    return bool(
        webhook_signers(
            public_url=public_url, path=path, fields=fields, signature=signature, tokens={"": tokens}
        )
    )


def handshake_valid(*, public_url: str, raw_path: str, signature: str | None, tokens: Sequence[str]) -> bool:
    """Whether Twilio signed this WebSocket handshake: the wss (ws) address, no fields. Never raises."""
    return bool(
        handshake_signers(public_url=public_url, raw_path=raw_path, signature=signature, tokens={"": tokens})
    )


def webhook_signers(
    *, public_url: str, path: str, fields: Fields, signature: str | None, tokens: Tokens
) -> frozenset[str]:
    """The regions with whose token Twilio signed this POST; none if it did not. Never raises.

    More than one only where regions share a token, which Twilio's do not.
    """
    try:
        return _signers(_origins(public_url), [path], fields, signature, tokens)
    except Exception:
        return frozenset()


def handshake_signers(
    *, public_url: str, raw_path: str, signature: str | None, tokens: Tokens
) -> frozenset[str]:
    """The same of a WebSocket handshake: the wss (ws) address, no fields. Never raises."""
    try:
        return _signers(_origins(public_url, socket=True), _slashes(raw_path), {}, signature, tokens)
    except Exception:
        return frozenset()


def _signers(
    origins: list[str], paths: list[str], fields: Fields, signature: str | None, tokens: Tokens
) -> frozenset[str]:
    if not isinstance(signature, str) or not signature or len(signature) > _MAX_SIGNATURE:
        return frozenset()
    given = signature.encode("utf-8")
    urls = [origin + path for origin in origins for path in paths]
    found = set()
    for region, own in tokens.items():
        for expected in _expected(urls, fields, own):
            # No early end: the time taken says nothing about which form, token or region was near.
            if hmac.compare_digest(expected.encode("ascii"), given):
                found.add(region)
    return frozenset(found)


def _expected(urls: list[str], fields: Fields, tokens: Sequence[str]) -> Iterator[str]:
    for token in tokens:
        if not token:
            continue  # an empty token would let anyone sign
        validator = RequestValidator(token)
        for url in urls:
            yield str(validator.compute_signature(url, _Values(fields)))


class _Values(dict[str, "str | Sequence[str]"]):
    """Fields as Twilio's library reads them: `getlist` gives all values of a name."""

    def getlist(self, name: str) -> list[str]:
        value = self[name]
        return [value] if isinstance(value, str) else list(value)


def _origins(public_url: str, *, socket: bool = False) -> list[str]:
    """The public URL as configured, without port, and with the port of its scheme; user info dropped."""
    parts = urlsplit(public_url)
    scheme = _SOCKET_SCHEMES[parts.scheme] if socket else parts.scheme
    host = parts.netloc.rpartition("@")[2]
    bare = _PORT.sub("", host)
    hosts = [host]
    if scheme in {"https", "wss"} or host == f"{bare}:{_DEFAULT_PORTS[scheme]}":
        hosts.append(bare)
    if host in {bare, f"{bare}:{_DEFAULT_PORTS[scheme]}"}:
        hosts.append(f"{bare}:{_DEFAULT_PORTS[scheme]}")
    return [f"{scheme}://{host}{parts.path.rstrip('/')}" for host in dict.fromkeys(hosts)]


def _slashes(path: str) -> list[str]:
    """The path as it came, and with its trailing slash added or taken away."""
    return [path, path.rstrip("/") if path.endswith("/") else path + "/"]
