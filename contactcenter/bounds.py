"""What a stranger may send to the port: Daphne itself keeps whole bodies in memory, however large."""

import logging
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketProtocol

from calls.counters import denied

__all__ = ["BODY_BYTES", "MESSAGE_BYTES", "UPLOAD_BYTES", "WAITING_BYTES", "bound"]

BODY_BYTES = 512 * 1024
"""The largest request body taken: no form of ours is near it; webhooks have a smaller limit of their own."""

UPLOAD_BYTES = 5 * 1024 * 1024 + 64 * 1024
"""The largest body for the one page that takes a file (5 MB of contacts), from who brings a session."""

MESSAGE_BYTES = 128 * 1024
"""The largest WebSocket message taken: above the sockets' own limits, so that they refuse by their codes."""

WAITING_BYTES = 256 * 1024
"""What may wait for a socket's consumer. Ours read all that has come before the next read from the network,
so that only one that has ended or waits for the database has anything waiting."""

_UPLOAD = b"/admin/calls/contact/import/"
_REFUSAL = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_log = logging.getLogger("contactcenter.serving")


class BoundedRequest(WebRequest):  # type: ignore[misc]  # daphne has no types
    """A request whose body is refused as soon as it is known to be too large, and not read to its end."""

    _taken = 0
    _is_refused = False

    def gotLength(self, length: int | None) -> None:
        """The headers are there; `length` in bytes, None for a body in chunks."""
        is_too_large = length is not None and length > self._limit()
        super().gotLength(0 if is_too_large else length)
        if is_too_large:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """A part of the body."""
        self._taken += len(data)
        if self._taken <= self._limit():
            super().handleContentChunk(data)
        else:
            self._refuse()

    def process(self) -> Any:
        """The body is whole."""
        return None if self._is_refused else super().process()

    def _limit(self) -> int:
        """What this request's body may hold, in bytes. Whether the session is good is the page's to say."""
        path = getattr(self.channel, "_path", None) or b""  # the request learns its own only with the body
        is_upload = path.partition(b"?")[0] == _UPLOAD
        has_session = b"sessionid=" in (self.getHeader(b"cookie") or b"")
        return UPLOAD_BYTES if is_upload and has_session else BODY_BYTES

    def _refuse(self) -> None:
        if self._is_refused:
            return
        self._is_refused = True
        denied("http.too_large")
        _log.warning("http.too_large", extra={"status": 413})
        self.channel.transport.write(_REFUSAL)
        self.channel.loseConnection()


class BoundedSocket(WebSocketProtocol):  # type: ignore[misc]
    """A WebSocket whose messages do not pile up in memory when nobody reads them any more: it is dropped."""

    _waiting = 0

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A message has come; `payload` is what was between its frames' headers."""
        if self.application_queue.empty():
            self._waiting = 0
        self._waiting += len(payload)
        if self._waiting <= WAITING_BYTES:
            super().onMessage(payload, isBinary)
        elif not self.droppedByMe:
            denied("ws.overrun")
            _log.warning("ws.overrun", extra={"bytes": self._waiting})
            while not self.application_queue.empty():
                self.application_queue.get_nowait()  # else it stays until the collector finds it
            self.dropConnection(abort=True)


def bound(server: Any) -> None:
    """Put the limits on a Daphne server that has just begun to listen.

    A WebSocket that breaks the protocol gets its close code (1002, 1007, 1009), not a dropped line.
    """
    build = server.http_factory.buildProtocol

    def bounded(address: Any) -> Any:
        protocol = build(address)
        protocol.requestFactory = BoundedRequest
        return protocol

    server.http_factory.buildProtocol = bounded
    server.ws_factory.protocol = BoundedSocket
    server.ws_factory.setProtocolOptions(failByDrop=False, allowNullOrigin=True)  # null: Daphne's own choice
