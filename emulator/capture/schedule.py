"""What people and the application did in a capture that Twilio did not ask for, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from emulator.capture.kinds import Kinds, documents, elements
from emulator.capture.reel import Asked, Reel, inner

TERMINAL = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
SLACK_MS = 100.0
BEFORE_ACTION_MS = 300.0
TOGETHER_MS = 1000.0


@dataclass(frozen=True)
class Press:
    """Somebody presses keys. `call` is the placeholder of the leg."""

    at: float
    call: str
    digits: str


@dataclass(frozen=True)
class HangUp:
    """Somebody hangs up."""

    at: float
    call: str


@dataclass(frozen=True)
class Rest:
    """The application uses the REST API."""

    at: float
    asked: Asked


Event = Press | HangUp | Rest


def first_call(reel: Reel) -> str:
    """The placeholder of the call that the capture is about, "" when there is none."""
    return next((asked.form["CallSid"] for asked in reel.webhooks if asked.form.get("CallSid")), "")


def begin(reel: Reel) -> float:
    """When the capture's call began, in ms of the recording."""
    return min((asked.request.at for asked in (*reel.webhooks, *reel.rest)), default=0.0)


def schedule(reel: Reel) -> list[Event]:
    """In order of time, ms since the call began."""
    zero = begin(reel)
    events: list[Event] = [*_rest(reel, zero), *_presses(reel, zero), *_hang_ups(reel, zero)]
    return sorted(events, key=lambda event: event.at)


def _rest(reel: Reel, zero: float) -> Iterator[Rest]:
    for asked in reel.rest:
        yield Rest(asked.request.at - zero, asked)


def _presses(reel: Reel, zero: float) -> Iterator[Press]:
    for socket in reel.sockets:
        call = str(socket.start.get("callSid", ""))
        for message in socket.said("twilio", "dtmf"):
            digit = str(inner(message.json, "dtmf").get("digit", ""))
            if digit in set("0123456789*#ABCD"):
                yield Press(message.at - zero, call, digit)
    for asked in reel.webhooks:
        if digits := asked.form.get("Digits"):
            keys = "".join(c for c in digits if c in "0123456789*#") + _finish_key(reel, asked)
            yield Press(asked.request.at - zero - BEFORE_ACTION_MS, asked.form.get("CallSid", ""), keys)


def _finish_key(reel: Reel, asked: Asked) -> str:
    """The key that ended the digits of this action of <Gather>, "" where their number did."""
    given = asked.form.get("FinishedOnKey")
    if given is not None:
        return given
    for gather in elements(documents(reel), "Gather"):
        if urlsplit(gather.get("action", "")).path in {asked.request.path, ""}:
            full = gather.get("numDigits") == str(len(asked.form["Digits"]))
            return "" if full else gather.get("finishOnKey", "#")[:1]
    return "#"


def _hang_ups(reel: Reel, zero: float) -> Iterator[HangUp]:
    """A little after the capture says that a leg was over, unless the replay's is over by itself."""
    call, over = first_call(reel), _ends(reel)
    for leg, at in over.items():
        if leg == call or _hung_up_first(reel, leg, at, over[call]):
            yield HangUp(at - zero + SLACK_MS, leg)


def _ends(reel: Reel) -> dict[str, float]:
    """When each leg was over, in ms of the recording; the first call in any case."""
    kinds = Kinds(reel)
    over: dict[str, float] = {}
    for asked in reel.webhooks:
        form, at = asked.form, asked.request.at
        if kinds.of(asked).startswith("call status") and form.get("CallStatus") in TERMINAL:
            over.setdefault(form.get("CallSid", ""), at)
        if form.get("DialCallSid"):
            over.setdefault(form["DialCallSid"], at)
    said = [asked.request.at for asked in (*reel.webhooks, *reel.rest)]
    said += [line.at for socket in reel.sockets for line in socket.events[-1:]]
    over.setdefault(first_call(reel), max(said, default=0.0))
    return {leg: at for leg, at in over.items() if leg}


def _hung_up_first(reel: Reel, leg: str, at: float, end: float) -> bool:
    """Whether a dialled leg ended by itself, not because the caller hung up."""
    for asked in reel.webhooks:
        if asked.form.get("DialCallSid") == leg:
            return asked.form.get("CallStatus") not in TERMINAL
    return at < end - TOGETHER_MS
