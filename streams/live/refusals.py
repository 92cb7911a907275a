"""Refusals of media sockets: one named log line and one count each, and no flood of lines from strangers."""

import logging

from django.conf import settings

from calls.counters import denied

__all__ = ["Unsigned", "refuse"]

MINUTE = 60.0
MAX_CLIENTS = 10_000

_log = logging.getLogger("contactcenter.media")


def refuse(event: str, **facts: object) -> None:
    """Tell and count one refusal by its name; `facts` hold no path, payload, signature or number."""
    denied(event)
    _log.warning(event, extra=facts)


class Unsigned:
    """Handshakes that Twilio did not sign, by address: beyond the limit of a minute they are only counted.

    Signed ones never come here, so that strangers cannot keep Twilio out.
    """

    def __init__(self) -> None:
        self._since = 0.0
        self._clients: dict[str, int] = {}

    def refuse(self, client: str, now: float) -> None:
        """Refuse one; `now` in s of a clock that does not jump."""
        if now - self._since >= MINUTE or len(self._clients) >= MAX_CLIENTS:
            self._since = now
            self._clients.clear()
        came = self._clients[client] = self._clients.get(client, 0) + 1
        limit = settings.MEDIA_UNSIGNED_PER_MINUTE
        if came <= limit:
            refuse("media.handshake.denied", reason="signature")
        elif came == limit + 1:
            refuse("media.prestart.limit", client=client)
        else:
            denied("media.prestart.limit")
