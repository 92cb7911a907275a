"""Answers while the database is away, from memory and from what addresses carry. None of them writes a row.

- A new call: numbers are dialled, queues are entered as the number's last call was, without a stream; in
  the place of a voice its queue. Each
  round of the wait asks us again, and the first one that finds the database makes the rows (answer.waiting).
- Between two steps nobody knows what the plan says: the caller is asked to hold on and asked for again.
- Who keyed a code or chose something while waiting goes on with the step they are in.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime

from calls import path, steps, twiml
from calls import waiting as rounds
from calls.counters import count
from calls.selectors.path import Known
from calls.services import plans
from calls.text import known_caller

__all__ = ["dialled", "first", "gathered", "held", "instead", "next_turn", "remember", "waiting"]

Fields = Mapping[str, str]
HOLD_SECONDS = 3
HOLDS = 20  # a minute; then an apology is kinder
LONGEST_WAIT = 900  # seconds of music with nobody who could come

# What each number does, as of its last call.
_last_known: dict[str, Known] = {}


def remember(known: Known) -> None:
    """Keep what decides about a number."""
    _last_known[known.settings.e164] = known


def dialled(fields: Fields) -> str:
    """The number that was called."""
    return fields.get("To") or fields.get("Called", "")


def first(fields: Fields, *, now: datetime) -> str:
    """The answer to a new call: as its number last did, without a stream; else an apology."""
    count("twilio.answered.without_database")
    known = _last_known.get(dialled(fields))
    if known is None:
        return _apology()
    start = path.opening(known.settings, is_open=known.is_open(now), blocked=False, closed=known.closed(now))
    plan = path.route(known.settings) if path.asks_secret(start.plan) else start.plan
    plan = path.without_voice(plan, known.settings)
    if plan["step"] in ("listen", "voicemail"):  # a stream, or a row for the message, is what they live by
        return _apology()
    then = path.meaning(plan, known.settings, known_caller(fields.get("From", "")))
    pieces = (*start.first, *start.then, *then)
    return twiml.render(*pieces, addresses=_addresses(), language=known.settings.language)


def next_turn(turn: str, fields: Fields) -> str:
    """What follows a finished verb: the end after a telephone, else hold on and ask again, for a minute."""
    count("twilio.answered.without_database")
    if (
        "DialCallStatus" in fields and fields["DialCallStatus"] != "answered"
    ):  # answered: a conference is over
        return twiml.ending(path.after_dial(fields["DialCallStatus"]))
    if fields.get("QueueResult") == "hangup":
        return twiml.ending(steps.End())
    round_ = next((n for n in range(1, HOLDS + 1) if plans.sealed_as(turn, _again(fields, n))), 0)
    if round_ >= HOLDS:
        return _apology()
    there = plans.addresses(next_of=_again(fields, round_ + 1))
    return twiml.render(steps.Go(after=HOLD_SECONDS), addresses=there)


def gathered(turn: str, fields: Fields) -> str:
    """What follows from keys or speech: the same step again, once the database is there."""
    if plans.sealed_as(turn, plans.OF_CODE):
        return next_turn(turn, fields)
    return waiting(fields)


def waiting(fields: Fields) -> str:
    """One round of music; after a quarter of an hour an apology."""
    if int(fields.get("QueueTime") or 0) > LONGEST_WAIT:
        return _apology()
    return twiml.render(rounds.Round((), keys=False), addresses=_addresses())


def instead(fields: Fields, now: datetime) -> str:
    """The fallback's answer: of a new call the first one, in the middle of a call that of the step."""
    what, turn = plans.failed_at(fields.get("ErrorUrl", ""))
    match what:
        case "next":
            return next_turn(turn, fields)
        case "gather":
            return gathered(turn, fields)
        case "queue":
            return waiting(fields)
    return first(fields, now=now)


def held() -> str:
    """Music on hold: ours."""
    return twiml.hold(plans.music(None))


def _again(fields: Fields, round_: int) -> str:
    return f"{fields['CallSid']} again {round_}"


def _addresses() -> twiml.Addresses:
    return plans.addresses(next_of=secrets.token_hex(8))


def _apology() -> str:
    return twiml.ending(steps.End(path.APOLOGY))
