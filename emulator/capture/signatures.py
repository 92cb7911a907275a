"""Which form of its own URL a request's signature covers: found by trying the forms, nearest first.

Twilio's pages leave some of them open (the trailing slash, the port of a socket), and an application behind
a tunnel sees another scheme than Twilio signed. A capture says what was true, without the signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

from emulator.capture.entries import Signed
from emulator.capture.headers import first

HEADER = "x-twilio-signature"
DEFAULT_PORT = {"https": 443, "wss": 443, "http": 80, "ws": 80}
WEB, SOCKET = ("https", "http"), ("wss", "ws", "https", "http")


@dataclass(frozen=True)
class Form:
    """One way to write the URL, and what it is called."""

    url: str
    scheme: str
    host: str
    port: str
    slash: str
    query: str


class _Fields(dict[str, list[str]]):
    """A form as Twilio's validator takes it, with repeated names."""

    def __init__(self, form: list[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in form:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        """Every value of this name."""
        return self[name]


class Signatures:
    """Checks requests against the account's tokens; without tokens nothing is checked."""

    def __init__(self, tokens: Sequence[str], public_url: str = "") -> None:
        self._validators = [RequestValidator(token) for token in tokens]
        self._public = urlsplit(public_url).netloc.rpartition("@")[2]

    @property
    def checks(self) -> bool:
        """Whether there is a token."""
        return bool(self._validators)

    def of(
        self,
        target: str,
        headers: Sequence[tuple[str, str]],
        form: list[tuple[str, str]],
        body: bytes = b"",
        *,
        socket: bool = False,
    ) -> Signed:
        """What the signature of this request covers; `target` is path and query as they came."""
        given = first(headers, HEADER)
        if not given:
            return Signed("absent")
        if not self._validators:
            return Signed("not checked")
        fields = _Fields(form)
        for url in self._forms(target, headers, SOCKET if socket else WEB):
            if any(one.compute_signature(url.url, fields) == given for one in self._validators):
                covered = "form" if form else _hashed(url.url, body)
                return Signed("valid", url.scheme, url.port, url.slash, url.query, url.host, covered)
        return Signed("no match")

    def _forms(
        self, target: str, headers: Sequence[tuple[str, str]], schemes: tuple[str, ...]
    ) -> Iterator[Form]:
        hosts = {
            first(headers, "host"): "Host",
            first(headers, "x-forwarded-host"): "X-Forwarded-Host",
            self._public: "public",
        }
        hosts.pop("", None)
        path, mark, query = target.partition("?")
        for (slash, of_slash), (query_text, of_query) in product(_slashes(path), _queries(mark + query)):
            for host, called in hosts.items():
                for scheme in schemes:
                    for netloc, port in _ports(host, scheme):
                        url = f"{scheme}://{netloc}{slash}{query_text}"
                        yield Form(url, scheme, called, port, of_slash, of_query)


def _slashes(path: str) -> list[tuple[str, str]]:
    other = (path + "/", "added") if not path.endswith("/") else (path.rstrip("/"), "dropped")
    return [(path, "given"), other]


def _queries(query: str) -> list[tuple[str, str]]:
    return [(query, "given"), ("", "dropped")] if query else [("", "none")]


def _ports(netloc: str, scheme: str) -> list[tuple[str, str]]:
    host, colon, port = netloc.rpartition(":")
    if colon and port.isdigit():
        return [(netloc, "given"), (host, "dropped")]
    return [(netloc, "none"), (f"{netloc}:{DEFAULT_PORT[scheme]}", "added")]


def _hashed(url: str, body: bytes) -> str:
    wanted = dict(parse_qsl(urlsplit(url).query)).get("bodySHA256")
    return "hash" if wanted and hashlib.sha256(body).hexdigest() == wanted else "none"
