"""Redirect, Hangup and Reject, which leave the document; Refer, which is refused."""

from __future__ import annotations

from emulator.leg import Leg
from emulator.twiml import Document, Step, Verb
from emulator.verbs.base import HANGUP, Outcome, absolute, action, method, telling


async def redirect(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Go on with another document."""
    if not verb.text:
        leg.note(11100, "<Redirect> without an address")
        return HANGUP
    return Step(absolute(verb.text, document), method(verb))


async def hangup(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """End the call."""
    leg.answer()
    leg.finish("completed", "<Hangup>")
    return HANGUP


async def reject(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Refuse a call that was not answered, free of charge; too late for one that was."""
    if leg.answered.is_set():
        leg.finish("completed", "<Reject> after answering")
    else:
        leg.finish("busy" if verb.get("reason") == "busy" else "failed", "<Reject>")
    return HANGUP


async def refer(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """There is no SIP here: the transfer fails, and `action` is told so."""
    leg.note(13233, "<Refer> is for calls over SIP; the emulator has none")
    return telling(action(verb, document), {"ReferCallStatus": "failed"})
