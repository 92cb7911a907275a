"""Say and Pause. Speech is silence of a fitting length for now."""

from __future__ import annotations

from emulator.leg import Leg
from emulator.twiml import Document, Verb
from emulator.verbs.base import Outcome

CHARACTERS_PER_S = 15.0
LISTENING_S = 5.0


async def say(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Answer, then take as long as a voice would need for the text."""
    leg.answer()
    text = verb.text + " ".join(child.text for child in verb.children)
    times = max(1, int(verb.seconds("loop", 1)))
    await leg.exchange.world.clock.sleep(times * max(0.5, len(text) / CHARACTERS_PER_S))
    return None


async def pause(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Wait. A pause does not answer a call; in a long one the caller begins to speak."""
    length = verb.seconds("length", 1)
    if length >= LISTENING_S and leg.answered.is_set():
        leg.party.conversation.begin()
    await leg.exchange.world.clock.sleep(length)
    return None
