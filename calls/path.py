"""What the caller meets next, decided from the number's settings and what has happened.

A plan is JSON on the call and says what comes next; only services write it. `opening` and `route` make the
first ones, `steps` says what a plan means as verbs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from calls.steps import Ask, Dial, End, Go, Listen, Meet, Record, Say, Step, Wait
from calls.text import E164, e164, is_withheld

__all__ = [
    "APOLOGY",
    "CALLBACK_PROMISED",
    "GOODBYE",
    "NOBODY",
    "NOTHING_HEARD",
    "THANKS",
    "UNKNOWN_NUMBER",
    "VERIFY_FIRST",
    "NumberSettings",
    "Opening",
    "Plan",
    "after_dial",
    "after_verify",
    "asks_secret",
    "block_key",
    "closed_text",
    "dials",
    "meaning",
    "opening",
    "route",
    "seconds_to_say",
    "speaks",
    "to_agent",
    "to_end",
    "to_phone",
    "to_queue",
    "to_verify",
    "to_voice",
    "to_voicemail",
    "voice_behind",
    "waits",
    "without_voice",
]

APOLOGY = "We are sorry, your call cannot be connected right now. Please try again later."
NOBODY = "We are sorry, nobody can take your call right now. Please try again later."
UNKNOWN_NUMBER = "We are sorry, this number is not in service. Goodbye."
BLOCKED = "We are sorry, we cannot connect your call. Goodbye."
CLOSED = "Thank you for calling. We are closed now."
GOODBYE = "Thank you for calling. Goodbye."
LEAVE_A_MESSAGE = "Please leave your message after the tone. Press the hash key when you are done."
NOTHING_HEARD = "We did not hear a message. Goodbye."
THANKS = "Thank you for your message. Goodbye."
CALLBACK_PROMISED = "Thank you. You keep your place in the queue, and we will call you back. Goodbye."
VERIFY_FIRST = "Before we connect you, we check who you are."
VERIFY_CODE = "Please key in your code, followed by the hash key, or say it digit by digit."
VERIFY_BIRTH = "Please key in your date of birth as eight digits, day, month and year, or say it."

_SPOKEN = {"completed", "answered"}
_CHARACTERS_PER_SECOND = 8  # slow speech: the estimate must not be too short

Plan = dict[str, Any]


@dataclass(frozen=True)
class NumberSettings:
    """What the number's owner chose. `target` is the telephone to dial, `queue` and `agent` are keys."""

    e164: str
    destination: str  # queue, phone, agent, voice or tap
    target: str = ""
    consent: str = ""
    stream: bool = True
    queue: int | None = None
    agent: int | None = None
    voice: int | None = None
    voice_queue: int | None = None  # where callers go when the voice is lost for good
    greeting: str = ""
    language: str = "en-GB"
    closed: str = "end"  # end, voicemail or phone
    closed_text: str = ""
    closed_to: str = ""
    verify: str = ""  # code or birth
    verify_prompt: str = ""


@dataclass(frozen=True)
class Opening:
    """How a call begins: what is said before the stream, if there is one, and after it, and the plan."""

    first: tuple[Say, ...]
    tapped: bool
    consented: bool
    then: tuple[Say, ...]
    plan: Plan


def opening(number: NumberSettings, *, is_open: bool, blocked: bool, closed: Say) -> Opening:
    """The beginning of a call. `closed` is what is said outside of the hours."""
    greeting = _said(number.greeting)
    if blocked:
        return Opening((), False, False, (), to_end(BLOCKED))
    if not is_open and number.closed == "end":
        return Opening((*greeting, closed), False, False, (), to_end())
    consent = _said(number.consent)
    then = () if is_open else (closed,)
    plan = _first_plan(number) if is_open else _when_closed(number)
    tapped = number.stream and not voice_behind(plan, number)
    return Opening((*greeting, *consent), tapped, bool(consent), then, plan)


def route(number: NumberSettings) -> Plan:
    """Where the number leads, once nothing is to be asked any more."""
    if number.destination == "queue" and number.queue is not None:
        return to_queue(number.queue)
    if number.destination == "agent" and number.agent is not None:
        return to_agent(number.agent)
    if number.destination == "voice" and number.voice is not None:
        return to_voice(number.voice)
    if number.destination == "phone":
        return to_phone(number.target)
    return {"step": "listen"} if number.destination == "tap" else to_end(NOBODY)


def to_queue(queue: int) -> Plan:
    """Wait in a queue."""
    return {"step": "queue", "queue": queue}


def to_agent(agent: int) -> Plan:
    """Wait for one agent."""
    return {"step": "agent", "agent": agent}


def to_phone(number: str) -> Plan:
    """Be connected with a telephone; an apology if there is none."""
    return {"step": "phone", "to": number} if number else to_end(NOBODY)


def to_voicemail(queue: int | None) -> Plan:
    """Leave a message, for a queue or for nobody in particular."""
    return {"step": "voicemail", "queue": queue}


def to_voice(voice: int, *, at: str = "", lost: int = 0) -> Plan:
    """Talk with a voice; `at` is where one that comes back goes on, `lost` how often it broke off before."""
    return {"step": "voice", "voice": voice, "at": at, "lost": lost}


