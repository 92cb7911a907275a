"""What Twilio refuses of a stream, judged before a socket is tried."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import urlsplit

MAX_TRACKS = 4
MAX_PARAMETER = 500


class Refused(Exception):
    """A stream that may not be; `code` is Twilio's number where one is known, else 20001 (bad parameter)."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Running(Protocol):
    """What the limits ask of a stream that is running."""

    name: str

    @property
    def unidirectional_tracks(self) -> int:
        """How many of the four tracks it takes; 0 for a bidirectional one."""
        ...


def check_url(url: str) -> None:
    """Raise Refused unless this is an address that a stream may go to.

    31910: ws to any but a loopback host (there is no TLS to trust); 31920: a query string; 31923: no stream
    address at all.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")  # as a resolver would be asked
    except (ValueError, UnicodeError) as error:
        raise Refused(31923, f"Stream - Invalid URL: {error}") from error
    if parts.scheme not in {"ws", "wss"} or not host:
        raise Refused(31923, "Stream - Invalid URL: wss://host/path is needed")
    if parts.query or parts.fragment or "?" in url:
        raise Refused(31920, "Stream - Invalid URL: a query string is not supported, use <Parameter>")
    if parts.scheme == "ws" and not is_loopback(host):
        raise Refused(31910, "Stream - Websocket - SSL Protocol Error: only wss leaves this machine")


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_parameters(parameters: dict[str, str]) -> None:
    """Raise Refused when a parameter's name and value together reach 500 characters."""
    for name, value in parameters.items():
        if len(name) + len(value) >= MAX_PARAMETER:
            raise Refused(20001, f"Parameter {name[:40]!r}: name and value must be under 500 characters")


def check_room(running: Iterable[Running], *, name: str, tracks: int, bidirectional: bool) -> None:
    """Raise Refused when the call has no room: four tracks, one bidirectional stream, every name once."""
    streams = list(running)
    if name and any(stream.name == name for stream in streams):
        raise Refused(20001, f"Stream name {name!r} is in use on this call")
    if bidirectional:
        if any(stream.unidirectional_tracks == 0 for stream in streams):
            raise Refused(20001, "Only one bidirectional stream is allowed per call")
        return
    used = sum(stream.unidirectional_tracks for stream in streams)
    if used + tracks > MAX_TRACKS:
        raise Refused(20001, f"Only {MAX_TRACKS} tracks may be streamed per call; {used} are in use")
