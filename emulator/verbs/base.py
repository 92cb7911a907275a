"""What every verb is: a coroutine over a leg that says how the document goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from urllib.parse import urljoin

from emulator.leg import Leg
from emulator.twiml import Document, Step, Verb


class Hangup(Enum):
    """The only value of it is HANGUP: the call ends here."""

    HANGUP = "hangup"


HANGUP = Hangup.HANGUP

Outcome = Step | Hangup | None
Handler = Callable[[Leg, Verb, Document], Awaitable[Outcome]]


def note(leg: Leg, code: int, message: str) -> None:
    """Write what Twilio's debugger would show."""
    leg.call.note(code, message, leg.exchange.world.clock.now())


def action(verb: Verb, document: Document, fields: dict[str, str]) -> Step | None:
    """The request that `action` asks for, with the verb's own fields; None without the attribute."""
    if not verb.get("action"):
        return None
    return Step(absolute(verb.get("action"), document), verb.get("method", "POST").upper(), fields=fields)


def absolute(url: str, document: Document) -> str:
    """An address of the document, as seen from where the document came from."""
    return urljoin(document.base, url)
