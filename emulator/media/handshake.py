"""The opening of a media socket: exactly the request that Twilio makes, and a strict look at the answer."""

from __future__ import annotations

import base64
import hashlib
import os

from emulator.faults import Faults
from emulator.webhooks import sign

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_HEAD = 16 * 1024
REFUSED = 31920


class ConnectError(Exception):
    """No socket came about; `code` is Twilio's (31901 time, 31902 refused, 31910 TLS, 31920 not 101)."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Handshake:
    """One opening: `request` goes out, what comes back is fed until the upgrade is done."""

    def __init__(self) -> None:
        self._key = base64.b64encode(os.urandom(16)).decode()
        self._head = bytearray()
        self.done = False

    def request(self, host: str, path: str, signature: str | None) -> bytes:
        """Twilio's headers and no others; `host` is the address's, with its port."""
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host.rpartition('@')[2]}",
            "User-Agent: Twilio.TmeWs/1.0",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {self._key}",
        ]
        if signature is not None:
            lines.append(f"X-Twilio-Signature: {signature}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the answer; `done` once it is whole, and the bytes behind it are returned.

        Raises ConnectError 31920 for anything but an upgrade.
        """
        self._head += data
        head, found, rest = bytes(self._head).partition(b"\r\n\r\n")
        if len(head) > MAX_HEAD:
            raise refused("an endless answer")
        if not found:
            return b""
        self._judge(head.decode("latin-1").split("\r\n"))
        self.done = True
        return rest

    def _judge(self, lines: list[str]) -> None:
        status = lines[0].split(" ")[1:2]
        fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        if status != ["101"]:
            raise refused(f"HTTP {' '.join(status) or lines[0][:40]}")
        if fields.get("sec-websocket-accept") != self._accept():
            raise refused("a wrong Sec-WebSocket-Accept")
        if (
            fields.get("upgrade", "").lower() != "websocket"
            or "upgrade" not in fields.get("connection", "").lower()
        ):
            raise refused("101 without Upgrade and Connection")
        # Nothing was offered, so nothing may be agreed on (RFC 6455, 4.1).
        for name in ("sec-websocket-extensions", "sec-websocket-protocol"):
            if name in fields:
                raise refused(f"{name} that was not asked for")

    def _accept(self) -> str:
        digest = hashlib.sha1(self._key.encode() + GUID, usedforsecurity=False).digest()
        return base64.b64encode(digest).decode()


def refused(why: str = "") -> ConnectError:
    """31920: the server answered, and not with an upgrade."""
    words = "Stream - Websocket - Handshake Error"
    return ConnectError(REFUSED, f"{words}: {why}" if why else words)


def signature(token: str, url: str, faults: Faults) -> str | None:
    """The signature of a stream's address, None for none; wrong in the ways that are switched on."""
    if faults.unsigned:
        return None
    # Twilio's pages leave open whether the signed text may end in a slash that the address lacks.
    slash = "/" if faults.slash_signature and not url.endswith("/") else ""
    return sign.signature("wrong" if faults.wrong_signature else token, url + slash)
