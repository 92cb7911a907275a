"""What people and the application did in a capture that Twilio did not ask for, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from urllib.parse import urlsplit

from emulator.capture.kinds import Kinds, documents, elements
from emulator.capture.reel import Asked, Reel, inner

TERMINAL = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
SLACK_MS = 100.0
BEFORE_ACTION_MS = 300.0
TOGETHER_MS = 1000.0
GATHER_MS = 5000.0
"""What a <Gather> waits for the next key, unless it says how long."""
HUNG_UP = frozenset({"hangup", "xxxxxx"})
"""What stands for a key where the caller hung up: Twilio's word, and what becomes of it in a file."""


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
        if asked.form.get("Digits") and asked.form["Digits"] not in HUNG_UP:
            keys, before = _recorded(reel, asked) if "RecordingUrl" in asked.form else _gathered(reel, asked)
            if keys:
                yield Press(asked.request.at - zero - before, asked.form.get("CallSid", ""), keys)


def _recorded(reel: Reel, asked: Asked) -> tuple[str, float]:
    """The key that ended a <Record>, and how long before its action; the file has only the key's class."""
    ends = _asking(reel, asked, "Record").get("finishOnKey", "1234567890*#")
    alike = (key for key in ends if key.isdigit() == asked.form["Digits"].isdigit())
    return next(alike, ends[:1]), BEFORE_ACTION_MS


def _gathered(reel: Reel, asked: Asked) -> tuple[str, float]:
    """The keys of this action of <Gather>, and how long before it; its timeout where no key ended them."""
    gather, digits = _asking(reel, asked, "Gather"), asked.form["Digits"]
    ends = gather.get("finishOnKey", "#")
    other = "#" if "*" in ends else "*"  # either is a full stop in a file
    keys = "".join(c for c in digits.replace(".", other) if c in "0123456789*#")
    full = gather.get("numDigits") == str(len(digits))
    finish = "" if full else asked.form.get("FinishedOnKey", ends[:1])
    return keys + finish, BEFORE_ACTION_MS if full or finish else _timeout_ms(gather)


def _asking(reel: Reel, asked: Asked, verb: str) -> Mapping[str, str]:
    """The attributes of the verb whose action this is, none where no document has it."""
    found = (element.attrib for element in elements(documents(reel), verb))
    paths = {asked.request.path, ""}
    return next((one for one in found if urlsplit(one.get("action", "")).path in paths), {})


def _timeout_ms(gather: Mapping[str, str]) -> float:
    text = gather.get("timeout", "")
    return int(text) * 1000.0 if text.isdecimal() and len(text) < 6 else GATHER_MS


def _hang_ups(reel: Reel, zero: float) -> Iterator[HangUp]:
    """A little after the capture says that a leg was over, unless the replay's is over by itself."""
    call, over = first_call(reel), _ends(reel)
    for leg, at in over.items():
        if leg == call or _hung_up_first(reel, leg, at, over.get(call, inf)):
            yield HangUp(at - zero + SLACK_MS, leg)


def _ends(reel: Reel) -> dict[str, float]:
    """When each leg was over, in ms of the recording; the first call unless it goes on."""
    kinds = Kinds(reel)
    over: dict[str, float] = {}
    for asked in reel.webhooks:
        form, at = asked.form, asked.request.at
        if kinds.of(asked).startswith("call status") and form.get("CallStatus") in TERMINAL:
            over.setdefault(form.get("CallSid", ""), at)
        if form.get("DialCallSid"):
            over.setdefault(form["DialCallSid"], at)
    if not _goes_on(reel):
        over.setdefault(first_call(reel), _last_word(reel))
    return {leg: at for leg, at in over.items() if leg}


def _goes_on(reel: Reel) -> bool:
    """Whether the recording was stopped in mid-call, as far as its sockets show."""
    shut = [bool(socket.gone or socket.closes) for socket in reel.sockets]
    return reel.stopped and not (shut and all(shut))


def _last_word(reel: Reel) -> float:
    said = [asked.request.at for asked in (*reel.webhooks, *reel.rest)]
    said += [line.at for socket in reel.sockets for line in socket.events[-1:]]
    return max(said, default=0.0)


def stop(reel: Reel) -> float | None:
    """When a recording was stopped in mid-call, in ms since that began; None for one that was not."""
    if not reel.stopped:
        return None
    return (reel.ending.at if reel.ending else _last_word(reel)) - begin(reel)


def _hung_up_first(reel: Reel, leg: str, at: float, end: float) -> bool:
    """Whether a dialled leg ended by itself, not because the caller hung up."""
    for asked in reel.webhooks:
        if asked.form.get("DialCallSid") == leg:
            return asked.form.get("CallStatus") not in TERMINAL
    return at < end - TOGETHER_MS
