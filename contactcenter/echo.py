"""The far end of the doctor's WebSocket: says what arrived of a handshake, to a doctor of this installation.

It stands below /media/ so that it takes the very way that Twilio's media sockets take.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner

from calls.counters import denied
from calls.signature import handshake_valid

__all__ = ["PATH", "Echo", "proof"]

PATH = "/media/doctor-"  # one path part, so that logs mask it as they mask a nonce
VALID_SECONDS = 60
_signer = TimestampSigner(salt="contactcenter.doctor")
_log = logging.getLogger("contactcenter.sockets")


def proof() -> str:
    """A path part that lets one doctor in for 60 s; made with SECRET_KEY."""
    return _signer.sign("doctor")


class Echo:
    """Accepts, tells {"path", "host", "signature_valid"}, closes."""

    @classmethod
    def as_asgi(cls) -> Callable[..., Any]:
        """Like a consumer's."""
        return cls()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One socket; without proof HTTP 403 as for every refused media socket."""
        await receive()
        if not _is_ours(scope["url_route"]["kwargs"]["proof"]):
            denied("media.handshake.denied")
            _log.warning("media.handshake.denied", extra={"reason": "doctor"})
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": json.dumps(_seen(scope))})
        await send({"type": "websocket.close", "code": 1000})


def _is_ours(given: str) -> bool:
    try:
        _signer.unsign(given, max_age=VALID_SECONDS)
    except BadSignature:
        return False
    return True


def _seen(scope: dict[str, Any]) -> dict[str, Any]:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    is_valid = handshake_valid(
        public_url=settings.PUBLIC_URL,
        raw_path=path,
        signature=headers.get(b"x-twilio-signature"),
        tokens=settings.TWILIO_AUTH_TOKENS,
    )
    return {"path": path, "host": headers.get(b"host", ""), "signature_valid": is_valid}
