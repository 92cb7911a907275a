"""Calls that REST places: what their TwiML is, who is told, for how long, and what happens at the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.exchange import Exchange
from emulator.leg import Leg
from emulator.people.loopback import send_keys
from emulator.rest.errors import bad
from emulator.rest.forms import Form
from emulator.rest.orders import ORDER_FIELDS, order
from emulator.rooms.recording import Order
from emulator.twiml import Step
from emulator.webhooks.progress import Callbacks, Fallback
from emulator.world import Call, rfc2822

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
USUAL_TIMEOUT_S, MAX_TIMEOUT_S = 60, 600
MAX_LIMIT_S = 86_400
DIGITS = re.compile(r"[0-9#*wW]{0,32}")
MACHINE = frozenset({"Enable", "DetectMessageEnd"})
# The emulator's people pick up themselves, and are known for it after so long.
HUMAN, HUMAN_MS = "human", 2000

PLACING_FIELDS = (
    *ORDER_FIELDS,
    "StatusCallback",
    "StatusCallbackMethod",
    "StatusCallbackEvent",
    "Timeout",
    "TimeLimit",
    "Record",
    "CallerId",
    "CallReason",
    "CallToken",
    "MachineDetection",
    "MachineDetectionTimeout",
    "MachineDetectionSpeechThreshold",
    "MachineDetectionSpeechEndThreshold",
    "MachineDetectionSilenceTimeout",
    "SipAuthUsername",
    "SipAuthPassword",
    "Byoc",
    "ClientNotificationUrl",
)


@dataclass(frozen=True)
class Watch:
    """Answering machine detection: who is told by and by (`url`), or the TwiML request itself tells."""

    url: str = ""
    method: str = "POST"
    by_callback: bool = False


@dataclass(frozen=True)
class Placing:
    """What is done with a call beside its TwiML."""

    patience_s: float
    limit_s: int | None
    digits: str
    order: Order | None
    watch: Watch | None

    async def answered(self, leg: Leg) -> dict[str, str]:
        """Do what is due at the answer; the fields that the request for TwiML gets for it."""
        if self.limit_s is not None:
            leg.limit(self.limit_s)
        if self.order is not None:
            _record(leg, self.order)
        if self.digits:
            await send_keys(leg, self.digits)
        return self._detected(leg) if self.watch is not None else {}

    def _detected(self, leg: Leg) -> dict[str, str]:
        leg.call.answered_by = HUMAN
        found = {"AnsweredBy": HUMAN, "MachineDetectionDuration": str(HUMAN_MS)}
        if self.watch is None or not self.watch.by_callback:
            return found
        form = {**leg.call.form(), **found, "Timestamp": str(rfc2822(leg.exchange.world.clock.now()))}
        leg.exchange.courier.tell(leg.call, "amd", self.watch.url, self.watch.method, form)
        return {}


def _record(leg: Leg, asked: Order) -> None:
    """Record the leg; its last status callback tells where the recording is."""
    made = leg.exchange.recordings.of_leg(leg, asked)

    def remember() -> None:
        leg.call.recorded = {
            "RecordingUrl": made.url(),
            "RecordingSid": made.sid,
            "RecordingDuration": str(made.seconds()),
        }

    leg.endings.append(remember)


def placing(given: Form, watch: Watch | None) -> Placing:
    """Read it. Raises RestError: 21208 timeout, 21206 keys, 20001."""
    timeout = given.whole("Timeout", 1, 10**9, 21208) or USUAL_TIMEOUT_S
    digits = given.get("SendDigits") or ""
    if not DIGITS.fullmatch(digits):
        raise bad("SendDigits may hold up to 32 of 0-9, #, *, w", 21206)
    return Placing(
        patience_s=min(timeout, MAX_TIMEOUT_S),
        limit_s=given.whole("TimeLimit", 1, MAX_LIMIT_S),
        digits=digits,
        order=order(given, "OutboundAPI") if given.flag("Record") else None,
        watch=watch,
    )


def detection(given: Form, prefix: str) -> Watch | None:
    """Answering machine detection. Raises RestError: 21263 bad parameters, 21262 nobody to tell."""
    wanted = given.choice("MachineDetection", MACHINE, 21263)
    for name, least, most in (
        ("MachineDetectionTimeout", 3, 59),
        ("MachineDetectionSpeechThreshold", 1000, 6000),
        ("MachineDetectionSpeechEndThreshold", 500, 5000),
        ("MachineDetectionSilenceTimeout", 2000, 10000),
    ):
        given.whole(name, least, most, 21263)
    url, method = given.callback(f"{prefix}StatusCallback"), given.method(f"{prefix}StatusCallbackMethod")
    by_callback = prefix == "Amd" or given.get(prefix) == "true"
    if wanted and prefix != "Amd" and by_callback and not url:
        raise bad("AsyncAmdStatusCallback is required with AsyncAmd", 21262)
    return Watch(url, method, by_callback) if wanted else None


def callbacks(given: Form, events: list[str]) -> Callbacks | None:
    """Who is told of the call's progress; None for a wrong event list. Raises RestError 21609."""
    url, method = given.callback("StatusCallback"), given.method("StatusCallbackMethod")
    wanted = frozenset(events) or frozenset({"completed"})
    return Callbacks(url, method, wanted) if wanted <= EVENTS else None


def place(
    call: Call, told: Callbacks | None, fallback: Fallback, step: Step, how: Placing, exchange: Exchange
) -> Leg:
    """Let the exchange call; with a wrong event list Twilio takes the call and tells nobody."""
    if told is None:
        call.note(21626, "Invalid 'StatusCallbackEvent'", exchange.world.clock.now())
    return exchange.outgoing(call, told or Callbacks(), fallback, step, how.patience_s, how.answered)
