"""Leaving a verb that was interrupted: its old `action` is asked all the same, and goes unheard."""

from __future__ import annotations

from emulator.leg import Leg
from emulator.twiml import Step

# Measured at Twilio: after a redirect the child ends, then the old action is asked, then the new address.
CHILD_END_S, OLD_ACTION_S, NEW_DOCUMENT_S = 0.166, 0.154, 0.331


def ask(leg: Leg, step: Step | None) -> None:
    """Ask an action whose answer changes nothing."""
    if step is not None:
        form = {**leg.call.form(), **step.fields}
        leg.exchange.courier.spawn(leg.exchange.courier.ask(leg.call, "action", step.url, step.method, form))


async def leave(leg: Leg, step: Step | None) -> None:
    """Ask the old action, in the time that it takes where the call goes on with another document."""
    redirected = leg.call.live
    if redirected:
        await leg.exchange.world.clock.sleep(OLD_ACTION_S)
    ask(leg, step)
    if redirected:
        await leg.exchange.world.clock.sleep(NEW_DOCUMENT_S)
