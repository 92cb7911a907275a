""" "Test this number": everything about a number that can be proved without a call.

No call is placed, not even at the emulator: it would ring somebody's desk, and cost money at Twilio. Whether
a caller really gets through, the first call shows (docs/first-call.md).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from calls.gateway import credentials, probe
from calls.gateway.client import GatewayError
from calls.models import PhoneNumber, Voice
from calls.selectors import numbers as selector
from calls.selectors import voice_faults
from calls.services import numbers

__all__ = ["Finding", "destination", "prove"]

State = Literal["right", "note", "wrong"]
_D: Final = PhoneNumber.Destination


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `note`: it works, but perhaps not as meant."""

    what: str
    state: State
    text: str


def prove(*, number: PhoneNumber, now: datetime) -> list[Finding]:
    """Look at the number in the order in which a call meets it. Asks Twilio and our own public address."""
    return [
        _at_twilio(number, now),
        _outside("public address", probe.pages),
        _outside("webhook", lambda: probe.webhook(_token(number))),
        _hours(number, now),
        destination(number),
        _listening(number),
    ]


def destination(number: PhoneNumber) -> Finding:
    """Whether callers can reach somebody behind the number. A fixed number of queries."""
    what = "destination"
    if number.destination == _D.TAP:
        return Finding(what, "right", "nobody is dialled; the call is streamed only")
    target = {
        _D.QUEUE: number.queue,
        _D.AGENT: number.agent,
        _D.PHONE: number.forward_to,
        _D.VOICE: number.voice,
    }
    chosen = target[_D(number.destination)]
    if not chosen:
        return Finding(what, "wrong", "nobody is chosen: callers hear an apology and are cut off")
    if number.queue is not None and number.destination == _D.QUEUE:
        agents = selector.agents_of(number.queue)
        if not agents:
            return Finding(what, "note", f"the queue {chosen} has no agents: callers wait for nobody")
        noun = "agent" if agents == 1 else "agents"
        return Finding(what, "right", f"the queue {chosen}, {agents} {noun}")
    if number.voice is not None and number.destination == _D.VOICE:
        return _voice(number.voice)
    return Finding(what, "right", str(chosen))


def _voice(voice: Voice) -> Finding:
    """Whether the voice behind a number could lead a call, and where callers go when it is lost."""
    what, name = "destination", f"the voice {voice}"
    if wrong := voice_faults.fault(voice):
        return Finding(what, "wrong", f"{name}: {wrong}")
    if voice.queue is None:
        return Finding(what, "note", f"{name}; when it is lost, callers hear an apology: it has no queue")
    return Finding(what, "right", f"{name}; when it is lost, callers go to the queue {voice.queue}")


def _at_twilio(number: PhoneNumber, now: datetime) -> Finding:
    what = f"Twilio, {number.region}"
    try:
        differences = numbers.compare(number=number, now=now)
    except (numbers.NotOurs, GatewayError) as error:
        return Finding(what, "wrong", str(error))
    if not differences:
        return Finding(what, "right", "its calls are processed there and sent here")
    words = ", ".join(dict.fromkeys(numbers.WORDS[one.field] for one in differences))
    return Finding(what, "wrong", f"differs in {words}: press Fix")


def _outside(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, "right", look())
    except probe.Wrong as found:
        return Finding(what, "wrong", f"{found.text}. {found.remedy}")


def _token(number: PhoneNumber) -> str:
    """The token with which Twilio signs this number's webhooks. Raises Wrong."""
    tokens = credentials.of(number.region).tokens
    if not tokens:
        name = "TWILIO_AUTH_TOKEN"
        name = name if number.region == credentials.HOME else f"{name}_{number.region.upper()}"
        raise probe.Wrong(f"no auth token of {number.region} is set", f"Set {name} and restart.")
    return tokens[0]


def _hours(number: PhoneNumber, now: datetime) -> Finding:
    what = "opening hours"
    if number.hours is None:
        return Finding(what, "right", "always open")
    state = selector.opening(number.hours, now=now)
    name = number.hours.name
    if state.is_open:
        return Finding(what, "right", f"{name}: open now{_until(state.until)}")
    if state.until is None:
        return Finding(what, "note", f"{name}: has no opening times, so it is always closed")
    closed = number.get_closed_display().lower()
    return Finding(what, "note", f"{name}: closed now{_until(state.until)}. Callers meet: {closed}")


def _until(moment: datetime | None) -> str:
    return f" until {moment:%A %d %B, %H:%M}" if moment else ""


def _listening(number: PhoneNumber) -> Finding:
    return Finding("stream", "right" if number.stream else "note", ", ".join(_switches(number)))


def _switches(number: PhoneNumber) -> Iterator[str]:
    yield "calls are streamed" if number.stream else "calls are not streamed: no meters, no words"
    if number.stream and not number.transcribe:
        yield "words are not written down"
    if number.may_record():
        yield "recorded after the consent text"
