"""Redirect, Hangup and Reject: verbs that leave the document."""

from __future__ import annotations

from emulator.leg import Leg
from emulator.twiml import Document, Step, Verb
from emulator.verbs.base import HANGUP, Outcome, absolute, note


async def redirect(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Go on with another document."""
    if not verb.text:
        note(leg, 11100, "<Redirect> without an address")
        return HANGUP
    return Step(absolute(verb.text, document), verb.get("method", "POST").upper())


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
