"""Call progress: what a leg tells the application of its status, where it was asked to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.world import Call, rfc2822

if TYPE_CHECKING:
    from emulator.exchange import Exchange

SIP_CODES = {"completed": "200", "busy": "486", "no-answer": "487", "canceled": "487", "failed": "404"}


@dataclass(frozen=True)
class Callbacks:
    """Where the events of a leg go: `initiated ringing answered completed`."""

    url: str = ""
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True)
class Fallback:
    """Where to ask when the first address failed."""

    url: str = ""
    method: str = "POST"


class Progress:
    """The events of one leg, numbered as they happen."""

    def __init__(self, exchange: Exchange, call: Call, callbacks: Callbacks) -> None:
        self._exchange = exchange
        self._call = call
        self.callbacks = callbacks
        self._sequence = 0

    def announce(self, event: str) -> None:
        """Send an event, if it was asked for."""
        if event not in self.callbacks.events:
            return
        call, clock = self._call, self._exchange.world.clock
        form = {
            **call.form(),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._sequence),
            "Timestamp": str(rfc2822(clock.now())),
        }
        self._sequence += 1
        if event == "initiated":
            form["CallStatus"] = "initiated"
        if event == "completed":
            seconds = call.duration()
            form |= {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60))}
            form["SipResponseCode"] = call.sip_code or SIP_CODES[call.status]
            form |= call.recorded
        self._exchange.courier.tell(call, f"status-{event}", self.callbacks.url, self.callbacks.method, form)