def to_verify(*, by: str = "", then: Mapping[str, Any] | None = None) -> Plan:
    """Be asked for a code or a date. `stopped` will hold the tickets of streams that are to come back.

    A voice that asks for it says `by` what (code or birth; else the number does) and `then` where it goes
    on: `{"voice": …, "at": …, "failed": …}`.
    """
    asked = {"step": "verify", "tries": 0, "heard": False, "stopped": []}
    return {**asked, "by": by, "then": dict(then)} if then else asked


def after_verify(plan: Mapping[str, Any], *, right: bool) -> Plan | None:
    """The voice that asked for it, at the one or the other place; None where no voice did."""
    then = plan.get("then")
    return to_voice(then["voice"], at=then["at"] if right else then["failed"]) if then else None


def to_end(text: str = "") -> Plan:
    """Hear this, and that is all."""
    return {"step": "end", "text": text}


def asks_secret(plan: Mapping[str, Any]) -> bool:
    """Whether the caller may be giving a code just now: no stream may be opened."""
    return plan.get("step") == "verify"


def speaks(plan: Mapping[str, Any], voice: int | None = None) -> bool:
    """Whether a voice speaks with the caller: this one, or any."""
    return plan.get("step") == "voice" and voice in (None, plan["voice"])


def voice_behind(plan: Mapping[str, Any], number: NumberSettings) -> bool:
    """Whether a voice speaks, or will once the caller has given a code: its own stream is written down, and
    a tap beside it would write down everything twice.
    """
    return speaks(route(number) if asks_secret(plan) else plan)


def without_voice(plan: Plan, number: NumberSettings) -> Plan:
    """The plan where a voice cannot speak: its queue, or an apology."""
    if not speaks(plan):
        return plan
    return to_queue(number.voice_queue) if number.voice_queue is not None else to_end(APOLOGY)


def dials(plan: Mapping[str, Any], number: NumberSettings) -> bool:
    """Whether somebody is to answer: not where only a stream or a voice hears the caller."""
    return not voice_behind(plan, number) and plan.get("step") != "listen"


def waits(plan: Mapping[str, Any]) -> bool:
    """Whether the caller waits for somebody."""
    return plan.get("step") in ("queue", "agent")


def _queue_name(plan: Mapping[str, Any]) -> str:
    """Twilio's name of the queue that a plan waits in."""
    return f"queue-{plan['queue']}" if plan.get("step") == "queue" else f"agent-{plan['agent']}"


def meaning(plan: Mapping[str, Any], number: NumberSettings, caller: str) -> tuple[Step, ...]:
    """What a plan means. `caller` is From, cleaned: it is shown to a telephone that is dialled."""
    match plan:
        case {"step": "queue", "queue": int()} | {"step": "agent", "agent": int()}:
            return (Wait(_queue_name(plan)),)
        case {"step": "conference", "name": str(name)}:
            return (Meet(name),)
        case {"step": "voicemail"}:
            return (Say(LEAVE_A_MESSAGE), Record())
        case {"step": "phone", "to": str(target)} if E164.fullmatch(target):
            return (Dial(target, e164(caller) or number.e164),)
        case {"step": "verify"}:
            return (_ask(number, str(plan.get("by") or number.verify)),)
        case {"step": "voice"}:
            return (Go(),)  # behind the stream, or in its place: a caller is never left with nothing
        case {"step": "listen"}:
            return (Listen(),)
        case {"step": "end", "text": str(text)}:
            return (End(text),)
    return (End(NOBODY),)


def after_dial(status: str) -> End:
    """What follows `<Dial>`: nothing after a conversation, an apology when nobody answered."""
    return End() if status in _SPOKEN else End(NOBODY)


def block_key(caller: str) -> str:
    """By what a caller may be blocked: their number or address, `withheld`, or nothing if it is neither."""
    if is_withheld(caller):
        return "withheld"
    return caller if e164(caller) or caller.startswith(("client:", "sip:")) else ""


def closed_text(own: str, *, now: datetime, opens: datetime | None) -> Say:
    """What is said when closed: the owner's text, else ours with the next opening within a week."""
    if own.strip():
        return Say(own.strip(), own=True)
    if opens is None or opens.date() - now.date() >= timedelta(days=7):
        return Say(CLOSED)
    days = (opens.date() - now.date()).days
    day = ("today", "tomorrow")[days] if days < 2 else f"on {opens:%A}"
    return Say(f"{CLOSED} We open again {day} at {opens.hour}:{opens.minute:02}.")


def seconds_to_say(text: str) -> int:
    """How long `<Say>` may take with the text, in seconds, estimated from above."""
    return -(-len(text) // _CHARACTERS_PER_SECOND)


def _first_plan(number: NumberSettings) -> Plan:
    return to_verify() if number.verify else route(number)


def _when_closed(number: NumberSettings) -> Plan:
    return to_phone(number.closed_to) if number.closed == "phone" else to_voicemail(number.queue)


def _ask(number: NumberSettings, by: str) -> Ask:
    birth = by == "birth"
    own = number.verify_prompt.strip()
    prompt = Say(own, own=True) if own else Say(VERIFY_BIRTH if birth else VERIFY_CODE)
    return Ask(prompt, keys=8 if birth else 0)


def _said(text: str) -> tuple[Say, ...]:
    return (Say(text.strip(), own=True),) if text.strip() else ()
